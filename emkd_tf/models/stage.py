"""Stages: the successive training runs that make a model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from emkd_tf.config import Config

if TYPE_CHECKING:
    from emkd_tf.models.recommender import Recommender


@dataclasses.dataclass(frozen=True)
class Stage:
    """One training run, from the best weights of the previous stage to its own.

    Attributes:
        model: provides the examples and losses. All stages of a model have the same
            towers; whatever else a stage trains (heads, optimizer) ends with it.
        config: of the run, with the stage's own values, such as epochs and batch size.
        name: in the history and in folder names; None for a model's only stage.
        is_validated: its best state is that of the best validation, else the last one.
        is_last: its best state is the result of the run.
    """

    model: type[Recommender]
    config: Config
    name: str | None = None
    is_validated: bool = True
    is_last: bool = True

    @property
    def folder(self) -> str:
        """Where in the run directory its checkpoints are; the last stage's are the
        run's."""
        return "checkpoints" if self.is_last else f"checkpoints/{self.name}"
