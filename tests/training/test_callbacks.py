"""Choosing the best epoch, stopping and saving; test_trainer.py has them in a fit."""

import types

import pytest
import tensorflow as tf

from emkd_tf.training.callbacks import KeepBest, KeepLast, SaveLast
from emkd_tf.training.checkpoints import TrainingProgress


class Recorded:
    """Stands where the run's checkpoints are, to see what is saved when."""

    def __init__(self, step=0):
        self.best, self.last = [], []
        self.step = step
        self.accumulators = [tf.Variable(3.0), tf.Variable(2.0)]

    def save_best(self, epoch):
        self.best.append(epoch)

    def save_last(self):
        self.last.append(self.step)


def run(values, patience):
    """Feeds validation values (None: not validated) and returns what happened."""
    saved, progress = Recorded(), TrainingProgress()
    callback = KeepBest(saved, progress, patience)
    callback.model = types.SimpleNamespace(stop_training=False)
    for epoch, value in enumerate(values):
        logs = {} if value is None else {"validation/NDCG@10": value}
        callback.on_epoch_end(epoch, logs)
        if callback.model.stop_training:
            break
    best = int(progress.best_epoch.numpy()), float(progress.best.numpy())
    return best, saved, epoch + 1


def test_keeps_the_best_and_ties_keep_the_first():
    best, saved, epochs = run([0.1, None, 0.3, 0.2, 0.3, 0.4, 0.0], patience=0)
    assert saved.best == [1, 3, 6]
    assert (best, epochs) == ((6, 0.4), 7)


def test_patience_counts_validations():
    best, _, epochs = run([0.1, 0.3, None, 0.2, None, 0.3, 0.9], patience=2)
    assert (best[0], epochs) == (2, 6)


def save_last(checkpoints, is_interrupted=lambda: False):
    return SaveLast(
        checkpoints,
        TrainingProgress(),
        every=3,
        epoch_steps=4,
        is_interrupted=is_interrupted,
    )


def test_saves_every_few_steps_and_after_validations():
    saved = Recorded()
    callback = save_last(saved)
    for epoch in range(3):
        for batch in range(4):
            saved.step += 1
            callback.on_train_batch_end(batch, {})
        callback.on_epoch_end(epoch, {"validation/NDCG@10": 1.0} if epoch == 1 else {})
    assert saved.last == [3, 6, 8, 11]


def test_an_epoch_that_is_gone_on_with_keeps_its_means():
    saved = Recorded(step=6)
    callback = save_last(saved)
    for variable in saved.accumulators:
        variable.assign(0.0)  # as Keras does when an epoch begins
    callback.on_epoch_begin(1)
    assert [float(v) for v in saved.accumulators] == [3.0, 2.0]
    for variable in saved.accumulators:
        variable.assign(0.0)
    callback.on_epoch_begin(2)
    assert [float(v) for v in saved.accumulators] == [0.0, 0.0]


def test_an_interrupt_saves_and_stops_also_at_the_end_of_an_epoch():
    for step, in_epoch in ((1, True), (3, False)):
        saved = Recorded(step=step)
        callback = save_last(saved, lambda: True)
        saved.step += 1
        if in_epoch:
            with pytest.raises(KeyboardInterrupt, match="saved at step 2"):
                callback.on_train_batch_end(0, {})
        else:
            callback.on_train_batch_end(0, {})
            assert saved.last == []
            with pytest.raises(KeyboardInterrupt, match="saved at step 4"):
                callback.on_epoch_end(0, {})
        assert saved.last == [step + 1]


def test_whether_to_stop_is_asked_once_after_every_step_and_epoch():
    """Workers answer together: one that asked less often would wait for ever."""
    saved, asked = Recorded(), []
    callback = save_last(saved, lambda: bool(asked.append(saved.step)))
    for epoch in range(2):
        for batch in range(4):
            saved.step += 1
            callback.on_train_batch_end(batch, {})
        callback.on_epoch_end(epoch, {})
    assert asked == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_last_epoch_is_kept_where_nothing_is_validated():
    saved, progress = Recorded(), TrainingProgress()
    callback = KeepLast(saved, progress, epochs=3)
    for epoch in range(3):
        assert saved.best == []
        callback.on_epoch_end(epoch, {})
    assert saved.best == [3]
    assert int(progress.best_epoch.numpy()) == 3
    assert not callback.is_out_of_patience


def test_the_end_of_a_training_is_saved():
    saved = Recorded()
    options = {"every": 100, "epoch_steps": 2, "is_interrupted": lambda: False}
    callback = SaveLast(saved, TrainingProgress(), epochs=2, **options)
    for epoch in range(2):
        for batch in range(2):
            saved.step += 1
            callback.on_train_batch_end(batch, {})
        callback.on_epoch_end(epoch, {})
    assert saved.last == [4]
