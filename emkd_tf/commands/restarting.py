"""Trains in a separate process, which is restarted once if XLA's compiler crashes it.

With `--fuse` XLA compiles while the first steps run. On rare occasions that ends in a
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
    """Tells whether another process would restart this one."""
    return _WATCHED in os.environ


def may_restart(config: Config) -> bool:
    """Tells whether this process should train in another process.

    Several workers train in place: one of them cannot restart alone.
    """
    return (
        config.training.fuse
        and not is_watched()
        and "TF_CONFIG" not in os.environ
        and sys.platform == "linux"
        and threading.current_thread() is threading.main_thread()
    )


def train_restarting(arguments: Sequence[str]) -> int:
    """Runs `emkd train` and returns its exit code as a shell would.

    After a segmentation fault it is restarted once, from its last checkpoint if there
    is one. Ctrl-C and SIGTERM are passed on and prevent a restart.
    """
    code, is_interrupted = _train(arguments)
    if code == -signal.SIGSEGV and not is_interrupted:
        say("XLA ended the training with a segmentation fault; it starts once more.")
        code, _ = _train([*arguments, "--resume=auto"])
    return code if code >= 0 else 128 - code


def _train(arguments: Sequence[str]) -> tuple[int, bool]:
    """Returns the exit code of a training, and whether it was asked to stop."""
    # `python /elsewhere/train.py` finds the package beside it, and so must the new
    # process.
    path = [str(Path(emkd_tf.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, path)), _WATCHED: "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "emkd_tf", "train", *arguments],
        env={**os.environ, **environment},
        start_new_session=True,  # this process gets Ctrl-C and passes it on
        preexec_fn=_end_with_parent,
    )
    with _passing_on(process) as passed_on:
        return process.wait(), bool(passed_on)


def _end_with_parent() -> None:
    """Makes the kernel interrupt this process when its parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def _passing_on(process: subprocess.Popen) -> Iterator[list[int]]:
    """Passes signals on to a process; yields the list of those received."""
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
