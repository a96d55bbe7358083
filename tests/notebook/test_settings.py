"""Settings of a notebook as the command line takes them."""

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import emkd_tf
from emkd_tf.errors import InputError
from emkd_tf.notebook.settings import as_arguments, known_ones


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", ["a b"]),
        (Path("a/b"), ["a/b"]),
        (np.True_, ["true"]),
        (np.int64(3), ["3"]),
        (0.5, ["0.5"]),
        (datetime.date(2024, 5, 6), ["2024-05-06"]),
        (["kind"], ["kind"]),
        (("kind", "size"), ["kind,size"]),
        (None, []),
    ],
)
def test_values(value, written):
    assert as_arguments({"name": value}) == [f"--name={each}" for each in written]


def test_files_of_settings_are_repeated():
    assert as_arguments({"config": ["a", "b"]}) == ["--config=a", "--config=b"]


@pytest.mark.parametrize(
    "value", [emkd_tf.Config(), pl.DataFrame(), {"a": 1}, int, [None], 1j]
)
def test_other_values_are_refused_by_their_settings(value):
    with pytest.raises(InputError, match="`config` must be text, a number, a path"):
        as_arguments({"config": value})


@pytest.mark.parametrize(
    ("command", "name", "line"),
    [
        ("train", "epocs", "`epocs` is not a setting of a training. Did you mean `epo"),
        ("train", "verbose", "`emkd train --help all` lists all"),
        ("train", "help", "`help` is not a setting of a training"),
        ("prepare", "epochs", "`epochs` is not a setting of the data"),
        ("prepare", "user_colum", "Did you mean `user_column`?"),
    ],
)
def test_unknown_names(command, name, line):
    with pytest.raises(InputError) as told:
        known_ones({name: 1}, command)
    assert line in str(told.value)


def test_names_may_have_dashes():
    assert known_ones({"batch-size": 4}, "train") == {"batch_size": 4}
