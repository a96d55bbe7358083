"""`emkd recommend --engine spark`: lists for many histories from the exported model."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from emkd_tf.data.histories import Histories
from emkd_tf.data.table_folders import parquet_files
from emkd_tf.errors import InputError
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.retrieval.batch import Summary, check_output, own_histories, rows_at_once
from emkd_tf.spark.inference import LISTS, lists_of_parts
from emkd_tf.spark.prepare import HISTORIES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PART_ROWS = 20_000  # histories


def write_lists(
    spark: SparkSession,
    ensemble: Ensemble,
    histories: Histories,
    source: pl.LazyFrame | None,
    output: Path,
    k: int,
    protocol: str,
) -> Summary:
    """Recommends for every history and writes one row per item: user, rank (from 1),
    item, score.

    Args:
        spark: the session.
        ensemble: networks to recommend with, which are exported for the executors.
        histories: the histories that they were trained on.
        source: columns user and history; None for all users of `histories`.
        output: folder of Parquet parts to write whole or not at all, in the order of
            the histories; executors must see it and its siblings under this path.
        k: items per list; a list is shorter if the history leaves fewer.
        protocol: decides which items of a history a list may not contain.

    Raises:
        InputError: the folder cannot be written, or the histories cannot be read.
        CheckFailedError: the export answers differently from the live model.
    """
    check_output(output, is_folder=True)
    with _folder_beside(output) as scratch:
        version, _ = export_saved_model(
            ensemble, histories, scratch / "model", k=k, protocol=protocol
        )
        own = parquet_files(histories.folder / HISTORIES)
        if source is not None or not own:
            own = _write_parts(source, histories, scratch / HISTORIES)
        names = ("histories", "popular", "unknown_items", "short")
        counters = {name: spark.sparkContext.accumulator(0) for name in names}
        lists = lists_of_parts(
            [str(path.absolute()) for path in own],
            str(version.absolute()),
            rows_at_once(histories.num_items),
            {name: counter.add for name, counter in counters.items()},
        )
        numbers = spark.range(0, len(own), 1, numPartitions=max(1, len(own)))
        unfinished = scratch / "lists"
        rows = numbers.mapInPandas(lists, LISTS)
        rows.write.parquet(unfinished.absolute().as_uri())
        _replace(unfinished, output)
        counts = {name: counter.value for name, counter in counters.items()}
        return Summary(**counts, again=_again(spark, own))


@contextlib.contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    folder.chmod(0o755)  # executors may run as another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_parts(
    source: pl.LazyFrame | None, histories: Histories, folder: Path
) -> list[Path]:
    """Writes histories as parts, holding one part in memory at a time."""
    folder.mkdir()
    frame = own_histories(histories) if source is None else source
    paths = []
    try:
        batches = frame.collect_batches(chunk_size=_PART_ROWS, maintain_order=True)
        for number, rows in enumerate(batches):
            paths.append(folder / f"part-{number:06}.parquet")
            rows.write_parquet(paths[-1])
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"The histories cannot be read to their end ({str(error).splitlines()[0]});"
            " mend the file."
        ) from None
    return paths


def _replace(folder: Path, output: Path) -> None:
    # Spark's checksums and its success marker get in the way of other readers.
    for path in folder.iterdir():
        if path.suffix != ".parquet":
            path.unlink()
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)
    folder.replace(output)


def _again(spark: SparkSession, parts: list[Path]) -> int:
    """Counts the histories of users who already have an earlier one."""
    from pyspark.sql import functions as F

    if not parts:
        return 0
    rows = spark.read.parquet(*[path.absolute().as_uri() for path in parts])
    ((count, users),) = rows.agg(F.count("user"), F.count_distinct("user")).collect()
    return count - users
