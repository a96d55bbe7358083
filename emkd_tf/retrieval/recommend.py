"""Top-k items for histories of raw ids, from the live model."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.models.emkd import EMKD
from emkd_tf.special_ids import PAD_ID


def recommend(
    model: EMKD, histories: Histories, questions: list[list[str]], k: int
) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
    """Recommends items that are not in the history.

    Args:
        model: to recommend with.
        histories: with the raw ids.
        questions: histories of raw ids, oldest first; unknown ids are dropped.
        k: items wanted, cut to the catalogue.

    Returns:
        Raw ids [B, k] and scores [B, k] float32, best first ("" and the lowest float
        where the history leaves no item), and the ids dropped from each history.
    """
    names = np.array(histories.item_ids())
    number = {name: index for index, name in enumerate(names.tolist(), 1)}
    known = [[number[i] for i in question if i in number] for question in questions]
    unknown = [[i for i in question if i and i not in number] for question in questions]
    width = max(map(len, known)) or 1
    item_ids = np.full((len(known), width), PAD_ID, np.int32)
    for row, items in zip(item_ids, known, strict=True):
        row[width - len(items) :] = items
    scores = model.score_items(tf.constant(item_ids)).numpy()  # [B, V]
    low = np.finfo(scores.dtype).min
    rows, columns = np.nonzero(item_ids)
    scores[rows, item_ids[rows, columns] - 1] = low
    top, places = (t.numpy() for t in tf.math.top_k(scores, min(k, model.num_items)))
    return np.where(top > low, names[places], ""), top, unknown
