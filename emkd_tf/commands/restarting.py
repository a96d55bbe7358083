"""A training in a process of its own, which starts once more where XLA's compiler ends
it.

With `--fuse` XLA compiles while the first steps run, and in rare starts that ends in a
segmentation fault, after which no Python code runs in the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import emkd_tf
from emkd_tf.commands.terminal import say
from emkd_tf.config import Config

_WATCHED = "EMKD_WATCHED"  # in the environment of the process that trains
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1


def is_watched() -> bool:
    """Tells whether another process would start this one again."""
    return _WATCHED in os.environ


def may_restart(config: Config) -> bool:
    """Tells whether this process should train in another one.

    Of several workers none starts alone, so they train where they are.
    """
    return (
        config.training.fuse
        and not is_watched()
        and "TF_CONFIG" not in os.environ
        and sys.platform == "linux"
        and threading.current_thread() is threading.main_thread()
    )


def train_restarting(arguments: Sequence[str]) -> int:
    """Runs `emkd train` and returns its exit code, as a shell would give it.

    A segmentation fault starts it once more: it continues from its last checkpoint, or
    begins again. Ctrl-C and SIGTERM are passed on, and start nothing more.
    """
    code, is_interrupted = _train(arguments)
    if code == -signal.SIGSEGV and not is_interrupted:
        say("XLA ended the training with a segmentation fault; it starts once more.")
        code, _ = _train([*arguments, "--resume=auto"])
    return code if code >= 0 else 128 - code


def _train(arguments: Sequence[str]) -> tuple[int, bool]:
    """Returns the exit code of a training, and whether it was to stop."""
    # `python /elsewhere/train.py` finds the package beside it; so must the new process.
    path = [str(Path(emkd_tf.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, path)), _WATCHED: "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "emkd_tf", "train", *arguments],
        env={**os.environ, **environment},
        start_new_session=True,  # Ctrl-C is for us, who pass it on
        preexec_fn=_end_with_parent,
    )
    with _passing_on(process) as passed_on:
        return process.wait(), bool(passed_on)


def _end_with_parent() -> None:
    """Lets the kernel interrupt this process when its parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def _passing_on(process: subprocess.Popen) -> Iterator[list[int]]:
    """Passes signals on to a process; gives the list of those that came."""
    received: list[int] = []

    def pass_on(number: int, frame: object) -> None:
        received.append(number)
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
