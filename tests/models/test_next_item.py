"""Next item models: the loss of every place, what a place may know, the training."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import losses_and_gradients, make_tower, make_towers, terms_of
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.item_losses import ITEM_LOSSES
from emkd_tf.models.sasrec import SASRec
from emkd_tf.training.setup import training_data

V, L, D, K = 25, 6, 8, 4
EXPECTED_LABELS = 10.0


def make(
    num_networks=1,
    item_loss="full",
    distillation_weight=None,
    static_shapes=False,
    tie=True,
    dropout=0.0,
    only_last=False,
):
    compute = Compute(static_shapes=static_shapes)
    sizes = {"num_items": V, "max_length": L, "hidden_units": D}
    options = {"compute": compute, "dropout": dropout, "tie_item_embeddings": tie}
    towers = make_towers(num_networks, "causal", **sizes, **options)
    loss = ITEM_LOSSES[item_loss](0.5, distillation_weight, compute)
    model = SASRec(
        towers,
        loss,
        expected_labels=EXPECTED_LABELS,
        only_last=only_last,
        compute=compute,
    )
    return varied(model)


def batch_of(users=4, item_loss="full", seed=0):
    """Rows of several lengths, the last one of padding alone."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, V + 1, size=(users, L + 1))
    for number in range(users):
        rows[number, : 2 * number] = 0
    rows[-1] = 0
    item_ids = rows[:, :-1]
    labels = np.where(item_ids > 0, rows[:, 1:], 0)
    batch = {"item_ids": item_ids, "labels": labels}
    carries = ITEM_LOSSES[item_loss].CARRIES
    if carries == "negatives":
        shift = rng.integers(1, V, size=(users, L, K))
        batch["negatives"] = 1 + (labels[..., np.newaxis] - 1 + shift) % V
    elif carries == "candidates":
        batch["candidates"] = rng.integers(1, V + 1, size=9)
    batch = {name: tf.constant(value, tf.int32) for name, value in batch.items()}
    if carries == "candidates":
        batch["log_expected"] = tf.constant(rng.normal(size=9), tf.float32)
    return batch


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def places_of(batch):
    return [tuple(place) for place in np.argwhere(batch["labels"].numpy())]


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("num_networks", [1, 2])
def test_the_loss_of_every_place_equals_numpy(num_networks, tie, static_shapes):
    model, batch = make(num_networks, static_shapes=static_shapes, tie=tie), batch_of()
    expected = 0.0
    for tower in model.towers:
        states = tower.states(batch["item_ids"]).numpy().astype(float)
        logits = states @ tower.item_table().numpy().T
        for user, place in places_of(batch):
            label = batch["labels"].numpy()[user, place]
            expected -= log_softmax(logits[user, place])[label]
    losses = model.compute_losses(batch)
    assert terms_of(losses) == {"total", "next_item"}
    for name in terms_of(losses):
        found = losses[name]
        np.testing.assert_allclose(found, expected / EXPECTED_LABELS, rtol=1e-4)


def test_negatives_are_those_of_their_places():
    model, batch = make(item_loss="bce"), batch_of(item_loss="bce")
    (tower,) = model.towers
    states, table = tower.states(batch["item_ids"]).numpy(), tower.item_table().numpy()
    expected = 0.0
    for user, place in places_of(batch):
        right = states[user, place] @ table[batch["labels"].numpy()[user, place]]
        wrong = table[batch["negatives"].numpy()[user, place]] @ states[user, place]
        expected += np.log1p(np.exp(-right)) + np.log1p(np.exp(wrong)).mean()
    found = model.compute_losses(batch)["next_item"]
    np.testing.assert_allclose(found, expected / EXPECTED_LABELS, rtol=1e-4)


def test_networks_learn_from_each_other_at_every_place():
    model, batch = make(2, distillation_weight=0.3), batch_of()
    both = [
        tower.states(batch["item_ids"]).numpy() @ tower.item_table().numpy().T
        for tower in model.towers
    ]
    expected = 0.0
    for place in places_of(batch):
        one, other = (log_softmax(logits[place] / 0.5) for logits in both)
        expected += 0.5 * (np.exp(one) - np.exp(other)) @ (one - other)
    losses = model.compute_losses(batch)
    found = losses["distillation"]
    np.testing.assert_allclose(found, expected / EXPECTED_LABELS, rtol=1e-3)
    total = losses["next_item"] + 0.3 * found
    np.testing.assert_allclose(losses["total"], total, rtol=1e-5)
    model.compile(optimizer=tf.keras.optimizers.Adam())
    names = {"loss/total", "loss/next_item", "loss/distillation"}
    parts = {f"loss/network_{number}/next_item" for number in (1, 2)}
    assert set(model.train_step(batch)) == names | parts


