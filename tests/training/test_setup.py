"""From a config to a model."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.training.setup import build_model


def test_settings_reach_the_model(tiny_settings):
    changes = {"temperature": 0.7, "contrast_weight": 0.5, "intra_contrast": False}
    config = from_flat({**tiny_settings, **changes, "jit_compile": True})
    model = build_model(config, prepare(config.data))
    assert len(model.towers) == 2
    assert model.loss_weights.temperature == 0.7
    assert model.loss_weights.contrast_weight == 0.5
    assert "icl" not in model.loss_names
    assert model.compute.static_shapes is True
    assert model.towers[0].max_length == 6


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
    assert model.loss_weights.chosen_share == pytest.approx(share)
