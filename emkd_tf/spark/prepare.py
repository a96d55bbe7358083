"""`emkd prepare --engine spark`: histories as parts, and the arrays made from them.

The executors read, clean and number the log and write the histories as Parquet, in
order. This process then passes over the parts once, holding one piece in memory, and
writes the arrays that training maps.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from emkd_tf.config import DataConfig
from emkd_tf.data.engine import Written, is_global, nothing_left, write_split
from emkd_tf.data.interactions import read_interactions
from emkd_tf.data.own_files import content_of
from emkd_tf.data.sources import Interactions
from emkd_tf.data.splits import places_of_cuts
from emkd_tf.data.table_folders import parquet_files
from emkd_tf.errors import InputError
from emkd_tf.spark.actions import read_actions
from emkd_tf.spark.cleaning import clean, numbered, settled
from emkd_tf.spark.pieces import scan_in_pieces

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

HISTORIES = "histories"  # folder of parts: user, history (ids), items (numbers)
_CATALOGUE = ".catalogue"
_AT_ONCE = 10_000  # histories


def engine(
    spark: SparkSession,
    config: DataConfig,
    read: Callable[[], Interactions],
    folder: Path,
) -> Written:
    """Prepares a log of your own on Spark, see `emkd_tf.data.engine`.

    Raises:
        InputError: a known dataset, or a file or split that this engine cannot handle.
    """
    if config.interactions is None:
        raise InputError(
            f"--engine spark prepares a log of your own, with --interactions FILE; "
            f"leave it out for `{config.dataset}`."
        )
    scan = functools.partial(scan_in_pieces, spark)
    log = read_interactions(config, scan)
    content = content_of(config, log)
    cuts_times = is_global(config, has_times=content.has_times)
    actions, dropped = clean(
        read_actions(spark, log), config.user_core, config.item_core, config.duplicates
    )
    dropped = {**content.dropped, **dropped}
    count = actions.count()
    if not count:
        raise nothing_left(config, dropped, log.columns)
    cuts = _cuts(actions, count, config.test_share) if cuts_times else None
    folder.chmod(0o755)  # executors may run as another user
    _write_parts(actions, folder, cuts)
    users, repeats = _counts(spark, folder)
    offsets, before = write_arrays(folder, users, count, has_cuts=cuts_times)
    return Written(
        users=users,
        actions=count,
        repeats=repeats,
        item_ids=_write_catalogue(folder),
        dropped=dropped,
        content=content,
        split=write_split(config, folder, offsets, before),
    )


def _cuts(actions: DataFrame, count: int, share: float) -> list[Any]:
    """Returns the times of the two cuts, see `emkd_tf.data.splits.global_time`."""

    places = places_of_cuts(count, share)
    times = numbered(actions.select("time", "place"), "number", "struct(time, place)")
    found = times.where(times["number"].isin(places)).collect()
    by_place = {row["number"]: row["time"] for row in found}
    return [by_place[place] for place in places]


def _write_parts(actions: DataFrame, folder: Path, cuts: list[Any] | None) -> None:
    """Writes the histories in order of users, and the catalogue in order of items."""
    from pyspark.sql import functions as F

    users = actions.groupBy("user").agg(F.min("place").alias("first"))
    users = numbered(users, "user_number", "first").drop("first")
    actions = settled(actions.join(users, "user"))
    order = F.struct("user_number", "time", "place")
    items = actions.groupBy("item").agg(F.min(order).alias("first"))
    items = settled(numbered(items, "item_number", "first", first=1).drop("first"))
    _write(items.orderBy("item_number").select("item"), folder / _CATALOGUE)
    action = F.struct("time", "place", "item_number", "item")
    of_user = F.sort_array(F.collect_list(action)).alias("actions")
    by_user = actions.join(items, "item").groupBy("user_number", "user").agg(of_user)
    before = [_before(cut).alias(f"before_{n}") for n, cut in enumerate(cuts or ())]
    histories = by_user.orderBy("user_number").select(
        "user",
        F.col("actions.item").alias("history"),
        F.col("actions.item_number").cast("array<int>").alias("items"),
        *before,
    )
    _write(histories, folder / HISTORIES)


def _before(cut: Any) -> Column:
    """Counts a user's actions before a cut in time."""
    from pyspark.sql import functions as F

    return F.size(F.filter("actions", lambda action: action["time"] < F.lit(cut)))


def _write(frame: DataFrame, folder: Path) -> None:
    frame.write.parquet(folder.absolute().as_uri())


def _counts(spark: SparkSession, folder: Path) -> tuple[int, int]:
    """Returns the numbers of users and of repeated actions."""
    from pyspark.sql import functions as F

    rows = spark.read.parquet((folder / HISTORIES).absolute().as_uri())
    repeats = F.sum(F.size("items") - F.size(F.array_distinct("items")))
    ((users, repeated),) = rows.agg(F.count("*"), repeats).collect()
    return users, repeated


def _parts(folder: Path) -> Iterator[pl.DataFrame]:
    """Yields the rows of a folder of parts in order, some at a time."""
    files = parquet_files(folder)
    if not files:
        raise InputError(
            f"{folder} has no parts: the executors wrote elsewhere; choose a "
            "--cache-dir that all machines see under one path."
        )
    yield from pl.scan_parquet(files).collect_batches(
        chunk_size=_AT_ONCE, maintain_order=True
    )


def write_arrays(
    folder: Path, users: int, actions: int, *, has_cuts: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Writes `items.npy`, `offsets.npy` and `user_ids.txt` from the parts.

    Args:
        folder: of the prepared dataset, with the parts.
        users, actions: how many there are.
        has_cuts: the parts have columns that count actions before cuts in time.

    Returns:
        [users + 1] int64 bounds of the users, memory-mapped, and [2, users] int64
        numbers of actions before the cuts, if there are cuts.
    """
    items = _array(folder / "items.npy", np.int32, actions)
    offsets = _array(folder / "offsets.npy", np.int64, users + 1)
    before = np.empty((2, users), np.int64) if has_cuts else None
    user = end = 0
    with (folder / "user_ids.txt").open("w", encoding="utf-8") as ids:
        for rows in _parts(folder / HISTORIES):
            numbers = rows["items"].explode().to_numpy()
            lengths = rows["items"].list.len().to_numpy().astype(np.int64)
            here = slice(user, user + len(rows))
            items[end : end + len(numbers)] = numbers
            offsets[user + 1 : user + 1 + len(rows)] = end + np.cumsum(lengths)
            if before is not None:
                before[:, here] = rows.select("before_0", "before_1").to_numpy().T
            ids.writelines(f"{name}\n" for name in rows["user"])
            user, end = here.stop, end + len(numbers)
    if (user, end) != (users, actions):
        raise InputError(
            f"{folder} holds {user:,} of {users:,} histories: executors wrote "
            "elsewhere; choose a --cache-dir that all machines see under one path."
        )
    items.flush()
    offsets.flush()
    return offsets, before


def _array(path: Path, dtype: type, length: int) -> np.memmap:
    return np.lib.format.open_memmap(path, "w+", dtype, (length,))


def _write_catalogue(folder: Path) -> pl.Series:
    """Writes `item_ids.txt` and returns the ids, which the attributes need."""
    names = pl.concat([rows["item"] for rows in _parts(folder / _CATALOGUE)])
    with (folder / "item_ids.txt").open("w", encoding="utf-8") as ids:
        ids.writelines(f"{name}\n" for name in names)
    shutil.rmtree(folder / _CATALOGUE)
    return names
