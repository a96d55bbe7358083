"""What a person is told during a run."""

import doctest
import io

from rich.console import Console

from emkd_tf.training import progress
from emkd_tf.training.progress import ShowProgress


def test_durations_in_words():
    result = doctest.testmod(progress)
    assert result.attempted == 1
    assert result.failed == 0


def told(seconds):
    out = io.StringIO()
    console = Console(file=out, width=200)
    shown = ShowProgress(console, "Do less.", epochs=10, epoch_steps=5)
    shown.on_train_begin()
    shown._announce(seconds)
    for epoch, logs in enumerate(
        [{"loss/total": 1.5, "validation/NDCG@10": 0.25}, {"loss/total": 1.25}]
    ):
        for batch in range(5):
            shown.on_train_batch_end(batch, logs)
        shown.on_epoch_end(epoch, logs)
    shown.stop()
    return out.getvalue()


def test_a_run_of_days_says_so_at_once():
    text = told(7 * 3600)
    assert "50 steps to go, about 7.0 h" in text
    assert "That is long for this machine. Do less." in text
    assert "long" not in told(5 * 3600)


def test_one_line_an_epoch_without_a_terminal():
    lines = told(60).splitlines()
    assert "epoch 1/10  loss 1.500  NDCG@10 0.2500 (best 0.2500)" in lines[1]
    assert "left" in lines[1]
    assert lines[2].startswith("epoch 2/10  loss 1.250  ")
