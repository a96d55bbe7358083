"""The data of a training as tables on the device, in place of the host's files."""

from __future__ import annotations

from collections.abc import Mapping

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.histories import left_padded


def tables_of(items: np.ndarray, examples: Examples) -> dict[str, np.ndarray]:
    """Returns what batches read, for each row.

    Args:
        items: [actions] int32, all histories.
        examples: of them.

    Returns:
        "item_ids" [rows, L] int32 and, where the examples need them, "users" [rows]
        and "training_items" [users, S] int32, and of partners "places", "starts",
        "ends" and "partners" [rows] int64.
    """
    rows, numbers = examples.rows, np.arange(len(examples.rows))
    tables = {"item_ids": left_padded(items, *rows.bounds(numbers), rows.length)}
    if examples.with_users or examples.training_bounds is not None:
        tables["users"] = rows.sequences(numbers).astype(np.int32)
    if examples.training_bounds is not None:
        starts, ends = examples.training_bounds
        most = int((ends - starts).max())
        tables["training_items"] = left_padded(items, starts, ends, most)
    if examples.same_target is not None:
        groups = examples.same_target.groups(numbers)
        for name, values in zip(("places", "starts", "ends"), groups, strict=True):
            tables[name] = values.astype(np.int64)
        tables["partners"] = examples.same_target.order.astype(np.int64)
    return tables


class TableReads:
    """`Reads` from the tables of `tables_of`, as tensors."""

    def __init__(self, tables: Mapping[str, tf.Tensor]):
        self._tables = tables

    def item_ids(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._tables["item_ids"], rows)

    def users(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._tables["users"], rows)

    def training_items(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._tables["training_items"], self.users(rows))

    def partners(self, rows: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        places, starts, ends = (
            tf.gather(self._tables[name], rows) for name in ("places", "starts", "ends")
        )
        others = ends - starts - 1
        chosen = starts + tf.cast(draws, tf.int64) % tf.maximum(others, 1)
        is_behind = (chosen >= places) & (others > 0)  # pass over the row itself
        return tf.gather(
            self._tables["partners"], chosen + tf.cast(is_behind, tf.int64)
        )

    def lists(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raise NotImplementedError("lists of a teacher are not lowered")
