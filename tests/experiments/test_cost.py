"""What trainings took, from what they left."""

import json

import pytest

from emkd_tf.evaluation.run_ranks import read_run
from emkd_tf.experiments.cost import machine, processor_seconds


@pytest.fixture
def runs(planned, finished):
    """Two seeds, whose last epochs came after 20 and after 22 processor seconds."""
    return [read_run(cell.run_dir, "test") for cell in planned[:2]]


def test_the_last_epoch_has_what_a_training_took(runs):
    assert processor_seconds(runs) == 21.0
    assert processor_seconds(runs[:1]) == 20.0


def test_a_counted_model_took_nothing_that_is_known(runs):
    for run in runs:
        (run.path / "history.jsonl").unlink()
    assert processor_seconds(runs) is None
    assert processor_seconds([]) is None


def test_a_history_without_processor_seconds_is_not_half_counted(runs):
    (runs[0].path / "history.jsonl").write_text(json.dumps({"epoch": 1}) + "\n")
    assert processor_seconds(runs) is None


def test_the_machine_is_said_in_words(runs):
    assert machine(runs[0]).startswith("Linux, 2 cores, /device:CPU:0, TensorFlow ")
