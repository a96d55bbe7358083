"""Distilled: its terms against numpy, with static shapes and without lists."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower, terms_of

from emkd_tf.config import from_flat
from emkd_tf.errors import InputError
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.distilled import Distilled
from emkd_tf.models.item_losses import FullSoftmax

V, L, D, K, B = 20, 5, 8, 4, 4
WEIGHT, TEMPERATURE, LABELS = 0.7, 2.0, 10.0


def make(num_networks=1, static_shapes=False, bias=False):
    compute = Compute(static_shapes=static_shapes)
    towers = [
        make_tower(
            num_items=V,
            max_length=L,
            hidden_units=D,
            encoder="causal",
            compute=compute,
            use_item_bias=bias,
            name=f"network_{number}",
        )
        for number in range(num_networks)
    ]
    model = Distilled(
        towers,
        FullSoftmax(compute=compute),
        expected_labels=LABELS,
        teacher_weight=WEIGHT,
        teacher_temperature=TEMPERATURE,
        compute=compute,
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(weight + rng.normal(size=weight.shape) * 0.3)
    return model


def batch_of(only_last=False):
    """Rows of several lengths, the last one of padding alone."""
    rng = np.random.default_rng(0)
    item_ids = rng.integers(1, V + 1, size=(B, L))
    for number in range(B):
        item_ids[number, :number] = 0
    item_ids[-1] = 0
    is_place = item_ids > 0
    if only_last:
        is_place[:, :-1] = False
    labels = np.where(is_place, rng.integers(1, V + 1, size=(B, L)), 0)
    lists = np.argsort(rng.random((B, L, V)), axis=-1)[..., :K] + 1
    scores = rng.normal(size=(B, L, K))
    return {
        "item_ids": tf.constant(item_ids, tf.int32),
        "labels": tf.constant(labels, tf.int32),
        "list_items": tf.constant(lists * is_place[..., np.newaxis], tf.int32),
        "list_scores": tf.constant(scores * is_place[..., np.newaxis], tf.float32),
    }


def softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


@pytest.mark.parametrize("only_last", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("num_networks", [1, 2])
def test_the_losses_equal_numpy(num_networks, bias, only_last):
    model, batch = make(num_networks, bias=bias), batch_of(only_last)
    losses = model.compute_losses(batch)
    assert terms_of(losses) == {"total", "next_item", "teacher"}
    labels, lists = batch["labels"].numpy(), batch["list_items"].numpy()
    items = teacher = 0.0
    for tower in model.towers:
        logits = tower.states(batch["item_ids"]).numpy() @ tower.item_table().numpy().T
        if bias:
            logits += tower.item_bias.numpy()
        for row, place in np.argwhere(labels):
            of_place = logits[row, place]
            items -= np.log(softmax(of_place)[labels[row, place]]) / LABELS
            p = softmax(of_place[lists[row, place]] / TEMPERATURE)
            q = softmax(batch["list_scores"].numpy()[row, place] / TEMPERATURE)
            teacher += (q * (np.log(q) - np.log(p))).sum() / LABELS
    np.testing.assert_allclose(losses["next_item"], items, rtol=1e-4)
    np.testing.assert_allclose(losses["teacher"], teacher, rtol=1e-4)
    np.testing.assert_allclose(losses["total"], items + WEIGHT * teacher, rtol=1e-4)


def test_static_shapes_give_the_same_losses_and_gradients():
    batch, found = batch_of(), []
    for static_shapes in (False, True):
        model = make(static_shapes=static_shapes)

        @tf.function(jit_compile=static_shapes)
        def step(batch, model=model):
            with tf.GradientTape() as tape:
                losses = model.compute_losses(batch)
            gradients = tape.gradient(losses["total"], model.trainable_variables)
            return [*losses.values(), *map(tf.convert_to_tensor, gradients)]

        found.append(step(batch))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)


def test_parts_of_a_batch_add_up():
    model, batch = make(), batch_of()
    whole = model.compute_losses(batch)
    parts = [
        model.compute_losses({name: of[half] for name, of in batch.items()})
        for half in (slice(None, 1), slice(1, None))
    ]
    for name, value in whole.items():
        np.testing.assert_allclose(sum(part[name] for part in parts), value, rtol=1e-4)


def test_without_lists_it_is_a_next_item_model():
    model, batch = make(), batch_of()
    batch = {name: batch[name] for name in ("item_ids", "labels")}
    losses = model.compute_losses(batch)
    assert losses["teacher"] == 0
    assert losses["total"] == losses["next_item"]


def test_a_training_needs_a_teacher():
    with pytest.raises(InputError, match="distilled needs --distill RUN"):
        Distilled.check(from_flat({"model": "distilled"}), None)
