"""Cells of several values."""

import json

import polars as pl
import pytest

from emkd_tf.data.attribute_lists import split_cells


def split(*cells):
    found = {cell: [] for cell in cells}
    for cell, value in split_cells(pl.Series(cells, dtype=pl.String)).rows():
        found[cell].append(value)
    return list(found.values())


LISTS = [["a"], ["b", "a"], ["c", "a", "b"], ["it's", "b"], []]


@pytest.mark.parametrize(
    "write",
    [
        "|".join,
        " | ".join,
        json.dumps,
        str,
        lambda values: str(tuple(values)),
        lambda values: str(values).replace(", ", " "),  # as numpy prints
        lambda values: json.dumps([*values, None, "", [values]]),
    ],
)
def test_lists_are_split_however_they_are_written(write):
    found = split(*map(write, LISTS))
    assert [list(dict.fromkeys(values)) for values in found] == LISTS


@pytest.mark.parametrize("separator", [", ", ",", ";"])
def test_commas_and_semicolons_separate_what_repeats(separator):
    tags = [["1", "2", "3"], ["2"], ["3", "1"], ["1"]]
    assert split(*map(separator.join, tags)) == tags


def test_commas_inside_categories_separate_nothing():
    cells = ["Clothing, Shoes & Jewelry", "Toys", "Sports, Outdoors"]
    assert split(*cells) == [[cell] for cell in cells]


def test_what_says_nothing():
    assert split("nan", "None", "[]", " | ", "['nan', '']", "(no genres listed)") == [
        *[[]] * 6
    ]


@pytest.mark.parametrize(
    "text", ["[" * 50_000 + "]", "[print(1)]", "{'a': 1}", "[1", "(x)", "[a b]", "{}"]
)
def test_other_brackets_are_texts_and_no_code(text, capsys):
    assert split(text) == [[text]]
    assert capsys.readouterr().out == ""
