"""What every model of the table must do, with every encoder that it takes.

A model that is added to `MODELS` is checked without a change here.
"""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from weights import randomized, varied

from emkd_tf.config import from_flat
from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.config.files import layered
from emkd_tf.config.model_table import MODELS, model_class
from emkd_tf.data.prepare import prepare
from emkd_tf.data.training_cost import Speed, training_cost
from emkd_tf.errors import InputError
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import build_model, compile_model, training_data

L = 6
SMALL = {
    **{"max_length": L, "hidden_units": 8, "num_heads": 2, "num_blocks": 1},
    **{"recurrent_units": 6, "window": 3, "horizontal_filters": 4},
    **{"num_views": 2, "num_negatives": 4, "mask_at_least_one": True},
    **{"batch_size": 16, "epochs": 4, "learning_rate": 0.01, "dropout": 0.1},
    **{"user_core": 3, "item_core": 1, "dataset": "tiny", "deterministic": False},
}
PLAIN = [name for name, entry in MODELS.items() if entry.is_trained]
TRAINED = [*PLAIN, "emkd+attributes", "sasrec+attributes"]  # embedded with the items
QUICK = ("causal", "gru")  # one with positions and one without
PAIRS = [
    pytest.param(*pair, marks=[] if pair[1] in QUICK else [pytest.mark.slow])
    for pair in itertools.product(PLAIN, ENCODERS)
    if "encoder" in MODELS[pair[0]].reads
]
# XLA takes ten seconds a pair: every model with one encoder, and every encoder with a
# model that takes it.
BOTH_WAYS = ("bidirectional", "post_norm")
COMPILED = [
    pair
    for pair in PAIRS
    if pair.values[1] == "causal"
    or pair.values[0] == ("emkd" if pair.values[1] in BOTH_WAYS else "sasrec")
]


@pytest.fixture(scope="module")
def build(tiny_log, tiny_attributes, tmp_path_factory):
    """Returns a function of a model's name and changed settings: its config, the
    histories and the model. A pair that the model refuses is skipped."""
    own = {"interactions": str(tiny_log), "attributes": str(tiny_attributes)}
    own["cache_dir"] = str(tmp_path_factory.mktemp("contracts") / "cache")
    histories = functools.lru_cache(lambda data: prepare(data))

    def build(name, encoder=None, **changes):
        tf.keras.backend.clear_session()
        name, _, with_attributes = name.partition("+")
        changes["attribute_embeddings"] = bool(with_attributes)
        settings = {**layered("own", None, [], name), "model": name, **SMALL, **own}
        if encoder is not None:
            changes["encoder"] = encoder
        networks = from_flat(settings).model.num_networks
        settings["num_networks"] = min(2, networks)
        config = from_flat({**settings, **changes})
        found = histories(config.data)
        try:
            return config, found, build_model(config, found)
        except InputError as error:
            if "`encoder`" not in str(error):
                raise
            pytest.skip(f"{name} refuses {encoder}")

    return build


def histories_of(model, rows=3, length=4):
    rng = np.random.default_rng(1)
    return rng.integers(1, model.num_items + 1, size=(rows, length)).astype(np.int32)


def fixed_loss(model, batches):
    return np.mean([float(model.compute_losses(batch)["total"]) for batch in batches])


def weights_of(model):
    return [weight.numpy() for weight in model.variables]


@pytest.mark.parametrize(("name", "encoder"), PAIRS)
def test_scores(build, name, encoder):
    """Shapes, finite answers to empty histories, and nothing known of padding, of
    items beyond the history's length, or of other rows."""
    _, histories, model = build(name, encoder)
    items = histories_of(randomized(model))
    users, table = model.user_vectors(tf.constant(items)), model.item_vectors()
    assert users.shape[0] == 3
    assert table.shape == [histories.num_items, users.shape[1]]
    scores = model.score_items(tf.constant(items)).numpy()
    assert scores.shape == (3, histories.num_items)
    np.testing.assert_allclose(
        scores, users @ tf.transpose(table), rtol=1e-4, atol=1e-5
    )
    assert np.abs(scores[0] - scores[1]).max() > 1e-3

    for padding in (1, L, 3 * L):
        wider = np.pad(items, [(0, 0), (padding, 0)])
        found = model.score_items(tf.constant(wider))
        np.testing.assert_allclose(found, scores, rtol=1e-3, atol=1e-4)
    long = histories_of(model, length=3 * L)
    whole = model.score_items(tf.constant(long))
    newest = model.score_items(tf.constant(long[:, -model.history_length :]))
    np.testing.assert_allclose(newest, whole, rtol=1e-3, atol=1e-4)
    mixed = np.stack([np.pad(items[0], (L - 4, 0)), np.zeros(L, np.int32)])
    found = model.score_items(tf.constant(mixed)).numpy()
    np.testing.assert_allclose(found[0], scores[0], rtol=1e-3, atol=1e-4)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("name", "encoder"), PAIRS)
def test_causal_towers_know_nothing_of_later_items(build, name, encoder):
    _, _, model = build(name, encoder)
    items = histories_of(randomized(model), length=L)
    later = items.copy()
    later[:, 3:] = later[:, 3:] % model.num_items + 1
    for tower in model.towers:
        one, other = (tower.states(tf.constant(x)).numpy() for x in (items, later))
        gap = np.abs(one - other)
        assert gap[:, 3:].max() > 1e-3
        assert (gap[:, :3].max() < 1e-5) == tower.encoder.IS_CAUSAL


