"""Item attributes as compressed rows on disk and as lists in the model."""

from __future__ import annotations

import numpy as np
import polars as pl

from emkd_tf.data.texts import canonical
from emkd_tf.errors import InputError
from emkd_tf.special_ids import PAD_ID, vocabulary_size


def attribute_arrays(
    attributes: pl.DataFrame, item_ids: pl.Series
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers the attributes of the catalogue's items by first appearance.

    Items are matched by their ids as written, or else as whole numbers that one of the
    two files writes as floats (`17.0`).

    Args:
        attributes: columns item, attribute; rows of other items are ignored.
        item_ids: [V] raw ids of items 1..V.

    Returns:
        Offsets [V + 1] int64 and values int32 (compressed rows: item i has the
        attributes values[offsets[i - 1] : offsets[i]], numbered from 0), and the
        attributes' names.
    """
    known = numbered(attributes, item_ids).drop_nulls("number")
    known = known.select("number", "attribute").unique(maintain_order=True)
    names = known["attribute"].unique(maintain_order=True)
    numbers = pl.DataFrame({"attribute": names}).with_row_index("value")
    pairs = known.join(numbers, on="attribute", how="left")
    offsets, values = compressed_rows(pairs.select("number", "value"), len(item_ids))
    return offsets, values, names.to_list()


def compressed_rows(
    pairs: pl.DataFrame, num_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns offsets [num_rows + 1] int64 and values int32.

    Args:
        pairs: a column of row numbers from 0 and a column of values.
        num_rows: including rows without a value.
    """
    rows, values = pairs.sort(pairs.columns).get_columns()
    counts = np.bincount(rows.to_numpy(), minlength=num_rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return offsets, values.to_numpy().astype(np.int32)


def no_item_known(
    dataset: str, attributes: pl.DataFrame, item_ids: pl.Series
) -> InputError:
    """Returns the error for attributes that only belong to other items."""
    return InputError(
        f"No item of the attributes is an item of `{dataset}`; write the ids the same "
        f"way in both files: the log has {item_ids[0]!r}, the attributes "
        f"{attributes['item'][0]!r}."
    )


def numbered(attributes: pl.DataFrame, item_ids: pl.Series) -> pl.DataFrame:
    """Returns columns item, attribute and number (from 0), which is null for items that
    are not in the catalogue."""
    catalogue = pl.DataFrame({"item": item_ids}).with_row_index("number")
    by_value = catalogue.select(canonical(pl.col("item")), other="number").unique(
        "item", keep="none"
    )
    found = attributes.drop_nulls().join(
        catalogue, on="item", how="left", maintain_order="left"
    )
    found = found.with_columns(value=canonical(pl.col("item"))).join(
        by_value, left_on="value", right_on="item", how="left", maintain_order="left"
    )
    number = pl.coalesce("number", "other").alias("number")
    return found.select("item", "attribute", number)


def main_attributes(offsets: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns the attribute that says most about what kind of item each one is: its
    most frequent one among those that at most half of the items have.

    Args:
        offsets: [V + 1] int64.
        values: int32 attribute numbers from 0.

    Returns:
        [V] int64; for an item that has only more common ones, the least common; -1 for
        an item without any.
    """
    num_items = len(offsets) - 1
    found = np.full(num_items, -1)
    if not len(values):
        return found
    counts = np.bincount(values)
    items = np.repeat(np.arange(num_items), np.diff(offsets))
    # In ascending order, so that the best is written last.
    worth = np.where(counts <= num_items / 2, counts, -counts)[values]
    order = np.argsort(worth, kind="stable")
    found[items[order]] = values[order]
    return found


def attribute_ids(offsets: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Expands compressed rows to lists of equal width, one row per id.

    Args:
        offsets: [V + 1] int64.
        values: int32 attribute numbers from 0.

    Returns:
        [V + 2, K] int32, numbers from 1, PAD_ID after an item's last attribute; K is
        the largest number of attributes of an item, at least 1. Padding and mask token
        have none.
    """
    counts = np.diff(offsets)
    width = max(1, int(counts.max(initial=0)))
    table = np.full((vocabulary_size(len(counts)), width), PAD_ID, np.int32)
    items = np.repeat(np.arange(1, len(counts) + 1), counts)
    places = np.arange(len(values)) - np.repeat(offsets[:-1], counts)
    table[items, places] = values + 1
    return table
