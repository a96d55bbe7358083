"""What share of the machine a training gets when several run at a time."""

from __future__ import annotations

import os
import shutil
import subprocess

_ASK_SECONDS = 30


def share(number: int, jobs: int) -> dict[str, str]:
    """Returns environment variables for one of the trainings that run at a time: an
    equal part of the cores, and one of the GPUs that are visible.

    Args:
        number: of the training among those that run, from 0.
        jobs: that run at most; a single one has the whole machine.
    """
    if jobs == 1:
        return {}
    cores = str(max(1, _cores() // jobs))
    found = {"TF_NUM_INTRAOP_THREADS": cores, "OMP_NUM_THREADS": cores}
    if gpus := _gpus():
        found["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
        if len(gpus) < jobs:  # the first one would take the memory of all
            found["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return found


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> list[str]:
    """Returns the GPUs that a training would see, as CUDA_VISIBLE_DEVICES has them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        listed = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=_ASK_SECONDS
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in listed.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))]
