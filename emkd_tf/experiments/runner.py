"""Runs the trainings of an experiment, one after the other or several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from emkd_tf.atomic_files import read_json
from emkd_tf.experiments.cells import Cell
from emkd_tf.experiments.processes import (
    POLL_SECONDS,
    Ended,
    Trainings,
    is_training,
    title,
)


def estimate(cells: Sequence[Cell]) -> dict[str, float]:
    """Returns how many seconds unfinished trainings will take, by the name of their
    run, if other seeds of the same settings are finished."""
    seconds: dict[str, list[float]] = {}
    for cell in cells:
        if cell.is_finished:
            metrics = read_json(cell.run_dir / "metrics.json")
            seconds.setdefault(_settings_of(cell), []).append(metrics["seconds"])
    return {
        cell.run_dir.name: sum(known) / len(known)
        for cell in cells
        if not cell.is_finished and (known := seconds.get(_settings_of(cell)))
    }


def _settings_of(cell: Cell) -> str:
    return cell.run_dir.name.rpartition("-seed")[0]


def run(
    cells: Sequence[Cell],
    *,
    jobs: int = 1,
    budget: float | None = None,
    say: Callable[[str], None] = print,
) -> list[str]:
    """Trains what is not finished: continues what was begun, and waits for what a
    process that outlived a killed command still trains.

    A failed training does not stop the others. When the budget is spent, or at Ctrl-C,
    running trainings save and end; the same call continues them.

    Args:
        cells: of one experiment or several; equal ones are trained once.
        jobs: trainings at a time, which share the processor's cores.
        budget: seconds, None for no limit.
        say: gets a line for each training that begins or ends.

    Returns:
        A line for each training that failed.

    Raises:
        KeyboardInterrupt: on Ctrl-C, after all have saved.
    """
    waiting = list({c.run_dir: c for c in cells if not c.is_finished}.values())
    failed: list[str] = []
    began = time.monotonic()
    with Trainings(jobs, say) as trainings:
        while waiting or trainings.running:
            if budget is not None and time.monotonic() - began > budget:
                left = len(waiting) + len(trainings.running)
                say(f"The budget is spent; {left} trainings are left.")
                break
            while trainings.has_room and (cell := _next(waiting)) is not None:
                waiting.remove(cell)
                trainings.start(cell)
            time.sleep(POLL_SECONDS)
            for ended in [*trainings.ended(), *_finished_by_others(waiting)]:
                failed += _told(ended, say)
    return failed


def _next(waiting: Sequence[Cell]) -> Cell | None:
    """Returns the first cell that no process trains or has finished."""
    free = (cell for cell in waiting if not is_training(cell))
    return next((cell for cell in free if not cell.is_finished), None)


def _finished_by_others(waiting: list[Cell]) -> list[Ended]:
    """Removes from the waiting cells those finished in the meantime."""
    finished = [cell for cell in waiting if cell.is_finished]
    for cell in finished:
        waiting.remove(cell)
    return [Ended(cell, None) for cell in finished]


def _told(ended: Ended, say: Callable[[str], None]) -> list[str]:
    """Says how a training ended; returns a line if it failed."""
    name = title(ended.cell)
    if ended.failure is not None:
        say(f"failed {name} ({ended.failure})")
        return [f"{name} ({ended.failure})"]
    metrics = read_json(ended.cell.run_dir / "metrics.json")
    ndcg = metrics["test"]["NDCG@10"]
    say(f"done {name}, test NDCG@10 {ndcg:.4f}, {metrics['seconds']:.0f} s")
    return []
