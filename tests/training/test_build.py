"""From a config to a model and its batches."""

import types

import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.training.build import TrainingData, build_model


def test_settings_reach_the_model(tiny_settings):
    changes = {"temperature": 0.7, "contrast_weight": 0.5, "intra_contrast": False}
    config = from_flat({**tiny_settings, **changes, "jit_compile": True})
    model = build_model(config, prepare(config.data))
    assert len(model.networks) == 2
    assert model.objective.temperature == 0.7
    assert model.objective.contrast_weight == 0.5
    assert "icl" not in model.loss_names
    assert model.static_shapes is True
    assert model.networks[0].encoder.max_length == 6


@pytest.mark.parametrize(("at_least_one", "share"), [(False, 0.1), (True, 0.1 + 1 / 6)])
def test_static_shapes_leave_room_for_every_chosen_position(
    tiny_settings, at_least_one, share
):
    config = from_flat(
        {
            **tiny_settings,
            "mask_probability": 0.1,
            "mask_at_least_one": at_least_one,
        }
    )
    model = build_model(config, prepare(config.data))
    assert model.objective.chosen_share == pytest.approx(share)


def test_an_epoch_covers_the_windows(tiny_settings):
    config = from_flat({**tiny_settings, "epochs": 3})
    data = TrainingData(config, prepare(config.data))
    assert data.epoch_steps >= 60 / 32
    assert len(list(data.batches())) == 3 * data.epoch_steps


def test_the_users_of_a_step_are_those_of_its_batch(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    data = TrainingData(config, histories)
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
    data = TrainingData(config, prepare(config.data))
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(InputError, match="multiple of the 2 replicas"):
        data.distributed(two, 0)
