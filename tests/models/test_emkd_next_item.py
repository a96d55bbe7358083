"""EMKD with the next item as its task: each term against numpy."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import attribute_lists, make_towers
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.emkd_next_item import EMKDNextItem
from emkd_tf.models.item_losses import FullSoftmax
from emkd_tf.training.setup import build_model

V, L, D, A = 20, 5, 8, 7
LABELS, TAU = 6.0, 0.5
ATTRIBUTES = np.random.default_rng(3).random([V + 2, A]) < 0.4
ATTRIBUTES[[0, -1]] = False


def make(num_networks=2, static_shapes=False, dropout=0.0, contrasts=("icl", "ccl")):
    compute = Compute(static_shapes=static_shapes)
    sizes = {"num_items": V, "max_length": L, "hidden_units": D}
    options = {"compute": compute, "dropout": dropout}
    towers = make_towers(num_networks, "causal", **sizes, **options)
    model = EMKDNextItem(
        towers,
        FullSoftmax(1.0, 0.7, compute),
        expected_labels=LABELS,
        attribute_ids=attribute_lists(ATTRIBUTES),
        num_attributes=A,
        attribute_weight=3.0,
        contrasts=contrasts,
        contrast_weight=0.2,
        temperature=TAU,
        compute=compute,
    )
    return varied(model)


def batch_of(users=4):
    rows = np.random.default_rng(1).integers(1, V + 1, size=(users, L + 1))
    for number in range(users):
        rows[number, :number] = 0
    item_ids = rows[:, :-1]
    labels = np.where(item_ids > 0, rows[:, 1:], 0)
    values = {"item_ids": item_ids, "labels": labels, "row": np.arange(users)}
    return {name: tf.constant(value, tf.int32) for name, value in values.items()}


@pytest.mark.parametrize("static_shapes", [False, True])
def test_attributes_are_those_of_the_next_item(static_shapes):
    model, batch = make(static_shapes=static_shapes), batch_of()
    expected = 0.0
    for tower, head in zip(model.towers, model.heads, strict=True):
        states = tower.states(batch["item_ids"]).numpy()
        labels = batch["labels"].numpy()
        for user, place in np.argwhere(labels):
            logits = states[user, place] @ head.weight.numpy() + head.bias.numpy()
            signs = np.where(ATTRIBUTES[labels[user, place]], 1, -1)
            expected += np.log1p(np.exp(-signs * logits)).mean()
    found = model.compute_losses(batch)["attribute"]
    np.testing.assert_allclose(found, expected / LABELS, rtol=1e-4)


@pytest.mark.parametrize("static_shapes", [False, True])
def test_newest_states_are_held_against_those_of_other_sequences(static_shapes):
    model, batch = make(static_shapes=static_shapes), batch_of()
    newest = [t.states(batch["item_ids"])[:, -1].numpy() for t in model.towers]
    newest = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in newest]
    expected = np.zeros([2, 2])
    for x, anchors in enumerate(newest):
        for y, others in enumerate(newest):
            cosines = anchors @ others.T / TAU
            for user in range(len(cosines)):
                wrong = np.delete(cosines[user], user)
                loss = np.log(np.exp(wrong).sum()) - cosines[user, user]
                expected[x, y] += loss / len(cosines)
    losses = model.compute_losses(batch)
    intra = np.trace(expected)
    np.testing.assert_allclose(losses["icl"], intra, rtol=1e-4)
    np.testing.assert_allclose(losses["ccl"], expected.sum() - intra, rtol=1e-4)
    for number, own in enumerate(np.diag(expected), 1):
        np.testing.assert_allclose(losses[f"network_{number}/icl"], own, rtol=1e-4)


def test_the_total_is_the_weighted_sum():
    losses = make().compute_losses(batch_of())
    contrast = losses["icl"] + losses["ccl"]
    total = losses["next_item"] + 0.7 * losses["distillation"]
    total += 3.0 * losses["attribute"] + 0.2 * contrast
    np.testing.assert_allclose(losses["total"], total, rtol=1e-5)
    assert "ccl" not in make(contrasts=["icl"]).compute_losses(batch_of())


def test_a_view_is_another_dropout_of_the_sequence():
    model, batch = make(dropout=0.5), batch_of()
    seed = tf.constant([1, 2])
    states, packing = model.encode(batch["item_ids"], seed)
    same = {k: float(v) for k, v in model.compute_losses(batch, seed).items()}
    assert same == {k: float(v) for k, v in model.compute_losses(batch, seed).items()}
    anchors = [packing.last(x) for x in states]
    cosines = tf.linalg.matmul(
        *(tf.math.l2_normalize(x, axis=-1) for x in (anchors[0], anchors[0])),
        transpose_b=True,
    )
    without_views = tf.reduce_mean(
        tf.reduce_logsumexp(
            tf.linalg.set_diag(cosines / TAU, tf.fill([4], -1e9)), axis=1
        )
        - 1 / TAU
    )
    only = make(1, dropout=0.5, contrasts=["icl"])
    assert float(only.compute_losses(batch, seed)["icl"]) > float(without_views)


@pytest.mark.parametrize("contrast_weight", [0.0, 0.1])
def test_a_config_asks_for_it_by_its_task(tiny_settings, contrast_weight):
    settings = {**tiny_settings, "task": "next_item", "distillation": True}
    settings |= {"contrast_weight": contrast_weight, "tie_item_embeddings": True}
    config = from_flat(settings)
    model = build_model(config, prepare(config.data))
    assert isinstance(model, EMKDNextItem)
    assert ("icl" in model.loss_names) == (contrast_weight > 0)
    assert "distillation" in model.loss_names
