"""The ensemble: parameters of Table 5, the one inner product, the training step."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_emkd

from emkd_tf.kernels.compute import Compute
from emkd_tf.models.item_losses import FullSoftmax, SampledSoftmax
from emkd_tf.models.loss_weights import LossWeights
from emkd_tf.training.optimizers import LazyAdam

DATASETS = {"beauty": (12_101, 15, 2), "toys": (11_924, 20, 2), "ml-1m": (3_706, 40, 4)}


@pytest.mark.parametrize(
    ("num_networks", "dataset", "millions"),
    [
        (2, "beauty", 9.36),
        (2, "toys", 9.28),
        (2, "ml-1m", 5.08),
        (3, "beauty", 14.05),
        (3, "toys", 13.91),
        (3, "ml-1m", 7.62),
    ],
)
def test_parameters_of_table_5(num_networks, dataset, millions):
    num_items, max_length, num_heads = DATASETS[dataset]
    model = make_emkd(
        num_networks,
        num_items,
        max_length=max_length,
        hidden_units=256,
        num_blocks=2,
        num_heads=num_heads,
    )
    assert round(model.parameters()["encoders"] / 1e6, 2) == millions


def small(
    num_networks=3,
    num_items=30,
    dropout=0.2,
    jit=False,
    tie=False,
    learning_rate=1e-2,
    fuse=False,
    skip_nonfinite=False,
    optimizer=tf.keras.optimizers.Adam,
    item_loss=FullSoftmax,
):
    model = make_emkd(
        num_networks,
        num_items=num_items,
        attributes=np.eye(num_items + 2, 4),
        dropout=dropout,
        tie_item_embeddings=tie,
        loss_weights=LossWeights(chosen_share=0.5),
        compute=Compute(static_shapes=jit, fuse=fuse),
        skip_nonfinite=skip_nonfinite,
        item_loss=item_loss,
    )
    model.compile(optimizer=optimizer(learning_rate), jit_compile=jit)
    return model


def batch_of(users=8, num_items=30, seed=0):
    rng = np.random.default_rng(seed)
    item_ids = rng.integers(1, num_items + 1, size=(users, 6))
    item_ids[: users // 2, :3] = 0
    labels = np.where(rng.random((users, 2, 6)) < 0.3, item_ids[:, None], 0)
    views = np.where(labels > 0, num_items + 1, item_ids[:, None])
    return {
        name: tf.constant(value, tf.int32)
        for name, value in {
            "item_ids": item_ids,
            "views": views,
            "labels": labels,
            "row": np.arange(users),
        }.items()
    }


def with_candidates(batch, num_sampled=5, seed=0):
    rng = np.random.default_rng(seed)
    drawn = rng.integers(1, 31, num_sampled)
    return {
        **batch,
        "candidates": tf.constant(drawn, tf.int32),
        "log_expected": tf.constant(rng.normal(size=num_sampled), tf.float32),
    }


def test_networks_start_different_and_seeds_repeat():
    first, again = small(), small()
    one, two, _ = first.towers
    for a, b, same in zip(
        one.weights, two.weights, again.towers[0].weights, strict=True
    ):
        np.testing.assert_array_equal(a, same)
        if len(a.shape) == 2:
            assert (a.numpy() != b.numpy()).any(), a.name


def test_training_steps_lower_every_prediction_loss():
    model, batch = small(2, dropout=0.0), batch_of()
    before = model.compute_losses(batch)
    for _ in range(30):
        logs = model.train_step(batch)
    after = model.compute_losses(batch)
    assert set(logs) == {f"loss/{name}" for name in model.loss_names}
    for name in ("total", "masked_item", "attribute"):
        assert after[name] < 0.9 * before[name]


def test_logs_are_means_over_the_epoch_and_test_step_learns_nothing():
    model, batches = small(dropout=0.0), [batch_of(seed=s) for s in range(3)]
    weights = [w.numpy() for w in model.trainable_variables]
    singles = [float(model.compute_losses(b)["total"]) for b in batches]
    model.reset_metrics()
    for batch in batches:
        logs = model.test_step(batch)
    np.testing.assert_allclose(logs["loss/total"], np.mean(singles), rtol=1e-5)
    np.testing.assert_allclose(model.last_losses[0], singles[-1], rtol=1e-5)
    for old, new in zip(weights, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new)


def test_every_weight_learns():
    model, batch = small(), batch_of()
    with tf.GradientTape() as tape:
        total = model.compute_losses(batch)["total"]
    for weight, gradient in zip(
        model.trainable_variables,
        tape.gradient(total, model.trainable_variables),
        strict=True,
    ):
        assert gradient is not None, weight.name
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.name


def test_a_step_can_be_replayed_and_steps_differ():
    """Dropout depends on the seed and the step, on nothing else."""
    losses = []
    for _ in range(2):
        model = small(dropout=0.5, learning_rate=1e-12)
        steps = [float(model.train_step(batch_of())["loss/total"])]
        model.reset_metrics()
        steps += [float(model.train_step(batch_of())["loss/total"])]
        losses.append(steps)
    assert losses[0] == losses[1]
    assert losses[0][0] != losses[0][1]


@pytest.mark.slow
@pytest.mark.parametrize("sampled", [False, True])
def test_the_compiled_step_equals_the_plain_one_and_traces_once(sampled):
    optimizer = LazyAdam if sampled else tf.keras.optimizers.Adam
    item_loss = SampledSoftmax if sampled else FullSoftmax
    plain, compiled = (
        small(2, dropout=0.0, jit=jit, optimizer=optimizer, item_loss=item_loss)
        for jit in (False, True)
    )
    step = compiled.make_train_function()
    data = [batch_of(seed=s) for s in range(4)]
    if sampled:
        data = [with_candidates(batch, seed=s) for s, batch in enumerate(data)]
    iterator = iter(
        tf.data.Dataset.from_tensor_slices(
            {k: tf.stack([b[k] for b in data]) for k in data[0]}
        )
    )
    for batch in data:
        plain.reset_metrics()
        compiled.reset_metrics()
        expected, logs = plain.train_step(batch), step(iterator)
        for name, value in expected.items():
            np.testing.assert_allclose(logs[name], value, rtol=1e-3, atol=1e-4)
    assert step.experimental_get_tracing_count() == 1
    for a, b in zip(
        plain.trainable_variables, compiled.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4)


def test_a_lazy_step_moves_only_the_rows_of_its_items():
    model = small(optimizer=LazyAdam, skip_nonfinite=True, item_loss=SampledSoftmax)
    batch = with_candidates(batch_of(users=2))
    before = [weight.numpy() for weight in model.trainable_variables]
    model.train_step(batch)
    model.train_step(batch)
    inputs = np.unique([batch["item_ids"], *tf.unstack(batch["views"], axis=1)])
    outputs = np.union1d(batch["labels"], batch["candidates"])
    assert len(inputs) < 30
    assert len(outputs) < 30
    for old, weight in zip(before, model.trainable_variables, strict=True):
        if not weight.name.startswith("item"):
            continue
        moved = np.flatnonzero((weight.numpy() != old).reshape(len(old), -1).any(1))
        own = outputs if weight.shape[0] == 31 else inputs
        np.testing.assert_array_equal(moved, own[own > 0], err_msg=weight.name)


@pytest.mark.slow
def test_fused_steps_equal_plain_ones():
    """With dropout: both draw the same places."""
    plain, fused = small(2, dropout=0.4), small(2, dropout=0.4, fuse=True)
    for seed in range(3):
        plain.reset_metrics()
        fused.reset_metrics()
        expected = plain.train_step(batch_of(users=8 + seed, seed=seed))
        logs = fused.train_step(batch_of(users=8 + seed, seed=seed))
        for name, value in expected.items():
            np.testing.assert_allclose(logs[name], value, rtol=1e-4, atol=1e-5)
    for a, b in zip(plain.trainable_variables, fused.trainable_variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4)


def test_short_long_and_empty_histories_are_finite():
    model = small()
    for width in (0, 1, 5, 6, 40):
        scores = model.score_items(tf.ones([2, width], tf.int32))
        assert scores.shape == (2, 30)
        assert np.isfinite(scores).all()
