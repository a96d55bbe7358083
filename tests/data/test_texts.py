"""Cells as text."""

from decimal import Decimal

import polars as pl
import pytest

from emkd_tf.data.texts import NOTHING, as_text, canonical


def texts(values, dtype=None):
    frame = pl.DataFrame({"x": values}, schema={"x": dtype} if dtype else None)
    return frame.select(as_text(frame.schema["x"], pl.col("x")))["x"].to_list()


def test_texts_are_kept_exactly_but_for_blanks_around_them():
    ids = ["00017", "17.0", "98765432109876543217", " a b\t", "é"]
    assert texts(ids) == ["00017", "17.0", "98765432109876543217", "a b", "é"]


@pytest.mark.parametrize("word", [*NOTHING, "  ", " nan "])
def test_what_says_nothing_is_null(word):
    assert texts([word, "nano", None]) == [None, "nano", None]


def test_numbers_of_tables_with_types():
    assert texts([17, 2**63], pl.UInt64) == ["17", "9223372036854775808"]
    assert texts([17.0, 0.5, float("nan"), None, -3.0]) == [
        "17",
        "0.5",
        None,
        None,
        "-3",
    ]
    assert texts([2.0**70, float("inf")]) == [str(2.0**70), "inf"]


def test_whole_numbers_are_one_however_they_are_written():
    ids = pl.Series(["17.0", "17", "017", "17.5", "-2.00", "a17.0", "1.0.0"])
    found = ids.to_frame("x").select(canonical(pl.col("x")))["x"].to_list()
    assert found == ["17", "17", "017", "17.5", "-2", "a17.0", "1.0.0"]


def test_decimals_are_whole_numbers_where_they_are():
    values = [Decimal("17.00"), Decimal("0.50"), Decimal(10) ** 20, None]
    expected = ["17", "0.50", str(10**20), None]
    assert texts(values, pl.Decimal(38, 2)) == expected
