"""`emkd recommend`: lists for a history, a file of them or all users."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from emkd_tf.commands.arguments import RUN_KEYS, required_run, run_arguments
from emkd_tf.commands.engines import OPTIONS, spark_session
from emkd_tf.commands.opening import COLD_ITEMS, Opened, opened
from emkd_tf.commands.terminal import progress, say, show
from emkd_tf.config.rules import require
from emkd_tf.errors import InputError
from emkd_tf.tensorflow_start import load_tensorflow

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import SparkSession

    from emkd_tf.retrieval.batch import Summary
    from emkd_tf.retrieval.recommend import TopKRecommender


_USUAL_SEPARATORS = ",|;\t"


def recommend(arguments: Sequence[str]) -> None:
    """Recommend items for one history, a file of them or all users."""
    values = _values(arguments)
    path = required_run(recommend, values)
    output = values["output"]
    _check(values)
    session = spark_session(values)
    if session is not None and output is None:
        raise InputError("--engine spark writes lists: it needs --output FOLDER.")
    if session is not None and values["cold_items"] is not None:
        raise InputError("--cold-items needs one process; leave --engine out.")
    load_tensorflow()
    from emkd_tf.retrieval.batch import check_output

    if output is not None:
        check_output(Path(output), is_folder=session is not None)
    with opened(path, values, RUN_KEYS) as run:
        _recommend(run, values, session)


def _recommend(
    run: Opened, values: dict[str, Any], session: AbstractContextManager | None
) -> None:
    from emkd_tf.retrieval import batch
    from emkd_tf.retrieval.recommend import recommender_of

    history, user, output = (values[name] for name in ("history", "user", "output"))
    config, histories, model, cold = run
    recommender = recommender_of(model, histories, config.run.excluding)
    if history is not None:
        # Blanks around an id are ignored, as in logs.
        items = [item.strip() for item in history.split(recommender.separator)]
        _print_list(recommender, items, values["k"], cold=cold)
    elif user is not None:
        items = batch.history_of(histories, user)
        _print_list(recommender, items, values["k"], [user.strip()], cold)
    else:
        columns = values["user_column"], config.data.user_column
        frame = _input(values["input"], recommender.separator, *columns)
        if session is None:
            frame = batch.own_histories(histories) if frame is None else frame
            summary = _write(recommender, frame, Path(output), values["k"], cold)
        else:
            summary = _write_on(session, run, recommender, frame, values)
        say(f"{output}: {summary}")
        if summary.unknown_items and summary.popular == summary.histories:
            _warn_of_no_known(recommender)


def _check(values: dict[str, Any]) -> None:
    """Raises an InputError if it is not clear which lists are asked for."""
    ways, output = ("history", "user", "output"), values["output"]
    chosen = [name for name in ways if values[name] is not None]
    if len(chosen) != 1 or (values["input"] and not output):
        raise InputError(
            "`emkd recommend` takes one of --history ID,ID,..., --user ID and --output "
            "FILE; histories of a file: --input FILE --output FILE."
        )
    if values["input"] and Path(values["input"]).resolve() == Path(output).resolve():
        raise InputError(f"--output {output} is the file of --input; name another.")
    require(values["k"] >= 1, "k", "at least 1", values["k"])


def _values(arguments: Sequence[str]) -> dict[str, Any]:
    own = {
        "history": "item ids, oldest first, joined by commas, or by the separator of "
        "exports if ids contain commas",
        "user": "id of a user in the run's data, whose whole history is used",
        "input": "CSV or Parquet file, one history per row: columns user and history",
        "user_column": "the users' column of --input; by default the log's, or one of "
        "a usual name",
        "output": "CSV or Parquet file to write (a folder of Parquet with --engine "
        "spark); for all users if there is no --input",
    }
    return run_arguments(
        recommend,
        arguments,
        RUN_KEYS,
        **{name: {"type": str, "help": text} for name, text in own.items()},
        k={"type": int, "default": 10, "help": "items to recommend"},
        cold_items=COLD_ITEMS,
        **OPTIONS,
    )


def _input(
    source: str | None,
    separator: str,
    user_column: str | None,
    log_column: str | None,
) -> pl.LazyFrame | None:
    if source is None:
        return None
    from emkd_tf.data.history_files import scan_histories

    return scan_histories(Path(source), separator, user_column, log_column)


def _write(
    recommender: TopKRecommender,
    frame: pl.LazyFrame,
    output: Path,
    k: int,
    cold: frozenset[str],
) -> Summary:
    from emkd_tf.retrieval.batch import write_recommendations

    with progress("histories") as advance:
        return write_recommendations(recommender, frame, output, k, advance, cold=cold)


def _write_on(
    session: AbstractContextManager[SparkSession],
    run: Opened,
    recommender: TopKRecommender,
    frame: pl.LazyFrame | None,
    values: dict[str, Any],
) -> Summary:
    from emkd_tf.spark.recommend import write_lists
    from emkd_tf.training.run_model import require_ensemble

    without = "it has no export, which --engine spark runs; leave --engine out"
    ensemble = require_ensemble(run.model, run.config, without)
    output, k = Path(values["output"]), values["k"]
    with session as spark:
        return write_lists(
            spark, ensemble, run.histories, frame, output, k, recommender.protocol
        )


def _warn_of_no_known(recommender: TopKRecommender) -> None:
    example, separator = recommender.names[0], recommender.separator
    print(
        f"No history has a known item, so every list is of popular ones: ids are such "
        f"as {example!r} here, joined by {separator!r} where a history is one text.",
        file=sys.stderr,
    )


def _warn_of_separator(recommender: TopKRecommender) -> None:
    print(
        f"In a history of this run {recommender.separator!r} separates the ids.",
        file=sys.stderr,
    )


def _print_list(
    recommender: TopKRecommender,
    history: list[str],
    k: int,
    users: list[str] | None = None,
    cold: frozenset[str] = frozenset(),
) -> None:
    answer = recommender.recommend([history], k, users)
    if answer.unknown[0]:
        unknown = answer.unknown[0]
        print(
            f"Not in the training data, dropped: {', '.join(unknown)}", file=sys.stderr
        )
        # Names may contain blanks; if no item is known, blanks may be separators.
        usual = _USUAL_SEPARATORS + (" " if answer.is_popular[0] else "")
        others = set(usual) - {recommender.separator}
        if any(mark in item for item in unknown for mark in others):
            _warn_of_separator(recommender)
    if answer.is_popular[0]:
        print("No known item: these are the most popular.", file=sys.stderr)
    table = Table("", "item", "score", *(["without actions"] if cold else []))
    pairs = zip(answer.item_ids[0], answer.scores[0], strict=True)
    for place, (item, score) in enumerate(pairs, 1):
        if item:
            mark = ["cold" if item in cold else ""] if cold else []
            table.add_row(str(place), item, f"{score:.4f}", *mark)
    show(table)
    if table.row_count < k:
        print(f"The history leaves {table.row_count} items of {k}.", file=sys.stderr)
