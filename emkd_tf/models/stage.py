"""Stages: the trainings that a model goes through, one after the other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from emkd_tf.config import Config

if TYPE_CHECKING:
    from emkd_tf.models.recommender import Recommender


@dataclasses.dataclass(frozen=True)
class Stage:
    """One training, from the best weights of the stage before to its own.

    Attributes:
        model: whose examples and losses it has. All stages of a model have the same
            towers; what else one trains (heads, optimizer) ends with it.
        config: of the run, with what is the stage's own, such as epochs and batch size.
        name: in the history and of folders; None for a model's only stage.
        is_validated: its best state is that of the best validation, else its last one.
        is_last: its best state is what the run has trained.
    """

    model: type[Recommender]
    config: Config
    name: str | None = None
    is_validated: bool = True
    is_last: bool = True

    @property
    def folder(self) -> str:
        """Where in the run directory its checkpoints are: the last stage's are the
        run's own."""
        return "checkpoints" if self.is_last else f"checkpoints/{self.name}"
