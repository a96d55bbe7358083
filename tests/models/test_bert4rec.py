"""BERT4Rec: its loss against numpy, its parts, its static shapes, its query."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import dense, gelu, layer_norm
from small_models import terms_of
from weights import randomized

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.models.bert4rec import BERT4Rec
from emkd_tf.special_ids import mask_id


@pytest.fixture
def make(tiny_settings):
    def build(**changes):
        settings = {"model": "bert4rec", "distillation": False, **changes}
        config = from_flat({**tiny_settings, "dropout": 0.0, **settings})
        model = BERT4Rec.create(config, prepare(config.data))
        return randomized(model)

    return build


def batch_of(num_items):
    rng = np.random.default_rng(1)
    items = rng.integers(1, num_items + 1, size=(4, 6))
    items[0, :3] = items[1, :5] = 0
    labels = np.zeros_like(items)
    for place in ((0, 3), (0, 5), (1, 5), (2, 0), (2, 4), (3, 5)):
        labels[place] = items[place]
    views = np.where(labels > 0, mask_id(num_items), items)
    batch = {"views": views[:, np.newaxis], "labels": labels[:, np.newaxis]}
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def logits_by_hand(tower, states):
    """The head, the table and the bias, of states [n, d]."""
    queries = layer_norm(gelu(dense(states, tower.head.transform)), tower.head.norm)
    return queries @ tower.item_table().numpy().T + tower.item_bias.numpy()


@pytest.mark.parametrize("static", [False, True])
def test_the_loss_is_the_mean_over_hidden_items(make, static):
    model = make(num_networks=2, jit_compile=static, mask_probability=0.4)
    batch, expected = batch_of(model.num_items), 0.0
    labels = batch["labels"].numpy()[:, 0]
    for tower in model.towers:
        states = tower.states(batch["views"][:, 0]).numpy().astype(float)
        logits = logits_by_hand(tower, states[labels > 0])
        of_label = logits[np.arange(6), labels[labels > 0]]
        expected += (np.log(np.exp(logits).sum(-1)) - of_label).mean()
    found = tf.function(model.compute_losses, jit_compile=static)(batch)
    assert terms_of(found) == {"total", "masked_item"}
    for name in ("total", "masked_item"):
        np.testing.assert_allclose(found[name], expected, rtol=1e-3)


def test_the_query_is_that_of_a_mask_behind_the_history(make):
    model = make(num_networks=1)
    (tower,) = model.towers
    assert model.history_length == 5
    assert tower.embedding.norm is not None
    history = np.array([[7, 3, 9, 1, 2, 8]])
    row = np.append(history[0, 1:], mask_id(model.num_items))[np.newaxis]
    states = tower.states(tf.constant(row, tf.int32)).numpy()[:, -1]
    expected = logits_by_hand(tower, states)[:, 1:]
    found = model.score_items(tf.constant(history, tf.int32))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_parts_of_a_batch_add_up(make):
    """Each part's mean, weighted by how many items it hides."""
    model = make(num_networks=1)
    batch = batch_of(model.num_items)
    whole = float(model.compute_losses(batch)["total"])
    total = 0.0
    for part in (slice(0, 2), slice(2, 4)):
        half = {name: value[part] for name, value in batch.items()}
        count = np.count_nonzero(half["labels"])
        total += float(model.compute_losses(half)["total"]) * count
    np.testing.assert_allclose(total / 6, whole, rtol=1e-4)


def test_only_training_items_are_hidden(tiny_settings):
    config = from_flat({**tiny_settings, "model": "bert4rec", "last_item_rows": 0.5})
    histories = prepare(config.data)
    examples = BERT4Rec.examples(config, histories)
    _, ends = examples.rows.bounds(np.arange(len(examples.rows)))
    starts_of, ends_of = histories.training_bounds()
    inside = (starts_of < ends[:, None]) & (ends[:, None] <= ends_of)
    assert inside.any(axis=1).all()
    (masked,) = examples.transforms
    assert masked.last_only_share == 0.5
