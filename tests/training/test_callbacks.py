"""Choosing the best epoch and stopping; test_run.py has the callbacks in a real fit."""

import types

from emkd_tf.training.callbacks import KeepBest


class Recorded:
    """Stands where the run's checkpoints are, to see what is saved when."""

    def __init__(self):
        self.best, self.last = [], []

    def save_best(self, epoch):
        self.best.append(epoch)

    def save_last(self, epoch):
        self.last.append(epoch)


def run(values, patience):
    """Feeds validation values (None: not validated) and returns what happened."""
    saved = Recorded()
    callback = KeepBest(saved, patience)
    callback.model = types.SimpleNamespace(stop_training=False)
    for epoch, value in enumerate(values):
        logs = {} if value is None else {"validation/NDCG@10": value}
        callback.on_epoch_end(epoch, logs)
        if callback.model.stop_training:
            break
    return callback, saved, epoch + 1


def test_keeps_the_best_and_ties_keep_the_first():
    callback, saved, epochs = run([0.1, None, 0.3, 0.2, 0.3, 0.4, 0.0], patience=0)
    assert saved.best == [1, 3, 6]
    assert saved.last == [1, 3, 4, 5, 6, 7]
    assert (callback.best_epoch, callback.best, epochs) == (6, 0.4, 7)


def test_patience_counts_validations():
    callback, _, epochs = run([0.1, 0.3, None, 0.2, None, 0.3, 0.9], patience=2)
    assert (callback.best_epoch, epochs) == (2, 6)
