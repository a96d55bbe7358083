"""Where the interactions come from and how they become histories."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from emkd_tf.config.rules import (
    LONGEST_NAME,
    require,
    require_at_least,
    require_choices,
    require_folder_name,
)

_COMPRESSED = (".gz", ".gzip", ".zst", ".zstd")
OF_MODEL = ("max_length", "window_step", "rows")  # the others determine the data
# Settings that known datasets have no use for.
_OF_OWN_LOGS = (
    *("attributes", "user_column", "item_column", "time_column", "rating_column"),
    *("attribute_item_column", "attribute_columns", "min_rating", "since", "until"),
)


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Where the interactions come from and how they become histories.

    Attributes:
        dataset: name of a known dataset, or a name for your own log (by default its
            file's name).
        data_dir: folder of raw files; $EMKD_DATA_DIR or `<cache_dir>/raw` if not given.
        cache_dir: folder of prepared datasets; $EMKD_CACHE_DIR or the user's cache.
        interactions: your own log, in any layout of docs/data.md.
        attributes: your own file of item attributes, in any layout of docs/data.md.
        user_column: column of user ids; found by its usual names if not given.
        item_column: column of item ids in the log; found by its usual names if not
            given.
        time_column: column of times, numbers or dates; found by its usual names if not
            given.
        rating_column: column of ratings, for `min_rating`; found by its usual names if
            not given.
        attribute_item_column: column of item ids in the attributes; found by its usual
            names if not given.
        attribute_columns: attribute columns to use, separated by commas; by default
            those that hold categories.
        min_rating: drop actions rated below this or not rated.
        since: drop actions before this: a date, or a number in the log's own unit.
        until: drop actions at or after this: a date, or a number in the log's own unit.
        duplicates: a user's repeated actions on an item: keep all, drop all but the
            first, or drop only consecutive ones.
        user_core: drop users with fewer actions, alternating with items until nothing
            is left to drop.
        item_core: drop items with fewer actions, alternating with users until nothing
            is left to drop.
        split: leave_one_out holds out each user's last two actions; global_time the
            actions after two cutoff times; user a share of the users.
        test_share: share of the actions (global_time) or users (user) held out for
            validation, and the same again for test.
        max_length: L, number of items of a sequence that the encoders see.
        window_step: actions between training windows of a sequence longer than L.
        rows: training rows of next-item models: shift, each user's newest L items as
            one row; whole, as many such rows as a history fills; prefix, one row per
            next item.
        history_order: order of the actions before a target: time; or random, in
            training, validation and test, a control that shows what the order is worth.
    """

    dataset: str = "sample"
    data_dir: str | None = None
    cache_dir: str | None = None
    interactions: str | None = None
    attributes: str | None = None
    user_column: str | None = None
    item_column: str | None = None
    time_column: str | None = None
    rating_column: str | None = None
    attribute_item_column: str | None = None
    attribute_columns: str | None = None
    min_rating: float | None = None
    since: str | None = None
    until: str | None = None
    duplicates: Literal["keep", "drop", "consecutive"] = "keep"
    user_core: int = 5
    item_core: int = 5
    split: Literal["leave_one_out", "global_time", "user"] = "leave_one_out"
    test_share: float = 0.1
    max_length: int = 15
    window_step: int = 1
    rows: Literal["shift", "whole", "prefix"] = "shift"
    history_order: Literal["time", "random"] = "time"

    def __post_init__(self) -> None:
        require_choices(self)
        require_folder_name(self, "dataset")
        require_at_least(self, 0, "user_core", "item_core")
        is_share = 0.0 < self.test_share < 0.5
        require(is_share, "test_share", "above 0 and below .5", self.test_share)
        require_at_least(self, 2, "max_length")
        require_at_least(self, 1, "window_step")
        for name in _OF_OWN_LOGS:
            require(
                getattr(self, name) is None or self.interactions is not None,
                name,
                "given together with `interactions`",
                getattr(self, name),
            )


def log_name(path: str) -> str:
    """Returns the dataset name of a log, its file's name without the endings: `shop`
    for `logs/shop.csv.gz`; a very long one is cut."""
    file = Path(path)
    name = Path(file.stem).stem if file.suffix.lower() in _COMPRESSED else file.stem
    return name.encode(errors="ignore")[:LONGEST_NAME].decode(errors="ignore")
