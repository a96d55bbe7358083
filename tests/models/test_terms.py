"""The whole loss against numpy, from the encoders' states on."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_emkd
from weights import randomized

from emkd_tf.kernels.compute import Compute
from emkd_tf.kernels.item_softmax import ItemSoftmax
from emkd_tf.models.item_losses import FullSoftmax, SampledSoftmax
from emkd_tf.models.loss_weights import LossWeights

V, L, D, A = 12, 5, 4, 3
ATTRIBUTES = (np.random.default_rng(5).random((V + 2, A)) < 0.4).astype(np.float32)
TERMS = ("masked_item", "attribute", "icl", "ccl", "distillation")


def make(
    num_networks=3,
    static_shapes=False,
    tie_item_embeddings=False,
    distillation=True,
    item_loss=FullSoftmax,
    **terms,
):
    model = make_emkd(
        num_networks,
        V,
        ATTRIBUTES,
        max_length=L,
        hidden_units=D,
        distillation_weight=0.001 if distillation else None,
        loss_weights=LossWeights(chosen_share=0.9, **terms),
        compute=Compute(static_shapes=static_shapes),
        tie_item_embeddings=tie_item_embeddings,
        item_loss=item_loss,
    )
    return randomized(model)


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


def with_candidates(batch, num_sampled=7, seed=3):
    """Adds candidates, some of them twice, and labels among them."""
    rng = np.random.default_rng(seed)
    drawn = {
        "candidates": tf.constant(rng.integers(1, V + 1, num_sampled), tf.int32),
        "log_expected": tf.constant(rng.normal(size=num_sampled), tf.float32),
    }
    return {**batch, **drawn}


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def numpy_losses(model, batch, temperature=0.3):
    """Every term as the paper's equations say, in float64, position by position; over
    the batch's candidates if it has any."""
    item_ids, views, labels = (
        batch[name].numpy() for name in ("item_ids", "views", "labels")
    )
    users, num_views = labels.shape[:2]
    networks = model.towers
    full = [n.states(batch["item_ids"]).numpy().astype(float) for n in networks]
    masked = [
        np.stack(
            [n.states(tf.constant(views[:, m])).numpy() for m in range(num_views)], 1
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
        each = {"masked_item": [], "distillation": []}
        for row, (u, t) in enumerate(chosen):
            truth, offset = labels[u, m, t], np.zeros(V + 1)
            columns = np.arange(V + 1)
            if "candidates" in batch:
                is_other = batch["candidates"].numpy() != truth
                columns = [truth, *batch["candidates"].numpy()[is_other]]
                offset = np.array([0, *batch["log_expected"].numpy()[is_other]])
            own = list(columns).index(truth)
            rows = [z[row, columns] for z in logits]
            for z in rows:
                each["masked_item"].append(-log_softmax(z - offset)[own])
            for a, b in itertools.combinations(rows, 2):
                log_a = log_softmax(a / temperature - offset)
                log_b = log_softmax(b / temperature - offset)
                gap = (np.exp(log_a) - np.exp(log_b)) @ (log_a - log_b)
                each["distillation"].append(0.5 * gap)
        for name, values in each.items():
            terms[name] += np.sum(values) / len(chosen)
    places = [(u, t) for u in range(users) for t in range(L) if item_ids[u, t]]
    for head, states in zip(model.heads, full, strict=True):
        each = []
        for u, t in places:
            z = states[u, t] @ head.weight.numpy() + head.bias.numpy()
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


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_term_equals_numpy(case, static_shapes, sampled):
    item_loss = SampledSoftmax if sampled else FullSoftmax
    model = make(static_shapes=static_shapes, item_loss=item_loss)
    batch = batch_of(**CASES[case])
    if sampled:
        batch = with_candidates(batch)
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


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_finite(case, static_shapes, sampled):
    item_loss = SampledSoftmax if sampled else FullSoftmax
    model = make(static_shapes=static_shapes, item_loss=item_loss)
    batch = batch_of(**CASES[case])
    if sampled:
        batch = with_candidates(batch)
    with tf.GradientTape() as tape:
        total = model.compute_losses(batch)["total"]
    for gradient in tape.gradient(total, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_a_sequence_is_no_negative_of_itself_however_often_it_is_there():
    model = make()
    batch = batch_of(users=3, views=2)
    twice = {name: tf.repeat(value, 2, axis=0) for name, value in batch.items()}
    once, repeated = model.compute_losses(batch), model.compute_losses(twice)
    # A mean over anchors; each other sequence is a negative twice.
    found = {name: float(repeated[name] - once[name]) for name in ("icl", "ccl")}
    n = len(model.towers)
    expected = {"icl": n * np.log(2), "ccl": n * (n - 1) * np.log(2)}
    assert found == pytest.approx(expected, rel=1e-4)


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
    assert {key.rpartition("/")[2] for key in set(whole) - set(part)} == {term}
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
    first = model.towers[0].trainable_variables

    def gradients():
        with tf.GradientTape() as tape:
            total = model.compute_losses(batch)["total"]
        return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(total, first)]

    before = gradients()
    for weight in model.towers[1].trainable_variables:
        weight.assign(weight * 1.5 + 0.1)
    for old, new in zip(before, gradients(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_items_are_scored_at_chosen_positions_only(monkeypatch):
    model, batch = make(), batch_of(users=16, views=2)
    rows = []
    losses = ItemSoftmax.__call__

    def recorded(own, states, *rest):
        rows.extend(x.shape[0] for x in states)
        return losses(own, states, *rest)

    monkeypatch.setattr(ItemSoftmax, "__call__", recorded)
    model.compute_losses(batch)
    assert rows == [int(tf.math.count_nonzero(batch["labels"]))] * 3


def test_gradients_of_a_sampled_loss_equal_the_full_ones_over_all_items():
    """Every item as a candidate once; the padding slot of the full loss is closed."""
    batch = batch_of(users=6, views=2)
    drawn = {
        "candidates": tf.random.shuffle(tf.range(1, V + 1)),
        "log_expected": tf.zeros(V),
    }
    found = []
    for item_loss in (FullSoftmax, SampledSoftmax):
        model = make(item_loss=item_loss)
        for network in model.towers:
            bias = network.item_bias.numpy()
            network.item_bias.assign(np.where(np.arange(V + 1) == 0, -50.0, bias))
        with tf.GradientTape() as tape:
            losses = model.compute_losses({**batch, **drawn})
        gradients = tape.gradient(losses["total"], model.trainable_variables)
        found.append([*losses.values(), *map(tf.convert_to_tensor, gradients)])
    for full, sampled in zip(*found, strict=True):
        np.testing.assert_allclose(sampled, full, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("tie", [False, True])
def test_a_sampled_loss_touches_only_the_rows_of_its_items(tie, static_shapes):
    model = make(
        static_shapes=static_shapes, tie_item_embeddings=tie, item_loss=SampledSoftmax
    )
    batch = batch_of(users=2, views=2)
    batch |= {
        "candidates": tf.constant([3, 5, 3, 11]),
        "log_expected": tf.zeros(4),
    }
    with tf.GradientTape() as tape:
        total = model.compute_losses(batch)["total"]
    seen = set(np.unique([batch["item_ids"], *tf.unstack(batch["views"], axis=1)]))
    scored = {3, 5, 11} | set(np.unique(batch["labels"]))
    if not static_shapes:
        scored -= {0}
    weights = model.trainable_variables
    for weight, gradient in zip(weights, tape.gradient(total, weights), strict=True):
        if weight.shape[0] not in (V + 1, V + 2):
            continue
        assert isinstance(gradient, tf.IndexedSlices), weight.name
        is_output = weight.shape[0] == V + 1  # item_weights, item_bias
        expected = scored if is_output else seen | (scored if tie else set())
        assert set(gradient.indices.numpy()) <= expected | {0}, weight.name
        dense = tf.convert_to_tensor(gradient).numpy().reshape(weight.shape[0], -1)
        assert not dense[0].any(), weight.name  # the padding slot


@pytest.mark.parametrize("tie", [False, True])
def test_no_tensor_of_a_sampled_step_is_as_long_as_the_catalogue(tie):
    """But for the items' attributes, which do not change."""

    def lengths(batch, item_loss):
        model = make(tie_item_embeddings=tie, item_loss=item_loss)

        @tf.function
        def step(batch):
            with tf.GradientTape() as tape:
                total = model.compute_losses(batch)["total"]
            return tape.gradient(total, model.trainable_variables)

        operations = step.get_concrete_function(batch).graph.get_operations()
        is_given = {"Placeholder", "Const"}
        outputs = [t for o in operations if o.type not in is_given for t in o.outputs]
        return {n for t in outputs if t.shape.rank for n in t.shape}

    batch = batch_of(users=4, views=2)
    assert V + 1 in lengths(batch, FullSoftmax)
    assert not {V + 1, V + 2} & lengths(with_candidates(batch), SampledSoftmax)
