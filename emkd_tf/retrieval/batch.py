"""Recommendations for many histories, from file to file at constant memory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError
from emkd_tf.retrieval.recommend import TopKRecommender

# Columns of histories, one row each, and of the lists written for them, one row per
# item.
HISTORY_COLUMNS: dict[str, Any] = {"user": pl.String, "history": pl.List(pl.String)}
LIST_COLUMNS = {
    "user": pl.String,
    "rank": pl.Int32,
    "item": pl.String,
    "score": pl.Float32,
}
_MAX_ROWS, _MAX_SCORES = 1024, 2**25  # of a chunk


@dataclasses.dataclass
class Summary:
    """What was recommended.

    Attributes:
        histories: number of them.
        popular: those without any known item, which got popular items.
        unknown_items: items of all histories that are not in the catalogue.
        short: lists of fewer items than asked for, as the history leaves no more.
        again: histories of a user who already had one; each gets its list.
    """

    histories: int = 0
    popular: int = 0
    unknown_items: int = 0
    short: int = 0
    again: int = 0

    def __str__(self) -> str:
        text = (
            f"{self.histories:,} histories, {self.popular:,} without a known item "
            f"(popular items), {self.unknown_items:,} unknown items dropped"
        )
        if self.short:
            text += f", {self.short:,} lists shorter than asked for"
        if self.again:
            text += f", {self.again:,} histories of a user with an earlier one"
        return text


def own_histories(histories: Histories) -> pl.LazyFrame:
    """Returns the whole histories of a dataset's users, with HISTORY_COLUMNS, to be
    read in pieces."""
    names = np.array(histories.item_ids(), object)

    def read(*_) -> Iterator[pl.DataFrame]:
        first = 0
        for users in histories.user_id_pieces(_MAX_ROWS):
            bounds = histories.offsets[first : first + _MAX_ROWS + 1]
            texts = names[histories.whole[bounds[0] : bounds[-1]] - 1]
            lists = [
                part.tolist() for part in np.split(texts, bounds[1:-1] - bounds[0])
            ]
            rows = {"user": users, "history": lists}
            yield pl.DataFrame(rows, schema=HISTORY_COLUMNS)
            first += len(users)

    return register_io_source(read, schema=HISTORY_COLUMNS)


def rows_at_once(num_items: int) -> int:
    """Returns how many histories are scored at a time."""
    return max(1, min(_MAX_ROWS, _MAX_SCORES // num_items))


def history_of(histories: Histories, user: str) -> list[str]:
    """Returns the whole history of a user of a dataset.

    Raises:
        InputError: there is no such user.
    """
    users = histories.user_ids()
    if user.strip() not in users:
        raise InputError(
            f"`user` {user!r} is none of the {len(users):,} users of the run's data, "
            f"such as {users[0]!r}; --history recommends for anyone."
        )
    number, names = users.index(user.strip()), histories.item_ids()
    first, last = histories.offsets[number : number + 2]
    return [names[item - 1] for item in histories.whole[first:last]]


def write_recommendations(
    recommender: TopKRecommender,
    histories: pl.LazyFrame,
    output: Path,
    k: int,
    advance: Callable[[int], None] = lambda count: None,
    *,
    cold: Collection[str] = (),
) -> Summary:
    """Recommends for every history and writes one row per item.

    Args:
        recommender: to recommend with.
        histories: HISTORY_COLUMNS, of any users, read in pieces and in order.
        output: CSV or Parquet file to write, whole or not at all: user, rank (from 1),
            item, score.
        k: items per list; fewer if the history leaves fewer.
        advance: called with the number of histories after each piece.
        cold: items that nobody chose; if there are any, a column `is_cold` marks them.

    Raises:
        InputError: the output is of another type or cannot be written, or the histories
            cannot be read.
    """
    check_output(output)
    summary = Summary()
    users = []  # as hashes: eight bytes per history
    rows = rows_at_once(len(recommender.names))
    label = [pl.col("item").is_in(sorted(cold)).alias("is_cold")] if cold else []

    def lists(*_) -> Iterator[pl.DataFrame]:
        for part in _pieces(histories, rows):
            questions = part["history"].to_list()
            answer = recommender.recommend(questions, k, part["user"].to_list())
            summary.histories += len(questions)
            summary.popular += int(answer.is_popular.sum())
            summary.unknown_items += sum(map(len, answer.unknown))
            summary.short += int(((answer.item_ids != "").sum(axis=1) < k).sum())
            users.append(part["user"].hash().to_numpy())
            found = _rows(part["user"], answer.item_ids, answer.scores)
            yield found.with_columns(label)
            advance(len(questions))

    schema = {**LIST_COLUMNS, **({"is_cold": pl.Boolean} if cold else {})}
    frame = register_io_source(lists, schema=schema)
    unfinished = output.with_name(f".{output.name}.tmp")
    try:
        if output.suffix.lower() == ".csv":
            frame.sink_csv(unfinished)
        else:
            frame.sink_parquet(unfinished)
        os.replace(unfinished, output)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _cannot_write(output, error) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    if users:
        summary.again = summary.histories - len(np.unique(np.concatenate(users)))
    return summary


def check_output(output: Path, *, is_folder: bool = False) -> None:
    """Checks that a file of recommendations can be written, or a folder of Parquet.

    Raises:
        InputError: it is neither CSV nor Parquet, or its folder cannot be written to.
    """
    if is_folder and output.suffix.lower() != ".parquet":
        raise InputError(
            f"`output` {output} must end in .parquet: --engine spark writes a folder "
            "of parts."
        )
    if output.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"`output` {output} must end in .csv or .parquet.")
    if output.is_dir() and not is_folder:
        raise InputError(f"`output` {output} is a folder; name a file.")
    try:
        unfinished = output.with_name(f".{output.name}.tmp")
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise _cannot_write(output, error) from None


def _pieces(histories: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    try:
        for chunk in histories.collect_batches(chunk_size=rows, maintain_order=True):
            yield from chunk.iter_slices(rows)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"The histories cannot be read to their end ({reason}); mend the file."
        ) from None


def _cannot_write(output: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return InputError(
        f"`output` {output} cannot be written ({reason}); choose another place or make "
        "room."
    )


def _rows(users: pl.Series, item_ids: np.ndarray, scores: np.ndarray) -> pl.DataFrame:
    """Spreads lists [B, k] to one row per item, without the empty places."""
    is_item = item_ids.ravel() != ""
    count, k = item_ids.shape
    columns = {
        "user": users.gather(np.repeat(np.arange(count), k)[is_item]),
        "rank": np.tile(np.arange(1, k + 1), count)[is_item],
        "item": item_ids.ravel()[is_item],
        "score": scores.ravel()[is_item],
    }
    return pl.DataFrame(columns, schema=LIST_COLUMNS)
