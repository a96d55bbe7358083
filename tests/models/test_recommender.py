"""The step that all trained models share, with a model of one hook."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower

from emkd_tf.models.recommender import Recommender

V = 20


class Pull(Recommender):
    """Draws every query towards the vector of ones; a batch may add to the loss."""

    def compute_losses(self, batch, dropout_seed=None):
        queries = [tower.query(batch["item_ids"]) for tower in self.towers]
        distance = tf.add_n([tf.reduce_mean(tf.square(q - 1.0)) for q in queries])
        own = [
            w for tower in self.towers for w in (tower.item_weights, tower.item_bias)
        ]
        size = tf.add_n([tf.reduce_mean(tf.square(w - 1.0)) for w in own])
        total = distance + size + tf.reduce_mean(batch["added"]) * distance
        return {"total": total, "distance": distance, "size": size}


def make(num_towers=2, learning_rate=0.1, optimizer=None, **options):
    towers = [
        make_tower(
            num_items=V, seed=seed, tie_item_embeddings=False, name=f"network_{seed}"
        )
        for seed in range(num_towers)
    ]
    model = Pull(towers, terms=["distance", "size"], **options)
    model.compile(optimizer=optimizer or tf.keras.optimizers.SGD(learning_rate))
    return model


def batch_of(users=4, seed=0, added=0.0):
    item_ids = np.random.default_rng(seed).integers(1, V + 1, size=(users, 5))
    item_ids[0, :3] = 0
    return {
        "item_ids": tf.constant(item_ids, tf.int32),
        "added": tf.fill([users], tf.constant(added)),
    }


def test_the_losses_must_be_written():
    with pytest.raises(TypeError, match="compute_losses"):
        Recommender([make_tower()], terms=[])


def test_a_step_is_the_optimizers_step_down_the_total():
    model, batch = make(), batch_of()
    weights = model.trainable_variables
    before = [w.numpy() for w in weights]
    with tf.GradientTape() as tape:
        losses = model.compute_losses(batch)
    gradients = tape.gradient(losses["total"], weights)
    logs = model.train_step(batch)
    for weight, old, gradient in zip(weights, before, gradients, strict=True):
        expected = old - 0.1 * tf.convert_to_tensor(gradient).numpy()
        np.testing.assert_allclose(weight, expected, atol=1e-6)
    for name, value in losses.items():
        np.testing.assert_allclose(logs[f"loss/{name}"], value, rtol=1e-6)


def test_fit_lowers_the_loss_and_logs_means_by_name():
    model = make(optimizer=tf.keras.optimizers.Adam(0.05))
    data = tf.data.Dataset.from_tensors(batch_of()).repeat(8)
    history = model.fit(data, epochs=3, verbose=0).history
    assert set(history) == {"loss/total", "loss/distance", "loss/size"}
    assert history["loss/total"][0] > history["loss/total"][1] > 0
    assert history["loss/distance"][-1] < 0.5 * history["loss/distance"][0]
    parts = np.add(history["loss/distance"], history["loss/size"])
    np.testing.assert_allclose(history["loss/total"], parts, rtol=1e-5)


def test_means_are_over_the_batches_of_an_epoch():
    model = make(learning_rate=0.0)
    batches = [batch_of(seed=0), batch_of(seed=1)]
    each = [float(model.compute_losses(b)["distance"]) for b in batches]
    assert abs(each[0] - each[1]) > 1e-4
    for batch in batches:
        logs = model.train_step(batch)
    np.testing.assert_allclose(logs["loss/distance"], np.mean(each), rtol=1e-5)
    np.testing.assert_allclose(model.last_losses[1], each[1], rtol=1e-5)
    for metric in model.metrics:
        metric.reset_state()
    logs = model.test_step(batches[0])
    np.testing.assert_allclose(logs["loss/distance"], each[0], rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_batch_that_is_not_finite_is_skipped_and_counted(value):
    model = make(skip_nonfinite=True)
    model.train_step(batch_of())
    before = [w.numpy() for w in model.trainable_variables]
    logs = model.train_step(batch_of(added=value))
    assert int(model.skipped) == 1
    assert not np.isfinite(model.last_losses[0])
    assert np.isfinite(logs["loss/total"])
    for old, weight in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, weight)
    model.train_step(batch_of())
    assert int(model.skipped) == 1
    assert (before[0] != model.trainable_variables[0].numpy()).any()


def test_skipping_leaves_weights_alone_that_no_loss_reads():
    model = make(skip_nonfinite=True)
    unread = tf.keras.layers.Dense(1, name="unread")
    unread.build([None, 2])
    model.heads.append(unread)
    kernel = unread.kernel.numpy()
    for added in (0.0, np.nan):
        model.train_step(batch_of(added=added))
    np.testing.assert_array_equal(unread.kernel, kernel)
    assert model.skipped.numpy() == 1


def test_without_skipping_it_goes_through():
    model = make()
    logs = model.train_step(batch_of(added=np.nan))
    assert np.isnan(logs["loss/total"])
    assert int(model.skipped) == 0


@pytest.mark.parametrize("num_towers", [1, 2])
def test_scores_are_one_inner_product(num_towers):
    """Equal to the sum of what the towers score."""
    model = make(num_towers)
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    item_ids = batch_of()["item_ids"]
    scores = model.score_items(item_ids).numpy()
    product = model.user_vectors(item_ids).numpy() @ model.item_vectors().numpy().T
    np.testing.assert_allclose(scores, product, rtol=1e-5, atol=1e-5)
    summed = sum(
        tower.query(item_ids).numpy() @ tower.item_weights.numpy()[1:].T
        + tower.item_bias.numpy()[1:]
        for tower in model.towers
    )
    assert scores.shape == (4, V)
    np.testing.assert_allclose(scores, summed, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(scores, model(item_ids))


def test_parameters_are_counted():
    model = make(2)
    found = model.parameters()
    sizes = [w.numpy().size for w in model.trainable_variables]
    assert found["all"] == sum(sizes)
    assert found["all"] - found["encoders"] == 2 * (V + 1) * (8 + 1)


def test_a_step_pays_for_large_weights():
    plain, model = make(), make(l2=0.02)
    before = [w.numpy() for w in model.trainable_variables]
    logs, priced = plain.train_step(batch_of()), model.train_step(batch_of())
    squares = sum(float((weight**2).sum()) for weight in before)
    expected = logs["loss/total"] + 0.01 * squares
    np.testing.assert_allclose(priced["loss/total"], expected, rtol=1e-5)
    np.testing.assert_array_equal(priced["loss/size"], logs["loss/size"])
    weights = zip(
        model.trainable_variables, plain.trainable_variables, before, strict=True
    )
    for weight, without, old in weights:
        np.testing.assert_allclose(weight, without - 0.002 * old, atol=1e-6)
