"""Cold items: nobody has chosen them, but they have attributes known to the
catalogue."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from emkd_tf.atomic_files import link_or_copy, read_json
from emkd_tf.data.attributes import compressed_rows, numbered
from emkd_tf.data.histories import Histories

IDS_FILE = "cold_items.txt"  # in an export


class ColdItems(NamedTuple):
    """Items outside a catalogue.

    Attributes:
        ids: [C] raw ids.
        offsets: [C + 1] int64; item c has the attributes values[offsets[c] :
            offsets[c + 1]].
        values: int32 numbers of the catalogue's attributes, from 0.
    """

    ids: list[str]
    offsets: np.ndarray
    values: np.ndarray


def find_cold_items(attributes: pl.DataFrame, histories: Histories) -> ColdItems:
    """Finds the items of a table of attributes that are not in a catalogue, in order.

    Args:
        attributes: columns item, attribute; attributes that no item of the catalogue
            has are useless and left out, as are items that have no others.
        histories: of the catalogue.
    """
    item_ids = pl.Series(histories.item_ids(), dtype=pl.String)
    is_line = ~pl.col("item").str.contains(r"[\r\n]")  # files of ids need one line each
    found = numbered(attributes, item_ids).filter(pl.col("number").is_null() & is_line)
    names = read_json(histories.folder / "attributes.json")
    values = pl.DataFrame({"attribute": pl.Series(names, dtype=pl.String)})
    pairs = (
        found.select("item", "attribute")
        .unique(maintain_order=True)
        .join(values.with_row_index("value"), on="attribute", maintain_order="left")
    )
    ids = pairs["item"].unique(maintain_order=True)
    places = pl.DataFrame({"item": ids}).with_row_index("place")
    pairs = pairs.join(places, on="item").select("place", "value")
    return ColdItems(ids.to_list(), *compressed_rows(pairs, len(ids)))


def with_cold_items(histories: Histories, cold: ColdItems, folder: Path) -> Histories:
    """Returns histories whose catalogue ends with the cold items.

    Args:
        histories: without them.
        cold: C items, which become V + 1 to V + C.
        folder: where to write the texts of the ids; it must exist as long as the
            histories are used.
    """
    ids = [*histories.item_ids(), *cold.ids]
    text = "".join(f"{item}\n" for item in ids)
    (folder / "item_ids.txt").write_text(text, encoding="utf-8", newline="\n")
    for name in ("user_ids.txt", "attributes.json"):
        link_or_copy(histories.folder / name, folder / name)
    ends = histories.attribute_offsets[-1] + cold.offsets[1:]
    return dataclasses.replace(
        histories,
        attribute_offsets=np.concatenate([histories.attribute_offsets, ends]),
        attribute_values=np.concatenate([histories.attribute_values, cold.values]),
        description={**histories.description, "items": len(ids)},
        folder=folder,
    )
