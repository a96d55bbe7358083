"""What happens when a loss is not finite: stop with everything that explains it, or
skip."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.atomic_files import write_json
from emkd_tf.errors import NonFiniteLossError
from emkd_tf.training.checkpoints import newest_first

_SHOWN_USERS = 5


class WatchLoss(tf.keras.callbacks.Callback):
    """Stops the training at a loss that is not finite, or counts what was skipped.

    Args:
        run_dir: where `nonfinite.json` goes: the step, its terms and its users.
        users_of_step: the users' ids of a step's batch, by the step's number from 0.
        max_skipped: batches that a model with `skip_nonfinite` may skip.
        say: tells the user of a skipped batch.
        checkpoints: folder of the training's checkpoints in `run_dir`.
    """

    _supports_tf_logs = True  # avoids converting all logs at every step

    def __init__(
        self,
        run_dir: Path,
        users_of_step: Callable[[int], list[str]],
        max_skipped: int,
        say: Callable[[str], None],
        checkpoints: str = "checkpoints",
    ):
        super().__init__()
        self._run_dir, self._users_of_step = run_dir, users_of_step
        self._checkpoints = run_dir / checkpoints
        self._max_skipped, self._say = max_skipped, say
        self._skipped = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._skipped = int(self.model.skipped.numpy())

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        if not self.model.skip_nonfinite:
            if not math.isfinite(float(logs["loss/total"])):
                raise NonFiniteLossError(self._describe())
            return
        skipped = int(self.model.skipped.numpy())
        if skipped == self._skipped:
            return
        self._skipped = skipped
        if skipped > self._max_skipped:
            raise NonFiniteLossError(
                f"{self._describe()} {skipped} batches were skipped, --max-skipped "
                f"allows {self._max_skipped}."
            )
        self._say(f"Skipped a batch ({skipped} of {self._max_skipped} that may be).")

    def _describe(self) -> str:
        values = np.array(self.model.last_losses.numpy(), float)
        terms = dict(zip(self.model.loss_names, values.tolist(), strict=True))
        step = int(self.model.optimizer.iterations.numpy())
        users = self._users_of_step(step - 1)
        path = self._run_dir / "nonfinite.json"
        texts = {name: f"{value:.6g}" for name, value in terms.items()}
        write_json(path, {"step": step, "losses": texts, "users": users})
        shown = ", ".join(map(repr, users[:_SHOWN_USERS]))
        listed = ", ".join(f"{name} {text}" for name, text in texts.items())
        return (
            f"The loss is not finite at step {step}: {listed}. Its batch holds users "
            f"{shown} and others, all in {path}. Lower --learning-rate or raise "
            f"--temperature; {self._good_state()}."
        )

    def _good_state(self) -> str:
        found = newest_first(self._checkpoints / "last")
        if not found:
            return "no checkpoint was written before"
        return f"the last good checkpoint is {found[0]}"
