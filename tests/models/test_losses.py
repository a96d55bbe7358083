"""The whole loss against numpy, from the encoders' states on."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.models.emkd import EMKD
from emkd_tf.models.losses import EnsembleLosses
from emkd_tf.models.network import Network

V, L, D, A = 12, 5, 4, 3
ATTRIBUTES = (np.random.default_rng(5).random((V + 2, A)) < 0.4).astype(np.float32)
TERMS = ("masked_item", "attribute", "icl", "ccl", "distillation")


def make(num_networks=3, static_shapes=False, **terms):
    model = EMKD(
        num_items=V,
        max_length=L,
        item_attributes=ATTRIBUTES,
        num_networks=num_networks,
        hidden_units=D,
        num_blocks=1,
        num_heads=2,
        dropout=0.0,
        losses=EnsembleLosses(chosen_share=0.9, **terms),
        static_shapes=static_shapes,
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    return model


def batch_of(users, views, seed=0, empty_view=None, padding_row=None):
    rng = np.random.default_rng(seed)
    item_ids = rng.integers(1, V + 1, size=(users, L))
    for row in range(users):
        item_ids[row, : rng.integers(0, L - 1)] = 0
    if padding_row is not None:
        item_ids[padding_row] = 0
    is_chosen = (rng.random((users, views, L)) < 0.4) & (item_ids > 0)[:, None]
    if empty_view is not None:
        is_chosen[:, empty_view] = False
    masked = np.where(is_chosen, V + 1, item_ids[:, None])
    batch = {
        "item_ids": item_ids,
        "views": masked,
        "labels": np.where(is_chosen, item_ids[:, None], 0),
        "row": np.arange(users),
    }
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def numpy_losses(model, batch, temperature=0.3):
    """Every term as the paper's equations say, in float64, position by position."""
    item_ids, views, labels = (
        batch[name].numpy() for name in ("item_ids", "views", "labels")
    )
    users, num_views = labels.shape[:2]
    networks = model.networks
    full = [n.encoder(batch["item_ids"]).numpy().astype(float) for n in networks]
    masked = [
        np.stack(
            [n.encoder(tf.constant(views[:, m])).numpy() for m in range(num_views)], 1
        ).astype(float)
        for n in networks
    ]
    terms = dict.fromkeys(TERMS, 0.0)
    for m in range(num_views):
        chosen = [(u, t) for u in range(users) for t in range(L) if labels[u, m, t]]
        if not chosen:
            continue
        logits = []
        for n, states in zip(networks, masked, strict=True):
            rows = np.array([states[u, m, t] for u, t in chosen])
            logits.append(rows @ n.item_weights.numpy().T + n.item_bias.numpy())
        for z in logits:
            truth = [labels[u, m, t] for u, t in chosen]
            terms["masked_item"] -= log_softmax(z)[range(len(truth)), truth].mean()
        for a, b in itertools.combinations(logits, 2):
            log_a, log_b = log_softmax(a / temperature), log_softmax(b / temperature)
            gap = log_a - log_b
            both = (np.exp(log_a) * gap).sum(-1) - (np.exp(log_b) * gap).sum(-1)
            terms["distillation"] += 0.5 * both.mean()
    places = [(u, t) for u in range(users) for t in range(L) if item_ids[u, t]]
    for n, states in zip(networks, full, strict=True):
        each = []
        for u, t in places:
            z = states[u, t] @ n.attribute_weights.numpy() + n.attribute_bias.numpy()
            y, p = ATTRIBUTES[item_ids[u, t]], 1 / (1 + np.exp(-z))
            each.append(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
        terms["attribute"] += np.mean(each) if each else 0.0

    def cosine(a, b):
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        return (a * b).sum() / norms if norms > 0 else 0.0

    for x, y in itertools.product(range(len(networks)), repeat=2):
        each = []
        for u in range(users):
            anchor = full[x][u]
            negative = sum(
                np.exp(cosine(anchor, full[y][v]) / temperature)
                for v in range(users)
                if v != u
            )
            positive = sum(
                np.exp(cosine(anchor, masked[y][u, m]) / temperature)
                for m in range(num_views)
            )
            each.append(np.log(negative) - np.log(positive) if users > 1 else 0.0)
        terms["icl" if x == y else "ccl"] += np.mean(each)
    return terms


CASES = {
    "plain": {"users": 6, "views": 3},
    "a view with nothing chosen": {"users": 5, "views": 3, "empty_view": 1},
    "nothing chosen at all": {"users": 3, "views": 1, "empty_view": 0},
    "one user": {"users": 1, "views": 2},
    "a row of padding alone": {"users": 4, "views": 2, "padding_row": 2},
    "padding alone": {"users": 1, "views": 2, "padding_row": 0},
}


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_term_equals_numpy(case, static_shapes):
    model, batch = make(static_shapes=static_shapes), batch_of(**CASES[case])
    losses = model.compute_losses(batch)
    expected = numpy_losses(model, batch)
    for name in TERMS:
        np.testing.assert_allclose(
            losses[name], expected[name], rtol=2e-4, atol=1e-5, err_msg=name
        )
    total = expected["masked_item"] + expected["attribute"]
    total += 0.01 * (expected["icl"] + expected["ccl"])
    total += 0.001 * expected["distillation"]
    np.testing.assert_allclose(losses["total"], total, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_finite(case, static_shapes):
    model, batch = make(static_shapes=static_shapes), batch_of(**CASES[case])
    with tf.GradientTape() as tape:
        total = model.compute_losses(batch)["total"]
    for gradient in tape.gradient(total, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


@pytest.mark.parametrize("num_networks", [1, 2, 4])
def test_any_number_of_networks(num_networks):
    model, batch = make(num_networks), batch_of(users=4, views=2)
    losses, expected = model.compute_losses(batch), numpy_losses(model, batch)
    for name in TERMS:
        np.testing.assert_allclose(losses[name], expected[name], rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("switch", "term"),
    [
        ("attribute_prediction", "attribute"),
        ("intra_contrast", "icl"),
        ("cross_contrast", "ccl"),
        ("distillation", "distillation"),
    ],
)
def test_each_part_can_be_switched_off(switch, term):
    batch = batch_of(users=4, views=2)
    whole = make().compute_losses(batch)
    model = make(**{switch: False})
    part = model.compute_losses(batch)
    assert set(whole) - set(part) == {term}
    assert f"loss/{term}" not in {m.name for m in model.metrics}
    weight = {"attribute": 1.0, "distillation": 0.001}.get(term, 0.01)
    np.testing.assert_allclose(
        part["total"], whole["total"] - weight * whole[term], rtol=1e-5
    )


def test_independent_training_shares_nothing_between_networks():
    """Without CCL and KD a network's gradients do not depend on the others."""
    batch = batch_of(users=4, views=2)
    terms = {"cross_contrast": False, "distillation": False}
    model = make(2, **terms)
    first = model.networks[0].trainable_variables

    def gradients():
        with tf.GradientTape() as tape:
            total = model.compute_losses(batch)["total"]
        return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, first)]

    before = gradients()
    for weight in model.networks[1].trainable_variables:
        weight.assign(weight * 1.5 + 0.1)
    for old, new in zip(before, gradients(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_items_are_scored_at_chosen_positions_only(monkeypatch):
    model, batch = make(), batch_of(users=16, views=2)
    rows = []
    item_logits = Network.item_logits

    def recorded(network, states, *head):
        rows.append(states.shape[0])
        return item_logits(network, states, *head)

    monkeypatch.setattr(Network, "item_logits", recorded)
    model.compute_losses(batch)
    assert rows == [int(tf.math.count_nonzero(batch["labels"]))] * 3
