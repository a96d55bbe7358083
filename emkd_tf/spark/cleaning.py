"""The rules of `emkd_tf.data.cleaning` on a Spark table: duplicates, k-core, numbers.

A row is an action: user, item (texts), time (number) and place (its order in the
file). Each step is computed once and kept on the executors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emkd_tf.data.cleaning import (
    DUPLICATES,
    K_CORE,
    MIN_ACTIONS,
    REPEATS,
    TOO_FEW,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PARTITION_BITS = 33  # lower bits, in which monotonically_increasing_id counts rows


def settled(frame: DataFrame) -> DataFrame:
    """Computes a table once and keeps it in `spark.checkpoint.dir` if that is set, else
    on the disks of the executors."""
    if frame.sparkSession.conf.get("spark.checkpoint.dir", None):
        return frame.checkpoint()
    return frame.localCheckpoint()


def clean(
    actions: DataFrame, min_user: int, min_item: int, duplicates: str = "keep"
) -> tuple[DataFrame, dict[str, int]]:
    """Drops actions that cannot be used, as `emkd_tf.data.cleaning.steps` does.

    Returns:
        What is left, and the number of dropped rows by reason.
    """
    dropped = {}
    count = actions.count()

    def step(reason: str, kept: DataFrame) -> DataFrame:
        nonlocal count
        kept = settled(kept)
        left = kept.count()
        dropped[reason], count = count - left, left
        return kept

    actions = step(DUPLICATES, _first_of(actions, ["user", "item", "time"], "place"))
    if duplicates == "drop":
        actions = step(
            REPEATS, _first_of(actions, ["user", "item"], "struct(time, place)")
        )
    elif duplicates == "consecutive":
        actions = step(REPEATS, _without_consecutive(actions))
    actions = step(K_CORE, _k_core(actions, min_user, min_item))
    few = _fewer(actions, "user", MIN_ACTIONS)
    return step(TOO_FEW, actions.join(few, "user", "left_anti")), dropped


def _first_of(actions: DataFrame, keys: list[str], order: str) -> DataFrame:
    """Keeps the first action for each key."""
    from pyspark.sql import functions as F

    rest = [name for name in actions.columns if name not in keys]
    kept = F.min_by(F.struct(*rest), F.expr(order)).alias("kept")
    first = actions.groupBy(*keys).agg(kept).select(*keys, "kept.*")
    return first.select(*actions.columns)


def _without_consecutive(actions: DataFrame) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    before = F.lag("item").over(Window.partitionBy("user").orderBy("time", "place"))
    actions = actions.withColumn("before", before)
    is_same = F.col("before").eqNullSafe(F.col("item"))
    return actions.where(~is_same).drop("before")


def _k_core(actions: DataFrame, min_user: int, min_item: int) -> DataFrame:
    count = actions.count()
    while True:
        kept = actions
        for what, least in (("user", min_user), ("item", min_item)):
            kept = kept.join(_fewer(actions, what, least), what, "left_anti")
        actions = settled(kept.select(*actions.columns))
        left = actions.count()
        if left == count:
            return actions
        count = left


def _fewer(actions: DataFrame, what: str, least: int) -> DataFrame:
    """Returns users or items with fewer than `least` actions."""
    return actions.groupBy(what).count().where(f"count < {least}").select(what)


def numbered(frame: DataFrame, name: str, order: str, first: int = 0) -> DataFrame:
    """Numbers the rows of a table in a given order.

    Args:
        frame: must not have equal values of `order`.
        name: of the new column, int64.
        order: expression to order by.
        first: number of the first row.
    """
    from pyspark.sql import functions as F

    place = f"{name} place"
    rows = frame.orderBy(F.expr(order)).withColumn(
        place, F.monotonically_increasing_id()
    )
    rows = settled(rows)
    of = F.shiftright(F.col(f"`{place}`"), _PARTITION_BITS)
    counts = {}
    for partition, count in rows.groupBy(of).count().collect():  # a row per partition
        counts[partition] = count
    starts, before = [], first
    for partition in sorted(counts):
        starts.append((partition, before))
        before += counts[partition]
    schema = "partition long, start long"
    known = frame.sparkSession.createDataFrame(starts, schema)
    inside = F.col(f"`{place}`").bitwiseAND((1 << _PARTITION_BITS) - 1)
    numbers = rows.join(F.broadcast(known), of == F.col("partition"))
    numbers = numbers.withColumn(name, F.col("start") + inside)
    return numbers.drop("partition", "start", place)
