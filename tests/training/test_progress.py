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
        shown.on_epoch_begin(epoch)
        for batch in range(5):
            shown.on_train_batch_end(batch, logs)
        shown.on_epoch_end(epoch, logs)
    shown.stop()
    return out.getvalue()


def test_a_run_of_days_says_so_at_once():
    text = told(7 * 3600)
    assert "50 steps to go, about 7.0 h" in text
    assert "That will take long on this machine. Do less." in text
    assert "long" not in told(5 * 3600)


def test_the_best_validation_before_an_interruption_stays_the_best():
    out = io.StringIO()
    console = Console(file=out, width=200)
    shown = ShowProgress(console, "", epochs=3, epoch_steps=1, first_step=1, best=0.25)
    shown.on_train_begin()
    for epoch, value in ((1, 0.125), (2, 0.5)):
        logs = {"loss/total": 1.0, "validation/NDCG@10": value}
        shown.on_epoch_begin(epoch)
        shown.on_train_batch_end(0, logs)
        shown.on_epoch_end(epoch, logs)
    shown.stop()
    assert "0.1250 (best 0.2500)" in out.getvalue()
    assert "0.5000 (best 0.5000)" in out.getvalue()


class Clock:
    """Seconds that pass when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def lines_of(
    step_seconds, validation_seconds, epoch_steps, first_step=0, validation_every=1
):
    """Trains with steps and validations of known lengths."""
    out, clock = io.StringIO(), Clock()
    shown = ShowProgress(
        Console(file=out, width=200),
        "",
        epochs=len(validation_seconds),
        epoch_steps=epoch_steps,
        first_step=first_step,
        validation_every=validation_every,
        clock=clock,
    )
    shown.on_train_begin()
    steps = iter(step_seconds)
    first, epochs = first_step // epoch_steps, len(validation_seconds)
    for epoch in range(first, epochs):
        logs = {"loss/total": 1.0}
        if validation_every and (
            not (epoch + 1) % validation_every or epoch + 1 == epochs
        ):
            logs["validation/NDCG@10"] = 0.1
        shown.on_epoch_begin(epoch)
        for batch in range(epoch_steps):
            clock.now += next(steps)
            shown.on_train_batch_end(batch, logs)
        clock.now += validation_seconds[epoch]
        shown.on_epoch_end(epoch, logs)
        clock.now += 7  # a checkpoint, which the next epoch is not charged for
    shown.stop()
    return [line for line in out.getvalue().splitlines() if "left" in line]


def test_the_estimate_leaves_out_what_is_compiled_once():
    # 2 epochs of 10 steps: 60 s of compiling, then a second a step.
    lines = lines_of([40, 10, 10, *[1] * 17], [5, 5], epoch_steps=10)
    assert lines[0].endswith("72 s, 15 s left")
    assert lines[1].endswith(", 0 s left")
    # So few steps that there is little to go by.
    (first, _) = lines_of([40, 2, 2, 2], [4, 4], epoch_steps=2)
    assert first.endswith("46 s, at most 8 s left")
    (first, _) = lines_of([40, 2], [4, 4], epoch_steps=1)
    assert first.endswith("44 s, at most 44 s left")


def test_the_estimate_has_validations_that_are_not_of_every_epoch():
    # Three epochs of 10 s, validated after the second and the last one, 20 s each; 7 s
    # between epochs are known once they have passed.
    lines = lines_of([1] * 30, [0, 20, 20], epoch_steps=10, validation_every=2)
    assert lines[0].endswith("10 s, 20 s and the validations left")
    assert lines[1].endswith("47 s, 37 s left")
    assert lines[2].endswith("84 s, 0 s left")
    lines = lines_of([1] * 30, [0, 0, 0], epoch_steps=10, validation_every=0)
    assert lines[0].endswith("10 s, 20 s left")


def test_a_continued_run_estimates_from_its_own_steps():
    lines = lines_of([30, 1, 1, *[2] * 17], [0] * 4, epoch_steps=10, first_step=20)
    assert lines[0].endswith("46 s, 20 s left")


def test_one_line_an_epoch_without_a_terminal():
    lines = told(60).splitlines()
    assert "epoch 1/10  loss 1.500  NDCG@10 0.2500 (best 0.2500)" in lines[1]
    assert "left" in lines[1]
    assert lines[2].startswith("epoch 2/10  loss 1.250  ")
