"""Item attributes as compressed rows on disk and as a multi-hot table in the model."""

from __future__ import annotations

import numpy as np
import polars as pl

from emkd_tf.special_ids import vocabulary_size


def attribute_arrays(
    attributes: pl.DataFrame, item_ids: list[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers the attributes of the catalogue's items, by first appearance.

    Args:
        attributes: columns item, attribute; rows of other items are ignored.
        item_ids: raw ids of items 1..V.

    Returns:
        Offsets [V + 1] int64 and values int32 (compressed rows: item i has the
        attributes values[offsets[i - 1] : offsets[i]], numbered from 0), and the
        attributes' names.
    """
    catalogue = pl.DataFrame({"item": item_ids}).with_row_index("number")
    known = attributes.unique(maintain_order=True).join(
        catalogue, on="item", how="inner", maintain_order="left"
    )
    names = known["attribute"].unique(maintain_order=True)
    numbers = pl.DataFrame({"attribute": names}).with_row_index("value")
    pairs = known.join(numbers, on="attribute", how="left").sort("number", "value")
    counts = np.bincount(pairs["number"].to_numpy(), minlength=len(item_ids))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return offsets, pairs["value"].to_numpy().astype(np.int32), names.to_list()


def multi_hot(
    offsets: np.ndarray, values: np.ndarray, num_attributes: int
) -> np.ndarray:
    """Spreads compressed rows to one row of zeros and ones per id.

    Args:
        offsets: [V + 1] int64.
        values: int32 attribute numbers from 0.
        num_attributes: A.

    Returns:
        [V + 2, A] float32; the rows of padding and mask token are zero.
    """
    num_items = len(offsets) - 1
    table = np.zeros((vocabulary_size(num_items), num_attributes), np.float32)
    items = np.repeat(np.arange(1, num_items + 1), np.diff(offsets))
    table[items, values] = 1.0
    return table
