"""The actions of a log as a Spark table, read by executors piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from emkd_tf.data.interactions import Log
from emkd_tf.spark.pieces import TableInPieces

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PIECE_BITS = 40  # the lower bits of a place, which count actions within a piece
_AT_ONCE = 100_000


def read_actions(spark: SparkSession, log: Log) -> DataFrame:
    """Returns columns user, item (texts), time (int64 or float64) and place, int64
    increasing in the order of the file. Without times, the place serves as time."""
    assert isinstance(log.table, TableInPieces)
    pieces, open_piece = log.table.pieces, log.table.part_opener()
    part, has_time = log.part, "time" in log.columns
    whole = part(log.table).collect_schema()
    is_float = has_time and whole["time"].is_float()

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                table = open_piece(pieces[number])
                frame = part(table).with_row_index("place")
                first = number << _PIECE_BITS
                frame = frame.with_columns(pl.col("place").cast(pl.Int64) + first)
                # Turns -0.0 into 0.0, so that zeros of both signs are equal.
                time = pl.col("time") + 0 if has_time else pl.col("place")
                chosen = frame.select("user", "item", time.alias("time"), "place")
                for rows in table.collect(chosen).iter_slices(_AT_ONCE):
                    oldest = pl.CompatLevel.oldest()
                    yield from rows.to_arrow(compat_level=oldest).to_batches()

    time = "double" if is_float else "long"
    schema = f"user string, item string, time {time}, place long"
    numbers = spark.range(0, len(pieces), 1, numPartitions=len(pieces))
    return numbers.mapInArrow(read, schema)
