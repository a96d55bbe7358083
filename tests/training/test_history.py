"""The history of a training that was stopped, damaged or has stages."""

import json
import time

import tensorflow as tf

from emkd_tf.training.checkpoints import TrainingProgress
from emkd_tf.training.history import WriteHistory


def test_history_forgets_what_is_trained_again(tmp_path):
    path = tmp_path / "history.jsonl"
    lines = [json.dumps({"epoch": e, "step": 4 * e}) + "\n" for e in (1, 2, 3)]
    path.write_text("".join(lines) + '{"epoch": 4, "st')  # killed while writing
    WriteHistory(tmp_path, TrainingProgress(), 32, first_step=9)
    assert path.read_text() == "".join(lines[:2])


def test_a_damaged_history_keeps_the_lines_that_can_be_read(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_bytes(
        b'{"step": 5}\n\xff\n[1]\n{"epoch": 1}\n{"step": 6}\n{"step": 9}\n{"st'
    )
    WriteHistory(tmp_path, TrainingProgress(), batch_size=2, first_step=6)
    assert path.read_text() == '{"step": 5}\n{"step": 6}\n'


def test_a_history_of_stages_forgets_lines_of_its_own_stage_alone(tmp_path):
    path = tmp_path / "history.jsonl"
    rows = [("one", 4), ("one", 8), ("two", 5), ("two", 10)]
    lines = [json.dumps({"stage": n, "epoch": 1, "step": s}) + "\n" for n, s in rows]
    path.write_text("".join(lines))
    WriteHistory(tmp_path, TrainingProgress(), 32, first_step=4, stage="one")
    assert path.read_text() == "".join([lines[0], *lines[2:]])
    WriteHistory(tmp_path, TrainingProgress(), 32, first_step=0, stage="two")
    assert path.read_text() == lines[0]


def test_processor_seconds_go_on_from_what_the_training_has_spent(tmp_path):
    progress = TrainingProgress()
    progress.processor_seconds.assign(40.0)  # of an epoch that was interrupted, too
    history = WriteHistory(tmp_path, progress, batch_size=2)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    used = time.process_time()
    progress.start_clock()
    model.fit(tf.ones([4, 1]), tf.ones([4, 1]), callbacks=[history], verbose=0)
    used = time.process_time() - used
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert 40.0 < json.loads(line)["processor_seconds"] <= 40.01 + used
