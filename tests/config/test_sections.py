"""The ranges of every setting."""

import dataclasses

import pytest

from emkd_tf.config import SECTIONS, from_flat
from emkd_tf.config.flat import choices
from emkd_tf.errors import InputError

BAD = {
    "user_core": -1,
    "item_core": -1,
    "max_length": 1,
    "window_step": 0,
    "split": "random",
    "test_share": 0.5,
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
    "crop_share": 0.0,
    "mask_share": 1.5,
    "reorder_share": -0.1,
    "contrast_views": "both",
    "item_loss": "half",
    "num_sampled": 0,
    "num_targets": 0,
    "distill_items": 0,
    "last_item_rows": 1.5,
    "initialization": "zeros",
    "attribute_pooling": "largest",
    "memory_slots": -1,
    "memory_dropout": 1.0,
    "initial_bound": -0.1,
    "prediction_steps": 0,
    "item_encodings": 0,
    "l2": -0.1,
    "epochs": -1,
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
    "profile": "30,20",
    "name": "../elsewhere",
}


def test_every_fixed_choice_is_refused_by_its_section_too():
    found = []
    for kind in SECTIONS.values():
        for field in dataclasses.fields(kind):
            if choices(field.name):
                found.append(field.name)
                rule = f"`{field.name}` must be one of {', '.join(choices(field.name))}"
                with pytest.raises(InputError, match=rule):
                    kind(**{field.name: "nonsense"})
    assert {"split", "protocol", "item_loss", "schedule", "initialization"} < {*found}


@pytest.mark.parametrize("steps", ["20", "0,5", "a,b", "1,2,3", "-1,4", "²,3"])
def test_steps_to_profile_are_two_numbers(steps):
    with pytest.raises(InputError, match="`profile` must be two numbers"):
        from_flat({"profile": steps})
    assert from_flat({"profile": "20, 30"}).training.profiled_steps() == (20, 30)
    assert from_flat({}).training.profiled_steps() is None


@pytest.mark.parametrize("key", BAD)
def test_a_value_out_of_range_is_one_line(key):
    with pytest.raises(InputError) as caught:
        from_flat({key: BAD[key]})
    message = str(caught.value)
    assert f"`{key}` must be" in message
    assert repr(BAD[key]) in message
    assert "\n" not in message
