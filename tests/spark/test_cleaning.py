"""Cleaning on Spark against the arrays of this process, on random actions."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.data import cleaning
from emkd_tf.spark.cleaning import clean, numbered

pytestmark = pytest.mark.slow


def random_log(seed, dtype):
    rng = np.random.default_rng(seed)
    count = 300
    return pl.DataFrame(
        {
            "user": [f"u{n}" for n in rng.integers(0, 30, count)],
            "item": [f"i{n}" for n in rng.integers(0, 14, count)],
            "time": rng.integers(-4, 5, count).astype(dtype) / dtype(1),
        }
    )


@pytest.mark.parametrize(
    ("seed", "dtype", "bounds", "duplicates"),
    [
        (0, np.int64, (5, 5), "keep"),
        (1, np.float64, (5, 6), "drop"),
        (2, np.int64, (0, 21), "consecutive"),
        (3, np.int64, (40, 0), "keep"),
    ],
)
def test_what_is_left_and_what_was_dropped(spark, seed, dtype, bounds, duplicates):
    log = random_log(seed, dtype)
    if dtype is np.int64:
        log = log.cast({"time": pl.Int64})
    expected, dropped = cleaning.clean(cleaning.encode(log.lazy()), *bounds, duplicates)
    rows = log.with_row_index("place").cast({"place": pl.Int64}).to_dicts()
    time = "long" if dtype is np.int64 else "double"
    schema = f"user string, item string, time {time}, place long"
    names = ("user", "item", "time", "place")
    frame = spark.createDataFrame([tuple(r[n] for n in names) for r in rows], schema)
    left, found = clean(frame, *bounds, duplicates)
    assert found == dropped
    assert bool(len(expected)) == (seed != 3)
    kept = sorted((r["place"], r["user"], r["item"]) for r in left.collect())
    pairs = [
        (expected.user_ids[int(u)], expected.item_ids[int(i)])
        for u, i in zip(expected.users, expected.items, strict=True)
    ]
    assert sorted(pairs) == sorted((user, item) for _, user, item in kept)
    for place, user, item in kept:  # the same one of equal actions
        assert log.row(place)[:2] == (user, item)


def test_numbers_follow_the_order_over_all_partitions(spark):
    values = np.random.default_rng(0).permutation(1000).tolist()
    frame = spark.createDataFrame([(v,) for v in values], "value long")
    found = numbered(frame.repartition(7), "number", "-value", first=1).collect()
    assert {r["value"]: r["number"] for r in found} == {v: 1000 - v for v in values}
    assert found[0].asDict().keys() == {"value", "number"}
