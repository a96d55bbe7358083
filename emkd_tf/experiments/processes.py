"""Trainings as separate processes, a number of them at a time."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import filelock

from emkd_tf.experiments.cells import Cell
from emkd_tf.experiments.folders import tried_folder
from emkd_tf.experiments.shares import share

POLL_SECONDS = 0.2
_TO_SAVE_SECONDS = 120  # an interrupted training saves before it ends


class Ended(NamedTuple):
    """A training whose process has ended; `failure` is None, or the last line of its
    log."""

    cell: Cell
    failure: str | None


class Trainings:
    """Processes of `emkd train`; leaving the context interrupts those that run, which
    then save. Inside, SIGTERM does what Ctrl-C does: the trainings have sessions of
    their own, and would outlive this process.

    Args:
        jobs: trainings at a time, which share the machine.
        say: gets a line for each training that begins.

    Attributes:
        running: cells of the processes that run.
    """

    def __init__(self, jobs: int, say: Callable[[str], None]):
        self._jobs, self._say = jobs, say
        # Each with its number among those that run.
        self._processes: dict[Path, tuple[Cell, subprocess.Popen, int]] = {}
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Trainings:
        if self._is_main:
            self._handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop(self.running)
        if self._is_main:
            signal.signal(signal.SIGTERM, self._handler)

    @property
    def running(self) -> list[Cell]:
        return [cell for cell, *_ in self._processes.values()]

    @property
    def has_room(self) -> bool:
        return len(self._processes) < self._jobs

    def start(self, cell: Cell) -> None:
        """Trains a cell, from where its run was left."""
        self._say(f"{'continue' if cell.is_begun else 'begin'} {title(cell)}")
        taken = {number for *_, number in self._processes.values()}
        number = next(n for n in itertools.count() if n not in taken)
        process = _start(cell, share(number, self._jobs))
        self._processes[cell.run_dir] = cell, process, number

    def ended(self) -> list[Ended]:
        """Returns the trainings that have ended since the last call."""
        found = []
        for path, (cell, process, _) in list(self._processes.items()):
            if process.poll() is None:
                continue
            if process.returncode and is_training(cell):
                continue  # another command's training came first
            del self._processes[path]
            failure = None if cell.is_finished else _last_line(cell)
            found.append(Ended(cell, failure))
        return found

    def stop(self, cells: Sequence[Cell]) -> None:
        """Interrupts trainings and waits until they have saved."""
        processes = [self._processes.pop(cell.run_dir)[1] for cell in cells]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(_TO_SAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def title(cell: Cell) -> str:
    """Returns what a training is called in lines about it."""
    return f"{cell.label}, seed {cell.seed}: {cell.run_dir}"


def is_training(cell: Cell) -> bool:
    """Tells whether some process trains a cell, such as one that outlived a killed
    command."""
    lock = filelock.FileLock(cell.run_dir / ".lock")
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def log_of(cell: Cell) -> Path:
    """Returns the file that a training's output goes to."""
    return cell.run_dir.with_name(f"{cell.run_dir.name}.log")


def _start(cell: Cell, own: Mapping[str, str]) -> subprocess.Popen:
    """Starts a process with its own environment variables."""
    with (
        tried_folder(cell.run_dir.parent, "--runs-dir"),
        log_of(cell).open("a", encoding="utf-8") as log,
    ):
        return subprocess.Popen(
            [sys.executable, "-m", "emkd_tf", "train", *cell.arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own},
            start_new_session=True,  # this process gets Ctrl-C and passes it on
        )


def _last_line(cell: Cell) -> str:
    lines = log_of(cell).read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "no output")
