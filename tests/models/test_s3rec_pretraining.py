"""The first stage of S3-Rec: its four terms against loops over rows and places."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import dense, sigmoid
from small_models import (
    attribute_lists,
    losses_and_gradients,
    make_towers,
    terms_of,
)
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.s3rec_pretraining import WEIGHTS, S3RecPretraining

V, L, D, A, MASK = 25, 7, 8, 5, 26
BATCH = 10.0
HAS_ATTRIBUTE = np.random.default_rng(3).random([V + 2, A]) < 0.4
HAS_ATTRIBUTE[[0, V + 1]] = False
HAS_ATTRIBUTE[4] = False  # an item without any


def make(num_networks=1, num_attributes=A, static_shapes=False, dropout=0.0):
    compute = Compute(static_shapes=static_shapes)
    sizes = {"num_items": V, "max_length": L, "hidden_units": D}
    options = {"compute": compute, "dropout": dropout}
    towers = make_towers(num_networks, "post_norm", **sizes, **options)
    model = S3RecPretraining(
        towers,
        attribute_ids=attribute_lists(HAS_ATTRIBUTE),
        num_attributes=num_attributes,
        batch_size=BATCH,
        compute=compute,
    )
    return varied(model, 0.4)


def batch_of(users=5, seed=0):
    """Rows of several lengths, the last one of a single item."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, V + 1, size=(users, L))
    sizes = [*rng.integers(2, L + 1, size=users - 1), 1]
    columns = np.arange(L)
    rows = np.where(columns >= L - np.array(sizes)[:, None], rows, 0)
    is_hidden = (rng.random(rows.shape) < 0.3) | (columns == L - 1)
    is_hidden &= rows > 0
    first = L - np.array(sizes)[:, None]
    is_span = (columns >= first) & (columns < first + np.array(sizes)[:, None] // 2)
    others = rng.integers(1, V + 1, size=rows.shape)
    has_span, is_item = np.array(sizes)[:, None] > 1, rows > 0

    def masked(is_kept, items):
        return np.where(has_span & is_item, np.where(is_kept, items, MASK), rows)

    batch = {
        "item_ids": rows,
        "hidden": np.where(is_hidden, MASK, rows),
        "labels": np.where(is_hidden, rows, 0),
        "negatives": rng.integers(1, V + 1, size=(*rows.shape, 1)),
        "context": masked(~is_span, rows),
        "segment": masked(is_span, rows),
        "other_segment": masked(is_span, others),
    }
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def cross_entropy(scores, has_attribute):
    found = sigmoid(scores)
    return -(np.log(np.where(has_attribute, found, 1 - found))).sum()


def pairwise(query, right, wrong):
    """-log s(D), the difference of two sigmoids in (-1, 1)."""
    difference = sigmoid(query @ right) - sigmoid(query @ wrong)
    assert -1 < difference < 1
    return -np.log(sigmoid(difference))


def by_loops(tower, head, batch):
    """The four sums over rows and places of one network."""
    values = {name: value.numpy() for name, value in batch.items()}
    table = tower.embedding.items.numpy()
    states = tower.states(batch["hidden"]).numpy()
    last = {
        name: tower.states(batch[name]).numpy()[:, -1]
        for name in ("context", "segment", "other_segment")
    }
    sums = dict.fromkeys(WEIGHTS, 0.0)
    for row, place in np.argwhere(values["item_ids"] > 0):
        item, state = values["item_ids"][row, place], states[row, place]

        def map_(name, state=state):
            return dense(state, head.maps[name])

        is_masked = values["hidden"][row, place] == MASK
        term = "masked_attribute" if is_masked else "attribute"
        scores = head.attributes.numpy() @ map_(term)
        sums[term] += cross_entropy(scores, HAS_ATTRIBUTE[item])
        if is_masked:
            negative = values["negatives"][row, place, 0]
            query = map_("masked_item")
            sums["masked_item"] += pairwise(query, table[item], table[negative])
    for context, right, wrong in zip(*last.values(), strict=True):
        query = dense(context, head.maps["segment"])
        sums["segment"] += pairwise(query, right, wrong)
    return sums


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("num_networks", [1, 2])
def test_the_terms_equal_loops(num_networks, static_shapes):
    model, batch = make(num_networks, static_shapes=static_shapes), batch_of()
    parts = [
        by_loops(tower, head, batch)
        for tower, head in zip(model.towers, model.heads, strict=True)
    ]
    losses = model.compute_losses(batch)
    assert terms_of(losses) == {"total", *WEIGHTS}
    total = 0.0
    for name, weight in {
        "attribute": 0.2,
        "masked_item": 1.0,
        "masked_attribute": 1.0,
        "segment": 0.5,
    }.items():
        expected = sum(part[name] for part in parts) / BATCH
        np.testing.assert_allclose(losses[name], expected, rtol=1e-4)
        total += weight * expected
    np.testing.assert_allclose(losses["total"], total, rtol=1e-4)


def test_without_attributes_two_terms_are_left():
    model, batch = make(num_attributes=0), batch_of()
    losses, expected = model.compute_losses(batch), make().compute_losses(batch)
    assert terms_of(losses) == {"total", "masked_item", "segment"}
    total = losses["masked_item"] + 0.5 * losses["segment"]
    np.testing.assert_allclose(losses["total"], total, rtol=1e-6)
    assert set(model.heads[0].maps) == {"masked_item", "segment"}
    assert set(expected) > set(losses)


def test_only_shown_places_tell_their_own_attributes():
    """With nothing shown AAP is zero, and MAP is not."""
    model, batch = make(), batch_of()
    rows = batch["item_ids"]
    hidden = tf.where(rows > 0, MASK, rows)
    all_hidden = {**batch, "hidden": hidden, "labels": rows}
    losses = model.compute_losses(all_hidden)
    assert float(losses["attribute"]) == 0.0
    assert float(losses["masked_attribute"]) > 0.0


def test_parts_of_a_batch_add_up_to_the_whole():
    """As replicas see it: each its rows, all divided by the global batch."""
    model, batch = make(2), batch_of(users=6)
    whole = model.compute_losses(batch)
    parts = [
        model.compute_losses({name: value[part] for name, value in batch.items()})
        for part in (slice(0, 3), slice(3, 6))
    ]
    for name, value in whole.items():
        np.testing.assert_allclose(sum(p[name] for p in parts), value, rtol=1e-4)


def test_static_shapes_give_the_same_losses_and_gradients():
    batch, found = batch_of(), []
    for static_shapes in (False, True):
        model = make(static_shapes=static_shapes)
        found.append(losses_and_gradients(model, batch, jit_compile=static_shapes))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_a_few_steps_lower_the_loss():
    model, batch = make(dropout=0.1), batch_of()
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01))
    first = model.compute_losses(batch)["total"]
    model.fit(tf.data.Dataset.from_tensors(batch).repeat(15), verbose=0)
    assert model.compute_losses(batch)["total"] < 0.9 * first


def test_examples_are_all_beginnings_of_the_newest_items(tiny_settings):
    config = from_flat({**tiny_settings, "model": "s3rec", "max_length": 4})
    histories = prepare(config.data)
    examples = S3RecPretraining.examples(config, histories)
    starts, ends = histories.training_bounds()
    expected = []
    for start, end in zip(starts, ends, strict=True):
        newest = histories.items[start:end][-4:].tolist()
        expected += [newest[:size] for size in range(1, len(newest) + 1)]
    numbers = np.arange(len(examples.rows))
    bounds = zip(*examples.rows.bounds(numbers), strict=True)
    assert [histories.items[s:e].tolist() for s, e in bounds] == expected
    assert examples.rows.length == 4
