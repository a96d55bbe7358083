"""A training that is interrupted and killed equals one that is not, bit for bit."""

import io
import signal
import time
from pathlib import Path

import pytest
from rich.console import Console
from trainings import assert_same_outcome, start

from emkd_tf.training.trainer import Trainer

LONGER = {
    "epochs": 12,
    "batch_size": 12,
    "checkpoint_steps": 3,
    "validation_every": 2,
    "deterministic": True,
    "export": False,
}


def wait_for_step(process, run, step):
    """Waits for a checkpoint of the training at or beyond a step."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        found = [
            p.stem.split("-")[1] for p in (run / "checkpoints/last").glob("*.index")
        ]
        if any(int(number) >= step for number in found):
            return
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint of step {step}, exit code {process.poll()}")


@pytest.fixture
def settings(tiny_settings):
    return {**tiny_settings, **LONGER}


@pytest.mark.slow
def test_interrupted_and_killed_equals_undisturbed(settings, tmp_path):
    log = tmp_path / "log"
    runs = Path(settings["runs_dir"])
    undisturbed = start({**settings, "name": "undisturbed"}, log)
    assert undisturbed.wait(timeout=300) == 0, log.read_text()[-2000:]
    run = runs / "disturbed"
    disturbed = {**settings, "name": "disturbed"}

    process = start(disturbed, log)
    wait_for_step(process, run, 6)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    said = log.read_text()
    assert "emkd: interrupted and saved at step" in said
    assert "Traceback" not in said

    process = start(disturbed, log)
    wait_for_step(process, run, 30)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert "Continuing" in log.read_text()

    # The newest checkpoint cut short: the one before it serves.
    newest = max(
        (run / "checkpoints/last").glob("*.index"), key=lambda p: int(p.stem[5:])
    )
    data = newest.with_suffix(".data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:100])
    process = start(disturbed, log)
    assert process.wait(timeout=300) == 0, log.read_text()[-2000:]
    assert "Falling back" in log.read_text()

    assert_same_outcome(run, runs / "undisturbed")
    # A finished run is not trained again, nor written over.
    process = start(disturbed, log)
    assert process.wait(timeout=60) == 2
    assert "holds no unfinished run" in log.read_text()


@pytest.mark.parametrize("folder", ["/data/[v2]/x", "/data/[/b]/x"])
def test_folders_that_look_like_markup_are_told_as_they_are(folder):
    trainer = Trainer.__new__(Trainer)
    trainer._console = Console(file=io.StringIO())
    trainer._say(f"Run directory {folder}")
    assert trainer._console.file.getvalue() == f"Run directory {folder}\n"
