"""The batches of a training: epochs, users and how they split."""

import types

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import Shift
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.training.setup import training_data
from emkd_tf.training.training_data import TrainingData


def test_an_epoch_covers_the_windows(tiny_settings):
    config = from_flat({**tiny_settings, "epochs": 3})
    data = training_data(config, prepare(config.data))
    assert data.epoch_steps >= 60 / 32
    assert len(list(data.batches())) == 3 * data.epoch_steps


def test_the_users_of_a_step_are_those_of_its_batch(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    data = training_data(config, histories)
    of_user = {
        user: histories.items[start:end].tolist()
        for user, start, end in zip(
            histories.user_ids(), *histories.training_bounds(), strict=True
        )
    }
    batch = next(iter(data.batches(first_step=1)))
    users = data.users_of_step(1)
    assert len(users) == 32
    for user, row in zip(users, batch["item_ids"].numpy(), strict=True):
        window = row[row > 0].tolist()
        history = of_user[user]
        places = range(len(history) - len(window) + 1)
        assert window in [history[p : p + len(window)] for p in places]


def test_batches_that_do_not_split_are_refused(tiny_settings):
    config = from_flat({**tiny_settings, "batch_size": 31})
    data = training_data(config, prepare(config.data))
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(InputError, match="multiple of the 2 replicas"):
        data.distributed(two, 0)


def next_items(histories, bounds, epochs=2, steps=1):
    examples = Examples(Shift(*bounds, 6), [NextItem()])
    return TrainingData(
        histories, examples, batch_size=8, epochs=epochs, steps=steps, seed=0
    )


@pytest.mark.parametrize(("steps", "passes"), [(1, 1), (8, 1), (9, 2), (100, 13)])
def test_without_epochs_steps_decide_how_many(tiny_settings, steps, passes):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    bounds = histories.training_bounds()
    data = next_items(histories, bounds, epochs=0, steps=steps)
    assert (data.epoch_steps, data.epochs) == (8, passes)
    assert data.num_steps == 8 * passes >= steps
    assert next_items(histories, bounds, epochs=3, steps=steps).epochs == 3


def test_users_without_a_row_are_left_out_and_the_others_told_apart(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    starts, ends = histories.training_bounds()
    data = next_items(histories, (starts, ends))
    has_row = ends - starts >= 2
    assert data.epoch_steps == -(-has_row.sum() // 8)
    last = dict(
        zip(histories.user_ids(), histories.items[ends - 1].tolist(), strict=True)
    )
    steps = list(data.batches().as_numpy_iterator())
    users = [data.users_of_step(step) for step in range(len(steps))]
    for batch, of_step in zip(steps, users, strict=True):
        assert batch["labels"][:, -1].tolist() == [last[user] for user in of_step]
    ids = np.array(histories.user_ids())
    seen = {user for of_step in users for user in of_step}
    assert seen == set(ids[has_row].tolist())


def test_histories_too_short_for_any_example_are_refused(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    starts, _ = histories.training_bounds()
    with pytest.raises(InputError, match="longer histories"):
        next_items(histories, (starts, starts + 1))
