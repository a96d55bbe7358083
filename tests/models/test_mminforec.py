"""MMInfoRec: its loss against numpy, one prediction after the other; replicas; what a
config builds; its export."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import sigmoid
from replicas import assert_equal, trained_on_one_and_two
from small_models import make_fused_tower
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.kernels.compute import Compute
from emkd_tf.models import mminforec
from emkd_tf.models.mminforec import MMInfoRec

V, L, EXPECTED = 30, 5, 7.0


def make(static_shapes=False, towers=1, dropout=0.0, **options):
    compute = Compute(static_shapes=static_shapes)
    made = [
        make_fused_tower(seed=number, compute=compute, dropout=dropout)
        for number in range(towers)
    ]
    model = MMInfoRec(made, expected_labels=EXPECTED, compute=compute, **options)
    return varied(model)


def batch_of():
    """Rows of several lengths in which items repeat."""
    rows = np.random.default_rng(1).integers(1, 12, size=(4, L + 1))
    for number, padding in enumerate((0, 2, 4, 6)):
        rows[number, :padding] = 0
    item_ids = rows[:, :-1]
    labels = np.where(item_ids > 0, rows[:, 1:], 0)
    batch = {"item_ids": item_ids, "labels": labels}
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def gru_by_hand(unit, x, hidden):
    kernel, recurrent, (bias, other) = (w.numpy() for w in unit.weights)
    of_x, of_h = np.split(x @ kernel + bias, 3), np.split(hidden @ recurrent + other, 3)
    update, reset = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
    return update * hidden + (1 - update) * np.tanh(of_x[2] + reset * of_h[2])


def loss_by_hand(model, batch, steps, temperature):
    """A sum over the places, each a softmax over all items of the batch."""
    total, no_dropout = 0.0, None
    rows = [
        [i for i in (*items, labels[-1]) if i]
        for items, labels in zip(*(batch[k].numpy() for k in batch), strict=True)
    ]
    everything = [item for row in rows for item in row]
    for number, tower in enumerate(model.towers):
        table = tower.item_table().numpy()
        candidates = table[everything]
        states = tower.states(batch["item_ids"], no_dropout).numpy()
        for row, of_row in zip(rows, states, strict=True):
            for place in range(len(row) - 1):
                ahead = of_row[L - (len(row) - 1) + place]
                hidden = np.zeros_like(ahead)
                for step in range(steps):
                    if step:
                        hidden = gru_by_hand(model.heads[number], ahead, hidden)
                        memory = tower.memory
                        z = hidden @ memory.address.kernel.numpy()
                        z = np.exp(z + memory.address.bias.numpy())
                        ahead = hidden + z / z.sum() @ memory.slots.numpy()
                    if place + 1 + step >= len(row):
                        continue
                    shares = np.exp(candidates @ ahead / temperature)
                    right = np.array(everything) == row[place + 1 + step]
                    total -= np.log(shares[right].sum() / shares.sum())
    return total / EXPECTED / steps


@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize(("towers", "steps"), [(1, 1), (2, 3)])
def test_the_loss_equals_numpy(towers, steps, static_shapes):
    model = make(static_shapes, towers, steps=steps, encodings=2, temperature=2.0)
    batch = batch_of()
    compiled = tf.function(model.compute_losses, jit_compile=static_shapes)
    losses = compiled(batch)
    expected = loss_by_hand(model, batch, steps, 2.0)
    np.testing.assert_allclose(losses["mil_nce"], expected, rtol=1e-3)
    np.testing.assert_array_equal(losses["total"], losses["mil_nce"])


def test_values_of_candidates_are_dropped(monkeypatch):
    """Behind the fusion, whose own dropout leaves no value at zero."""
    gathered = []

    def record(rows):
        gathered.append(rows)
        return rows

    monkeypatch.setattr(mminforec, "global_rows", record)
    model = make(dropout=0.4, encodings=3)
    model.compute_losses(batch_of(), tf.constant([1, 2]))
    model.compute_losses(batch_of())
    _, dropped, _, kept = gathered
    assert not (kept.numpy() == 0).any()
    share = (dropped.numpy() == 0).mean()
    assert abs(share - 0.4) < 5 * np.sqrt(0.4 * 0.6 / dropped.numpy().size)


def test_a_few_steps_lower_the_loss():
    model, batch = make(dropout=0.1, steps=2, encodings=2), batch_of()
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01))
    first = model.compute_losses(batch)["total"]
    model.fit(tf.data.Dataset.from_tensors(batch).repeat(15), verbose=0)
    assert model.compute_losses(batch)["total"] < 0.9 * first


TRAININGS = {
    "candidates": lambda: (
        partial(make, steps=2, encodings=2, l2=0.01),
        partial(tf.keras.optimizers.SGD, 0.1),
        batch_of(),
        {},
    )
}


@pytest.mark.slow
def test_candidates_are_those_of_all_replicas():
    """Replicas with unequal numbers of items do what one does."""
    assert_equal(trained_on_one_and_two(__file__, "candidates"))


@pytest.fixture
def settings(tiny_settings, tiny_attributes):
    own = {"model": "mminforec", "num_networks": 1, "memory_slots": 4}
    return {**tiny_settings, **own, "attributes": str(tiny_attributes)}


def test_settings_reach_the_model(settings):
    config = from_flat({**settings, "initial_bound": 0.125, "prediction_steps": 2})
    model = MMInfoRec.create(config, prepare(config.data))
    weights = np.concatenate([w.numpy().ravel() for w in model.trainable_variables])
    assert np.abs(weights).max() < 0.125
    assert abs(weights.std() - 0.125 / np.sqrt(3)) < 0.005
    assert len(model.heads) == 1


@pytest.mark.slow
def test_an_export_with_more_steps_answers_like_the_model(settings, tmp_path):
    config = from_flat({**settings, "initial_bound": 0.125, "prediction_steps": 2})
    histories = prepare(config.data)
    model = MMInfoRec.create(config, histories)
    folder, _ = export_saved_model(model.ensemble, histories, tmp_path / "m", k=5)
    assert (folder / "saved_model.pb").exists()


def test_it_needs_attributes(settings):
    del settings["attributes"]
    config = from_flat(settings)
    with pytest.raises(InputError, match="mminforec reads attributes"):
        MMInfoRec.create(config, prepare(config.data))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": "bidirectional"}, "sees the items that it should predict: choose"),
        ({"rows": "prefix"}, "`rows` must be shift or whole, got 'prefix'"),
    ],
)
def test_what_would_see_its_labels_is_refused(changes, message, tmp_path):
    settings = {"model": "mminforec", "cache_dir": str(tmp_path), **changes}
    config = from_flat(settings)
    with pytest.raises(InputError, match=message):
        MMInfoRec.check(config, prepare(config.data))
