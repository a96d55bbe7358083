"""What a run keeps."""

from __future__ import annotations

import dataclasses
from typing import Literal

from emkd_tf.config.rules import (
    require,
    require_at_least,
    require_choices,
    require_folder_name,
)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a run keeps.

    Attributes:
        name: name of the run directory and of the export; by default dataset, time and
            seed.
        runs_dir: folder of run directories.
        recommend_seen: allow items of the history in lists and metrics, where users
            choose the same item again.
        protocol: what lists and metrics exclude: unseen, all items of the history;
            window, those that the encoders see; all, nothing. By default unseen, or all
            with `recommend_seen`.
        test: evaluate on the test split after training; false leaves it unread, for a
            search that selects by validation.
        export: write a SavedModel after training.
        saved_models_dir: folder of exports.
        k: length of the lists that an exported model returns.
    """

    name: str | None = None
    runs_dir: str = "runs"
    recommend_seen: bool = False
    protocol: Literal["unseen", "window", "all"] | None = None
    test: bool = True
    export: bool = True
    saved_models_dir: str = "saved_models"
    k: int = 100

    def __post_init__(self) -> None:
        require_choices(self)
        require_at_least(self, 1, "k")
        if self.protocol is None:
            chosen = "all" if self.recommend_seen else "unseen"
            object.__setattr__(self, "protocol", chosen)
        rule = "all, or not given, where `recommend_seen` is true"
        fits = self.protocol == "all" or not self.recommend_seen
        require(fits, "protocol", rule, self.protocol)
        if self.name is not None:
            require_folder_name(self, "name")

    @property
    def excluding(self) -> str:
        """The protocol, set by `__post_init__` if not given."""
        assert self.protocol is not None
        return self.protocol
