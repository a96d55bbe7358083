"""What a model learns from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from emkd_tf.data.examples.candidates import Candidates
from emkd_tf.data.examples.rows import Rows
from emkd_tf.data.examples.same_target import SameTarget
from emkd_tf.data.examples.teacher_lists import TeacherLists
from emkd_tf.data.examples.transform import Transform


@dataclasses.dataclass(frozen=True)
class Examples:
    """Rows and what batches add to them.

    Attributes:
        rows: parts of histories; each is an example.
        transforms: of the batches, in this order.
        candidates: drawn anew for every batch, the same for all its parts.
        same_target: draws another row for each row; its items are "partner_ids".
        lists: of a teacher, at the places of rows for `NextItem`.
        with_users: add each row's user, as "users" [B] int32.
        training_bounds: starts and ends [users] int64 of the training parts, if a
            transform needs what a row's user chose there, as "training_items" [B, S].
    """

    rows: Rows
    transforms: Sequence[Transform]
    candidates: Candidates | None = None
    same_target: SameTarget | None = None
    lists: TeacherLists | None = None
    with_users: bool = False
    training_bounds: tuple[np.ndarray, np.ndarray] | None = None
