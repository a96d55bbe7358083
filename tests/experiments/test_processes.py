"""Trainings as processes: what outlives a killed command is seen."""

import subprocess
import sys
import time

import filelock

from emkd_tf.experiments.processes import is_training

HOLD = """
import sys, time, filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
time.sleep(60)
"""


def test_a_run_that_another_process_trains_is_seen(planned):
    cell = planned[0]
    assert not is_training(cell)
    assert not cell.run_dir.exists()
    cell.run_dir.mkdir(parents=True)
    lock = cell.run_dir / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)])
    try:
        began = time.monotonic()
        while not is_training(cell):
            assert time.monotonic() - began < 30
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert not is_training(cell)
    with filelock.FileLock(lock, blocking=False):
        pass