@pytest.mark.parametrize("name", TRAINED)
def test_losses_are_those_it_names_and_every_weight_learns(build, name):
    config, histories, model = build(name)
    randomized(model)
    batch = next(iter(training_data(config, histories).batches()))
    with tf.GradientTape() as tape:
        losses = model.compute_losses(batch, tf.constant([1, 2]))
    assert set(losses) == set(model.loss_names)
    for value in losses.values():
        assert value.shape == []
        assert np.isfinite(value)
    weights = model.trainable_variables
    for weight, gradient in zip(
        weights, tape.gradient(losses["total"], weights), strict=True
    ):
        assert gradient is not None, weight.name
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), weight.name


@pytest.mark.parametrize("name", PLAIN)
def test_the_estimate_of_an_epoch_knows_its_rows(build, name):
    config, histories, _ = build(name)
    starts, ends = histories.training_bounds()
    rows = model_class(name, config.objective.task).examples(config, histories).rows
    cost = training_cost(config, ends - starts, histories.num_items, Speed(1e9, 1e9))
    assert cost.windows == len(rows)


@pytest.mark.parametrize("name", TRAINED)
def test_parts_of_the_networks_add_up_to_the_term(build, name):
    """And each is what the network has alone: no other one reaches it."""
    config, histories, model = build(name, num_networks=2)
    batch = next(iter(training_data(config, histories).batches()))
    losses = randomized(model).compute_losses(batch)
    varied(model.towers[1])
    after = model.compute_losses(batch)
    terms = [key.partition("/")[2] for key in losses if key.startswith("network_1/")]
    if not terms:
        pytest.skip(f"{name} tells no parts of its networks")
    for term in terms:
        first, second = (losses[f"network_{n}/{term}"] for n in (1, 2))
        np.testing.assert_allclose(first + second, losses[term], rtol=1e-5)
        np.testing.assert_allclose(after[f"network_1/{term}"], first, rtol=1e-5)
        assert second == 0 or after[f"network_2/{term}"] != second


@pytest.mark.parametrize("name", TRAINED)
def test_a_few_steps_lower_the_loss(build, name):
    config, histories, model = build(name)
    data = training_data(config, histories)
    held = list(data.batches().take(4))
    first = fixed_loss(model, held)
    compile_model(model, config, data.num_steps)
    for batch in data.batches().take(12):
        model.train_step(batch)
    assert fixed_loss(model, held) < first


@pytest.mark.slow
@pytest.mark.parametrize(("name", "encoder"), COMPILED)
def test_compiled_steps_equal_plain_ones_and_lower_the_loss(build, name, encoder):
    """The compiled ones have static shapes, with what that changes everywhere."""
    without_dropout = {"dropout": 0.0, "memory_dropout": 0.0}
    config, histories, model = build(name, encoder, **without_dropout)
    batches = list(training_data(config, histories).batches().take(4))
    compile_model(model, config, num_steps=12)
    expected = []
    for batch in batches[:2]:
        model.reset_metrics()
        expected.append(model.train_step(batch)["loss/total"].numpy())

    config, _, model = build(name, encoder, jit_compile=True, **without_dropout)
    compile_model(model, config, num_steps=12)
    step, found = model.make_train_function(), []
    rows = {name: tf.stack([b[name] for b in batches]) for name in batches[0]}
    iterator = iter(tf.data.Dataset.from_tensor_slices(rows).repeat(3))
    for _ in range(12):
        model.reset_metrics()
        found.append(step(iterator)["loss/total"].numpy())
    np.testing.assert_allclose(found[:2], expected, rtol=1e-3)
    assert np.mean(found[8:]) < np.mean(found[:4])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_training_that_continues_equals_one_that_never_stopped(build, name, tmp_path):
    def start():
        config, histories, model = build(name, deterministic=True)
        data = training_data(config, histories)
        compile_model(model, config, data.num_steps)
        checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        return data, model, checkpoint

    def fit(data, model, first, steps):
        # Without the number of steps, Keras finds the end by a step too many, whose
        # count the optimizer keeps.
        model.fit(data.batches(first), steps_per_epoch=steps, verbose=0)
        return model

    data, model, _ = start()
    undisturbed = weights_of(fit(data, model, 0, 6))
    data, model, checkpoint = start()
    fit(data, model, 0, 3)
    path = checkpoint.write(str(tmp_path / "three"))
    data, model, checkpoint = start()
    checkpoint.read(path).assert_consumed()
    for one, other in zip(undisturbed, weights_of(fit(data, model, 3, 3)), strict=True):
        if one.shape:  # the trackers of losses are scalars that begin anew
            np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_an_export_answers_as_the_live_model(build, name, tmp_path):
    """`export_saved_model` itself compares the two in a fresh process."""
    _, histories, model = build(name)
    randomized(model)
    folder, _ = export_saved_model(model.ensemble, histories, tmp_path / "m", k=5)
    answer = tf.saved_model.load(str(folder)).signatures["serving_default"]
    names = histories.item_ids()
    questions = [[names[3], names[9]], [names[7], names[1]]]
    found = answer(history=tf.constant(questions))
    live = VectorRecommender(model.ensemble, histories).recommend(questions, k=5)
    ids = [[each.decode() for each in row] for row in found["item_ids"].numpy()]
    assert ids == live.item_ids.tolist()
    np.testing.assert_allclose(found["scores"], live.scores, rtol=1e-4)
