"""Attributes: compressed rows and the multi-hot table."""

import numpy as np
import polars as pl

from emkd_tf.data.attributes import attribute_arrays, multi_hot


def test_rows_table_and_names_say_the_same():
    pairs = [("b", "red"), ("c", "new"), ("z", "old"), ("b", "new"), ("b", "red")]
    frame = pl.DataFrame(pairs, schema=["item", "attribute"], orient="row")
    offsets, values, names = attribute_arrays(frame, ["a", "b", "c"])
    assert names == ["red", "new"]
    assert offsets.tolist() == [0, 0, 2, 3]
    assert values.tolist() == [0, 1, 1]
    table = multi_hot(offsets, values, len(names))
    np.testing.assert_array_equal(table, [[0, 0], [0, 0], [1, 1], [0, 1], [0, 0]])


def test_no_attributes():
    empty = pl.DataFrame(schema={"item": pl.String, "attribute": pl.String})
    offsets, values, names = attribute_arrays(empty, ["a", "b"])
    assert (offsets.tolist(), values.tolist(), names) == ([0, 0, 0], [], [])
    assert multi_hot(offsets, values, 0).shape == (4, 0)
