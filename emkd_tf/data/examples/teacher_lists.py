"""A teacher's lists: its best items at every place of the training histories."""

from __future__ import annotations

import dataclasses

import numpy as np

from emkd_tf.data.examples.rows import Rows
from emkd_tf.special_ids import PAD_ID


@dataclasses.dataclass(frozen=True, eq=False)
class TeacherLists:
    """What a teacher recommends before each action of the flat array of items.

    Attributes:
        items: [actions, K] int32; PAD_ID where there is no list.
        scores: [actions, K] float32, the scores of `items`.
        only_last: only the last place of a row has a list, for rows that are prefixes.
    """

    items: np.ndarray
    scores: np.ndarray
    only_last: bool = False

    def of_rows(self, rows: Rows, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the lists at the places of rows, where `NextItem` puts their labels.

        Args:
            rows: of at most L + 1 items.
            numbers: [B], row numbers.

        Returns:
            [B, L, K] int32 and float32; zeros where there is no list.
        """
        starts, ends = rows.bounds(numbers)
        at = ends[:, np.newaxis] + np.arange(1 - rows.length, 0)
        is_place = at > starts[:, np.newaxis]
        if self.only_last:
            is_place[:, :-1] = False
        at = np.where(is_place, at, 0)
        is_place = is_place[:, :, np.newaxis]
        items = np.where(is_place, self.items[at], PAD_ID).astype(np.int32)
        scores = np.where(is_place, self.scores[at], 0.0).astype(np.float32)
        return items, scores
