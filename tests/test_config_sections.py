"""The ranges of every setting."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.errors import InputError

BAD = {
    "min_user_actions": -1,
    "min_item_actions": -1,
    "max_length": 1,
    "window_step": 0,
    "attributes": "items.csv",  # without interactions
    "num_networks": 0,
    "hidden_units": 7,  # not a multiple of the heads
    "num_blocks": 0,
    "num_heads": 0,
    "dropout": 1.0,
    "num_views": 0,
    "mask_probability": 0.0,
    "temperature": -0.3,
    "contrast_weight": -1.0,
    "distillation_weight": -1.0,
    "item_loss": "half",
    "num_sampled": 0,
    "epochs": 0,
    "batch_size": 0,
    "learning_rate": 0.0,
    "weight_decay": -0.1,
    "seed": -1,
    "validation_every": 0,
    "patience": -1,
    "worker_timeout": 0,
    "strategy": "magic",
    "protocol": "sampled",
    "k": 0,
    "name": "../elsewhere",
}


@pytest.mark.parametrize("key", BAD)
def test_a_value_out_of_range_is_one_line(key):
    with pytest.raises(InputError) as caught:
        from_flat({key: BAD[key]})
    message = str(caught.value)
    assert f"`{key}` must be" in message
    assert repr(BAD[key]) in message
    assert "\n" not in message
