"""The other workers of a training: waited for at its start, reported when lost."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config, to_flat
from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError, WorkerLostError

# What the runtime raises when another worker no longer answers.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
# Where things are may differ between machines, what is in them may not.
_OWN_SETTINGS = {
    *("data_dir", "cache_dir", "runs_dir", "saved_models_dir"),
    *("interactions", "attributes", "worker_timeout"),
}
# Sleeps until its standard input closes; if that takes too long it says so and signals.
_WATCHDOG = """
import os, select, sys
seconds, process, number, line = sys.argv[1:]
if not select.select([sys.stdin], [], [], float(seconds))[0]:
    print(line, file=sys.stderr, flush=True)
    os.kill(int(process), int(number))
"""


@contextlib.contextmanager
def waiting_for_workers(seconds: float) -> Iterator[None]:
    """Ends the process if the block, in which workers meet, takes longer.

    TensorFlow waits for an hour inside a call during which no other Python code runs,
    neither threads nor signal handlers. So another process watches the time, and the
    signal that it sends has a C handler.
    """
    number = WorkerLostError.exit_code
    line = (
        f"emkd: Not all workers of TF_CONFIG connected within {seconds:.0f} s; start "
        "the same command on all of them."
    )
    words = [str(seconds), str(os.getpid()), str(number), line]
    with _ending_at(number), _keeping_signals():
        watchdog = subprocess.Popen(
            [sys.executable, "-c", _WATCHDOG, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # out of reach of the terminal's Ctrl-C
        )
        try:
            yield
        finally:
            watchdog.communicate()


@contextlib.contextmanager
def _ending_at(number: int) -> Iterator[None]:
    """Makes a signal end the process with its own number as the exit code."""
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    # A C handler is called with the signal's number, so `_exit` can be one.
    before = libc.signal(number, ctypes.cast(libc._exit, ctypes.c_void_p))
    try:
        yield
    finally:
        libc.signal(number, before)


@contextlib.contextmanager
def _keeping_signals() -> Iterator[None]:
    """Lets Ctrl-C end the process at once, and takes SIGTERM back from TensorFlow."""
    if threading.current_thread() is not threading.main_thread():
        yield  # other threads have no signals
        return
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


@contextlib.contextmanager
def reporting_lost_workers(is_alone: bool) -> Iterator[None]:
    """Turns what TensorFlow raises when another worker is gone into one line.

    Args:
        is_alone: there is no other worker; errors pass unchanged.

    Raises:
        WorkerLostError: another worker is gone.
    """
    try:
        yield
    except _LOST as error:
        if is_alone:
            raise
        raise WorkerLostError(
            f"Another worker is gone or does not answer ({type(error).__name__}); "
            "start the same command on all workers again to continue from the last "
            "checkpoint."
        ) from None


def require_equal_settings(
    strategy: tf.distribute.Strategy, config: Config, histories: Histories
) -> None:
    """Compares the workers' settings and data, before they build and write anything.

    Raises:
        InputError: they differ; the gradients of two trainings would be mixed.
    """
    settings = {k: v for k, v in to_flat(config).items() if k not in _OWN_SETTINGS}
    digests = [_digest(value) for value in (*settings.values(), histories.fingerprint)]
    is_same = np.ptp(_of_all(strategy, digests), axis=0) == 0
    different = [
        f"`{name}`" for name, same in zip(settings, is_same, strict=False) if not same
    ]
    if different:
        raise InputError(
            f"The workers have different settings: {', '.join(different)}; start the "
            "same command on all of them."
        )
    if not is_same[-1]:
        raise InputError(
            "The workers have different data (fingerprint here: "
            f"{histories.fingerprint[:12]}); give all of them the same files."
        )


def _digest(value: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(value).encode()).digest()[:7], "big")


def require_equal_steps(strategy: tf.distribute.Strategy, step: int) -> None:
    """Compares the step from which each worker continues.

    Raises:
        InputError: they differ; the workers do not see the same checkpoints.
    """
    steps = sorted(set(_of_all(strategy, [step])[:, 0].tolist()))
    if len(steps) > 1:
        raise InputError(
            f"The workers would continue from steps {', '.join(map(str, steps))}; "
            "--runs-dir must be one folder that all of them see."
        )


def asking_all(strategy: tf.distribute.Strategy) -> Callable[[bool], bool]:
    """Returns a function of a worker's own answer that tells whether any worker's is
    true. All have to call it the same number of times; it waits for the others."""

    @tf.function(autograph=False)
    def total(own: tf.Tensor) -> tf.Tensor:
        return strategy.reduce("SUM", strategy.run(lambda: own), axis=None)

    return lambda own: bool(total(tf.constant(float(own))) > 0.0)


def _of_all(strategy: tf.distribute.Strategy, values: list[int]) -> np.ndarray:
    """Gathers n values from every worker: [workers, n] int64, or more rows,
    repeated."""
    own = strategy.run(lambda: tf.constant([values], tf.int64))
    return strategy.gather(own, axis=0).numpy()
