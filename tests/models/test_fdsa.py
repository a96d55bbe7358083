"""FDSA: its scores against numpy, what it reads, and that it is refused without
attributes."""

import numpy as np
import pytest
import tensorflow as tf
from command_line import flags
from numpy_layers import dense, layer_norm, post_norm_block, softmax

from emkd_tf.cli import main
from emkd_tf.config import from_flat
from emkd_tf.data.attributes import attribute_ids
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.fdsa import FDSA

EPSILON, HEADS, L = 1e-12, 2, 6


@pytest.fixture
def settings(tiny_settings, tiny_attributes):
    own = {"model": "fdsa", "num_networks": 1, "tie_item_embeddings": True}
    return {**tiny_settings, **own, "attributes": str(tiny_attributes)}


def make(settings):
    config = from_flat(settings)
    histories = prepare(config.data)
    model = FDSA.create(config, histories)
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    return model, histories


def batch_of(num_items, users=4):
    """Rows of several lengths, the last one of padding alone."""
    rows = np.random.default_rng(1).integers(1, num_items + 1, size=(users, L + 1))
    for number in range(users):
        rows[number, : 2 * number] = 0
    item_ids = rows[:, :-1]
    labels = np.where(item_ids > 0, rows[:, 1:], 0)
    batch = {"item_ids": item_ids, "labels": labels}
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def pooled_by_hand(tower, own, pooling):
    vectors = tower.attributes.vectors.numpy()[own[own > 0]]
    if not len(vectors):
        return np.zeros(tower.width)
    if pooling == "mean":
        return vectors.mean(axis=0)
    inner = np.maximum(dense(vectors, tower.pooling.inner), 0.0)
    return softmax(dense(inner, tower.pooling.outer)[:, 0]) @ vectors


def states_by_hand(tower, history, attributes, pooling):
    """[n, d] states of a history without padding."""
    of_attributes = [pooled_by_hand(tower, attributes[i], pooling) for i in history]
    of_items = tower.embedding.items.numpy()[history]
    places = tower.embedding.positions.numpy()[-len(history) :]
    streams = [(of_items, tower.encoder), (of_attributes, tower.attribute_encoder)]
    found = []
    for tokens, encoder in streams:
        x = layer_norm(tokens + places, tower.embedding.norm, EPSILON)
        for block in encoder.blocks:
            x = post_norm_block(x, block, HEADS, is_causal=True)
        found.append(x)
    both = np.concatenate(found, axis=1)
    return layer_norm(dense(both, tower.join), tower.join_norm, EPSILON)


@pytest.mark.parametrize("pooling", ["attention", "mean"])
def test_states_and_scores_equal_numpy(settings, pooling):
    model, histories = make({**settings, "attribute_pooling": pooling})
    (tower,) = model.towers
    table = attribute_ids(histories.attribute_offsets, histories.attribute_values)
    item_ids = batch_of(model.num_items)["item_ids"]
    states, scores = tower.states(item_ids).numpy(), model.score_items(item_ids)
    items = tower.embedding.items.numpy()[1 : model.num_items + 1]
    np.testing.assert_array_equal(states[item_ids == 0], 0.0)
    rows = zip(item_ids.numpy()[:3], states, scores, strict=False)
    for row, found, score in rows:  # the last row is empty
        history = row[row > 0]
        expected = states_by_hand(tower, history, table, pooling)
        np.testing.assert_allclose(found[row > 0], expected, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(score, items @ expected[-1], rtol=1e-3, atol=1e-3)


def test_the_streams_start_different(settings):
    config = from_flat({**settings, "num_networks": 2})
    model = FDSA.create(config, prepare(config.data))
    first, second = model.towers
    encoders = [first.encoder, first.attribute_encoder, second.attribute_encoder]
    kernels = [encoder.blocks[0].expand.kernel.numpy() for encoder in encoders]
    for one in range(3):
        for other in range(one):
            assert np.abs(kernels[one] - kernels[other]).max() > 1e-3
    assert model.parameters()["encoders"] == model.parameters()["all"]


@pytest.mark.parametrize("encoder", ["causal_post_norm", "gru"])
def test_a_place_knows_nothing_of_later_items(settings, encoder):
    (tower,) = make({**settings, "encoder": encoder})[0].towers
    rows = np.arange(1, L + 1)[np.newaxis]
    other = rows.copy()
    other[0, 3:] += 20
    gap = np.abs(tower.states(tf.constant(rows)) - tower.states(tf.constant(other)))
    assert gap[0, :3].max() < 1e-5
    assert gap[0, 3:].max(axis=1).min() > 1e-3


def test_parts_of_a_batch_add_up_and_static_shapes_change_nothing(settings):
    model, _ = make(settings)
    batch = batch_of(model.num_items)
    whole = float(model.compute_losses(batch)["total"])
    parts = [{k: v[i : i + 2] for k, v in batch.items()} for i in (0, 2)]
    added = sum(float(model.compute_losses(part)["total"]) for part in parts)
    np.testing.assert_allclose(added, whole, rtol=1e-5)

    static, _ = make({**settings, "jit_compile": True})
    compiled = tf.function(static.compute_losses, jit_compile=True)
    np.testing.assert_allclose(compiled(batch)["total"], whole, rtol=1e-3)


def test_dropout_drops_in_both_streams(settings):
    model, _ = make({**settings, "dropout": 0.5})
    batch, seeds = batch_of(model.num_items), ([1, 2], [1, 2], [3, 4])
    one, same, other = (
        float(model.compute_losses(batch, tf.constant(seed))["total"]) for seed in seeds
    )
    assert one == same != other


@pytest.mark.slow
def test_an_export_answers_as_the_live_model(settings, tmp_path):
    model, histories = make({**settings, "num_networks": 2})
    folder, _ = export_saved_model(model.ensemble, histories, tmp_path / "m", k=5)
    assert (folder / "saved_model.pb").exists()


def test_without_attributes_it_is_one_line_and_nothing_is_written(
    settings, tmp_path, capsys
):
    others = ("attributes", "num_views")
    own = {k: v for k, v in settings.items() if k not in others}
    assert main(["train", *flags(own)]) == 2
    error = capsys.readouterr().err
    assert "`model` fdsa reads attributes" in error
    assert "--attributes FILE" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()
    config = from_flat(own)
    with pytest.raises(InputError, match="reads attributes"):
        FDSA.create(config, prepare(config.data))
