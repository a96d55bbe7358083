"""Rows that are left out, against a loop over rows."""

from pathlib import Path

import polars as pl

from emkd_tf.data.dropped import Dropped, counted
from emkd_tf.data.table import Table

ROWS = [(1, 1), (None, 1), (None, None), (1, None), (5, 1), (None, 2)]


def test_a_row_has_the_first_reason_that_applies():
    frame = pl.LazyFrame(ROWS, schema=["a", "b"], orient="row").with_row_index("row")
    table = Table(frame, Path("log.csv"), "csv", first_line=2)
    kept = {
        "no a": pl.col("a").is_not_null(),
        "no b": pl.col("b").is_not_null(),
        "a above 4": pl.col("a").fill_null(0) <= 4,
        "never": pl.lit(True),
    }
    found = frame.select(**counted(kept)).collect().row(0, named=True)
    dropped = Dropped.read(table, kept, found)
    assert dropped.counts == {"no a": 3, "no b": 1, "a above 4": 1}
    lines = {"no a": 3, "no b": 5, "a above 4": 6}
    assert dropped.first == {k: f"log.csv line {n}" for k, n in lines.items()}
    both = dropped | Dropped({"other": 2}, {"other": "there"})
    assert list(both.counts) == ["no a", "no b", "a above 4", "other"]
