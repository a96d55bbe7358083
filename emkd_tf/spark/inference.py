"""What executors run: a SavedModel over histories. They need only TensorFlow and what
Spark needs for pandas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

LISTS = "user string, rank int, item string, score float"
_LOADED: dict[str, Any] = {}  # a process keeps its model from task to task


def lists_of_parts(
    parts: Sequence[str],
    export: str,
    rows: int,
    count: dict[str, Callable[[int], None]],
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Returns a function for `mapInPandas` from numbers of parts to their lists.

    Args:
        parts: Parquet files with the columns user and history, a list of texts.
        export: folder of a SavedModel version.
        rows: histories at a time.
        count: counters of all histories ("histories"), histories without a known item
            ("popular"), unknown items ("unknown_items") and lists shorter than the
            model's ("short").

    Returns:
        From pandas frames with a column "id" to frames with LISTS.
    """

    def lists(frames: Iterator[Any]) -> Iterator[Any]:
        import pyarrow.parquet as parquet

        model = _load(export)
        for frame in frames:
            for number in frame["id"]:
                file = parquet.ParquetFile(parts[number])
                for part in file.iter_batches(rows, columns=["user", "history"]):
                    yield _lists(model, part.to_pydict(), count)

    return lists


def _load(export: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    if export not in _LOADED:
        _LOADED.clear()
        _LOADED[export] = tf.saved_model.load(export)
    return _LOADED[export].signatures["serving_default"]


def _lists(
    ask: Any, questions: dict[str, list], count: dict[str, Callable[[int], None]]
) -> Any:
    import numpy as np
    import pandas as pd
    import tensorflow as tf

    users, histories = questions["user"], questions["history"]
    width = max(1, *map(len, histories), 1)
    padded = [[*history, *[""] * (width - len(history))] for history in histories]
    answer = ask(history=tf.constant(padded, tf.string, [len(padded), width]))
    answer = {name: value.numpy() for name, value in answer.items()}
    items, scores = answer["item_ids"], answer["scores"]
    is_item = items != b""
    count["histories"](len(users))
    count["popular"](int(answer["is_popular"].sum()))
    count["unknown_items"](int(answer["unknown_items"].sum()))
    count["short"](int((~is_item.all(axis=1)).sum()))
    rows, places = np.nonzero(is_item)
    return pd.DataFrame(
        {
            "user": np.array(users, object)[rows],
            "rank": (places + 1).astype(np.int32),
            "item": [item.decode() for item in items[rows, places]],
            "score": scores[rows, places],
        }
    )
