"""Losses and gradients stay finite on what real logs bring at their worst."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import make_emkd

from emkd_tf.kernels.compute import Compute
from emkd_tf.models.loss_weights import LossWeights

LENGTH = 5


CORNERS = {
    "histories of length 1": {"length": st.just(1)},
    "padding alone": {"length": st.just(0)},
    "a low temperature": {"temperature": st.just(0.02)},
    "one item": {"num_items": st.just(1)},
    "one attribute": {"num_attributes": st.just(1)},
    "items without attributes": {
        "num_attributes": st.integers(1, 3),
        "attribute_share": st.just(0.0),
    },
    "no attributes": {"num_attributes": st.just(0)},
    "a batch of one": {"users": st.just(1)},
    "bfloat16": {"precision": st.just("bfloat16")},
}
CHOICES = {
    "length": st.integers(0, LENGTH),
    "temperature": st.sampled_from([0.02, 0.3, 5.0]),
    "num_items": st.integers(1, 12),
    "num_attributes": st.integers(0, 3),
    "attribute_share": st.floats(0, 1),
    "users": st.integers(1, 5),
    "precision": st.sampled_from(["float32", "bfloat16"]),
}


@st.composite
def cases(draw, **corner):
    """A model's sizes and a batch: from one item, one row and padding alone on."""
    choices = {**CHOICES, **corner}
    num_items = draw(choices["num_items"])
    num_attributes = draw(choices["num_attributes"])
    users, views = draw(choices["users"]), draw(st.integers(1, 3))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    lengths = [draw(choices["length"]) for _ in range(users)]
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
    has = numbers.random((num_items + 2, num_attributes))
    attributes = has < draw(choices["attribute_share"])
    return {
        "model": {
            "num_items": num_items,
            "max_length": LENGTH,
            "attributes": attributes,
            "num_networks": draw(st.integers(1, 3)),
            "hidden_units": 4,
            "num_blocks": 1,
            "dropout": draw(st.sampled_from([0.0, 0.9])),
            "tie_item_embeddings": draw(st.booleans()),
        },
        "batch": {name: tf.constant(v, tf.int32) for name, v in batch.items()},
        "precision": draw(choices["precision"]),
        "temperature": draw(choices["temperature"]),
        "scale": draw(st.sampled_from([0.0, 0.02, 3.0])),
    }


@pytest.mark.slow
@given(cases())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_losses_and_gradients_stay_finite(case):
    check_finite(case)


@pytest.mark.parametrize("corner", CORNERS)
@given(st.data())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_they_stay_finite_at_every_corner(corner, data):
    check_finite(data.draw(cases(**CORNERS[corner])))


def check_finite(case):
    model = make_emkd(
        **case["model"],
        loss_weights=LossWeights(temperature=case["temperature"], chosen_share=0.9),
        compute=Compute(precision=case["precision"]),
    )
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
