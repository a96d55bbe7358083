"""What the benchmarks share: variants that take turns, each in its own process."""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds_of(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def peak_memory() -> float:
    """Returns the peak memory of this process in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def matrix_rates(size: int = 4096) -> dict[str, float]:
    """Measures multiplications and additions per second of one large product."""
    import tensorflow as tf

    rates = {}
    for dtype in (tf.float32, tf.bfloat16):
        left = tf.cast(tf.random.normal([size, size]), dtype)
        product = tf.function(lambda left=left: tf.matmul(left, left))
        product()
        seconds = statistics.median(seconds_of(product) for _ in range(5))
        rates[dtype.name] = 2 * size**3 / seconds
    return rates


class Variant:
    """A process that builds something to repeat, and repeats it when called.

    Variants do not disturb each other, as only one works at a time; other work on the
    machine disturbs all of them equally when they take turns.

    Args:
        make: module-level function of `arguments` that returns the function to repeat.
        arguments: of `make`.
        core: the only processor core that it may use; None for all.
    """

    def __init__(self, make: Callable, *arguments: Any, core: int | None = None):
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, make, arguments, core), daemon=True
        )
        self._process.start()
        self.ready_seconds = self._connection.recv()

    def __call__(self) -> float:
        """Repeats it once; returns the seconds it took."""
        self._connection.send("run")
        return self._connection.recv()

    def close(self) -> float:
        """Ends the process; returns its peak memory in GiB."""
        self._connection.send("end")
        peak = self._connection.recv()
        self._process.join()
        return peak


def _serve(connection: Any, make: Callable, arguments: tuple, core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})  # before TensorFlow counts the cores
    began = time.perf_counter()
    repeat = make(*arguments)
    connection.send(time.perf_counter() - began)
    while connection.recv() == "run":
        connection.send(seconds_of(repeat))
    connection.send(peak_memory())


def take_turns(
    variants: dict[str, Variant], warm_up: int, rounds: int
) -> dict[str, list[float]]:
    """Repeats every variant `rounds` times, one after the other in each round."""
    for variant in variants.values():
        for _ in range(warm_up):
            variant()
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            times[name].append(variant())
    return times