@pytest.mark.parametrize("static_shapes", [False, True])
def test_a_place_knows_nothing_of_later_items(static_shapes):
    """Other items behind a place leave its loss as it is."""
    model = make(static_shapes=static_shapes)
    item_ids = np.random.default_rng(1).integers(1, V + 1, size=(1, L))
    labels = np.array([[3, 7, 0, 0, 0, 0]])
    losses = []
    for later in (item_ids[:, 2:], item_ids[:, 2:] % V + 1):
        rows = np.concatenate([item_ids[:, :2], later], axis=1)
        batch = {"item_ids": rows, "labels": labels}
        batch = {name: tf.constant(v, tf.int32) for name, v in batch.items()}
        losses.append(model.compute_losses(batch)["total"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    batch["item_ids"] = tf.constant(item_ids % V + 1, tf.int32)
    assert abs(model.compute_losses(batch)["total"] - losses[0]) > 1e-4


def test_the_query_is_the_state_that_predicts_the_item_after_the_last():
    model, batch = make(), batch_of()
    item_ids = batch["item_ids"][:3]
    (tower,) = model.towers
    expected = tower.states(item_ids)[:, -1].numpy() @ tower.item_table().numpy()[1:].T
    found = model.score_items(item_ids)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("item_loss", ITEM_LOSSES)
def test_static_shapes_give_the_same_losses_and_gradients(item_loss):
    batch, found = batch_of(item_loss=item_loss), []
    for static_shapes in (False, True):
        model = make(2, item_loss, 0.3, static_shapes)
        found.append(losses_and_gradients(model, batch, jit_compile=static_shapes))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("item_loss", ITEM_LOSSES)
def test_the_last_places_alone_give_the_same_losses_and_gradients(item_loss):
    """Where no other place has a label, as in rows that are prefixes."""
    batch, found = batch_of(item_loss=item_loss), []
    is_last = tf.range(L) == L - 1
    batch["labels"] = tf.where(is_last, batch["labels"], 0)
    for only_last in (False, True):
        model = make(2, item_loss, 0.3, dropout=0.3, only_last=only_last)
        found.append(losses_and_gradients(model, batch, tf.constant([1, 2])))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("rows", "num_rows"), [("shift", 32 * 6), ("prefix", 32)])
def test_the_item_loss_gets_no_more_places_than_have_labels(
    tiny_settings, monkeypatch, rows, num_rows
):
    settings = {"model": "sasrec", "rows": rows, "jit_compile": True}
    config = from_flat({**tiny_settings, **settings})
    histories = prepare(config.data)
    model, seen = SASRec.create(config, histories), []
    item_loss = model._item_loss

    def record(towers, states, labels, weights, drawn):
        seen.append(labels.shape[0])
        return item_loss(towers, states, labels, weights, drawn)

    monkeypatch.setattr(model, "_item_loss", record)
    batch = next(iter(training_data(config, histories).batches()))
    model.compute_losses(batch)
    assert seen == [num_rows]


@pytest.mark.parametrize("item_loss", ITEM_LOSSES)
def test_a_few_steps_lower_the_loss(item_loss):
    model, batch = make(item_loss=item_loss, dropout=0.1), batch_of(item_loss=item_loss)
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01))
    first = model.compute_losses(batch)["total"]
    data = tf.data.Dataset.from_tensors(batch).repeat(15)
    model.fit(data, verbose=0)
    assert model.compute_losses(batch)["total"] < 0.9 * first


@pytest.mark.parametrize("static_shapes", [False, True])
def test_padding_alone_costs_nothing_and_has_finite_gradients(static_shapes):
    model, batch = make(static_shapes=static_shapes), batch_of(1)
    with tf.GradientTape() as tape:
        total = model.compute_losses(batch)["total"]
    assert float(total) == 0.0
    for gradient in tape.gradient(total, model.trainable_variables):
        assert not tf.convert_to_tensor(gradient).numpy().any()


@pytest.mark.parametrize("kind", ["shift", "whole"])
def test_a_model_of_a_config_divides_by_the_labels_of_an_average_batch(
    kind, tiny_settings
):
    """Over all its rows the loss is then the mean over places."""
    settings = {**tiny_settings, "model": "sasrec", "num_networks": 1, "rows": kind}
    config = from_flat(settings)
    histories = prepare(config.data)
    model = SASRec.create(config, histories)
    assert all(tower.item_bias is None for tower in model.towers)
    starts, ends = histories.training_bounds()
    bounds = list(zip(starts, ends, strict=True))
    rows = [
        histories.items[max(start, end - L - 1) : end]
        for start, newest in bounds
        for end in range(newest, start + 1, -L if kind == "whole" else -newest)
    ]
    assert (len(rows) > len(bounds)) == (kind == "whole")
    padded = np.array([np.pad(row, (L + 1 - len(row), 0)) for row in rows])
    item_ids = tf.constant(padded[:, :-1], tf.int32)
    labels = np.where(padded[:, :-1] > 0, padded[:, 1:], 0)
    (tower,) = model.towers
    logits = tower.states(item_ids).numpy() @ tower.item_table().numpy().T
    logs = log_softmax(logits)
    each = [-logs[u, t, labels[u, t]] for u, t in np.argwhere(labels)]
    batch = {"item_ids": item_ids, "labels": tf.constant(labels, tf.int32)}
    found = model.compute_losses(batch)["next_item"]
    batches = len(rows) / config.training.batch_size
    np.testing.assert_allclose(found / batches, np.mean(each), rtol=1e-4)


@pytest.mark.parametrize(
    ("num_items", "max_length"), [(12_101, 50), (11_924, 50), (3_416, 200)]
)
def test_parameters_are_those_of_its_blocks(num_items, max_length):
    """Table, places, and 6 d^2 and 10 d a block: four projections, two layers of the
    feed-forward network, their biases, and two norms; the last norm."""
    d = 32
    tower = make_tower(
        num_items=num_items,
        max_length=max_length,
        hidden_units=d,
        num_blocks=2,
        encoder="causal",
        use_item_bias=False,
    )
    loss = ITEM_LOSSES["full"]()
    model = SASRec([tower], loss, expected_labels=1.0)
    blocks = 2 * (6 * d**2 + 10 * d) + 2 * d
    expected = (num_items + 2 + max_length) * d + blocks
    assert model.parameters() == {"encoders": expected, "all": expected}
