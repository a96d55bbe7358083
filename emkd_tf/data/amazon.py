"""Metadata of the Amazon reviews of 2014 (Python literals), 2018 and 2023 (JSON)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from emkd_tf.data.texts import NOTHING

_ITEM_KEYS = ("parent_asin", "asin")
_CATEGORY_KEYS = ("categories", "category")


def is_metadata(record: dict[str, Any]) -> bool:
    """Returns whether a record describes an item of Amazon."""
    return any(k in record for k in _ITEM_KEYS) and any(
        isinstance(record.get(k), list) for k in _CATEGORY_KEYS
    )


def read_metadata(found: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Reads the attributes that S3-Rec uses: the brand, and all categories except the
    first of each path, which is the same for the whole file.

    Returns:
        Columns item, attribute; each pair once.

    Source: Zhou et al. 2020, https://github.com/RUCAIBox/CIKM2020-S3Rec, data_process.
    """
    pairs = []
    for record in found:
        item = next((record[k] for k in _ITEM_KEYS if record.get(k)), None)
        if item is not None:
            values = [*_brand(record), *_categories(record)]
            pairs += [(str(item), value.strip()) for value in values]
    frame = pl.DataFrame(
        pairs, schema={"item": pl.String, "attribute": pl.String}, orient="row"
    )
    is_value = ~pl.col("attribute").is_in(NOTHING)
    return frame.filter(is_value).unique(maintain_order=True)


def _brand(record: dict[str, Any]) -> list[str]:
    details = record.get("details")
    of_details = details.get("Brand") if isinstance(details, dict) else None
    brand = record.get("brand") or of_details or record.get("store")
    return [brand] if isinstance(brand, str) else []


def _categories(record: dict[str, Any]) -> list[str]:
    """Category paths are a list of lists in 2014, a single list later."""
    value: list = next((record[k] for k in _CATEGORY_KEYS if record.get(k)), [])
    paths = value if value and isinstance(value[0], list) else [value]
    return [name for path in paths for name in path[1:] if isinstance(name, str)]
