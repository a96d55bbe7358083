"""Attributes: compressed rows and the lists of one width."""

import numpy as np
import polars as pl

from emkd_tf.data.attributes import attribute_arrays, attribute_ids, main_attributes


def test_rows_table_and_names_say_the_same():
    pairs = [("b", "red"), ("c", "new"), ("z", "old"), ("b", "new"), ("b", "red")]
    frame = pl.DataFrame(pairs, schema=["item", "attribute"], orient="row")
    offsets, values, names = attribute_arrays(frame, pl.Series(["a", "b", "c"]))
    assert names == ["red", "new"]
    assert offsets.tolist() == [0, 0, 2, 3]
    assert values.tolist() == [0, 1, 1]
    table = attribute_ids(offsets, values)
    np.testing.assert_array_equal(table, [[0, 0], [0, 0], [1, 2], [2, 0], [0, 0]])


def test_the_main_attribute_is_frequent_but_not_of_most_items():
    """0 is of all items, 1 of two, 2 of one; the last item has none."""
    of_items = [[0, 1, 2], [0, 1], [0], [0], []]
    offsets = np.cumsum([0, *map(len, of_items)])
    values = np.concatenate(of_items).astype(np.int32)
    assert main_attributes(offsets, values).tolist() == [1, 1, 0, 0, -1]
    assert main_attributes(np.zeros(3, int), values[:0]).tolist() == [-1, -1]


def test_no_attributes():
    empty = pl.DataFrame(schema={"item": pl.String, "attribute": pl.String})
    offsets, values, names = attribute_arrays(empty, pl.Series(["a", "b"]))
    assert (offsets.tolist(), values.tolist(), names) == ([0, 0, 0], [], [])
    assert attribute_ids(offsets, values).tolist() == [[0]] * 4
