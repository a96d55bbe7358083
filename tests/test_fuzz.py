"""Losses and gradients stay finite on what real logs bring at their worst."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from emkd_tf.models.emkd import EMKD
from emkd_tf.models.losses import EnsembleLosses

LENGTH = 5


@st.composite
def cases(draw):
    """A model's sizes and a batch: from one item, one row and padding alone on."""
    num_items = draw(st.integers(1, 12))
    num_attributes = draw(st.integers(0, 3))
    users, views = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    lengths = [draw(st.integers(0, LENGTH)) for _ in range(users)]
    item_ids = numbers.integers(1, num_items + 1, size=(users, LENGTH))
    is_item = np.arange(LENGTH) >= LENGTH - np.array(lengths)[:, None]
    item_ids = np.where(is_item, item_ids, 0)
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    is_chosen = (numbers.random((users, views, LENGTH)) < share) & is_item[:, None]
    mask = numbers.integers(1, num_items + 2, size=is_chosen.shape)
    batch = {
        "item_ids": item_ids,
        "views": np.where(is_chosen, mask, item_ids[:, None]),
        "labels": np.where(is_chosen, item_ids[:, None], 0),
        "row": np.arange(users),
    }
    # Items without attributes are as likely as items with all of them.
    attributes = numbers.random((num_items + 2, num_attributes)) < numbers.random()
    return {
        "model": {
            "num_items": num_items,
            "max_length": LENGTH,
            "item_attributes": attributes.astype(np.float32),
            "num_networks": draw(st.integers(1, 3)),
            "hidden_units": 4,
            "num_blocks": 1,
            "dropout": draw(st.sampled_from([0.0, 0.9])),
            "tie_item_embeddings": draw(st.booleans()),
            "precision": draw(st.sampled_from(["float32", "bfloat16"])),
        },
        "batch": {name: tf.constant(v, tf.int32) for name, v in batch.items()},
        "temperature": draw(st.sampled_from([0.02, 0.3, 5.0])),
        "scale": draw(st.sampled_from([0.0, 0.02, 3.0])),
    }


@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_losses_and_gradients_stay_finite(case):
    losses = EnsembleLosses(temperature=case["temperature"], chosen_share=0.9)
    model = EMKD(**case["model"], losses=losses)
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * case["scale"])
    with tf.GradientTape() as tape:
        found = model.compute_losses(case["batch"], dropout_seed=tf.constant([1, 2]))
    for name, value in found.items():
        assert np.isfinite(value), name
    for weight, gradient in zip(
        model.trainable_variables,
        tape.gradient(found["total"], model.trainable_variables),
        strict=True,
    ):
        if gradient is not None:
            gradient = tf.convert_to_tensor(gradient)
            assert np.isfinite(gradient).all(), weight.name
    assert np.isfinite(model.score_items(case["batch"]["item_ids"])).all()
