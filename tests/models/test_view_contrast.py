"""CL4SRec and DuoRec: their losses against numpy, in parts, with static shapes."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import losses_and_gradients, make_towers, terms_of
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.encoders.post_norm import CausalPostNormEncoder
from emkd_tf.kernels.compute import Compute
from emkd_tf.models import terms, view_contrast
from emkd_tf.models.cl4srec import CL4SRec
from emkd_tf.models.duorec import DuoRec
from emkd_tf.models.item_losses import FullSoftmax
from emkd_tf.training.setup import training_data

V, L, D, B = 20, 5, 8, 6
WEIGHT, TEMPERATURE = 0.4, 2.0
CASES = ["cl4srec", "us_x", "un", "su"]


def make(case, num_networks=1, static_shapes=False, dropout=0.0):
    compute = Compute(static_shapes=static_shapes)
    sizes = {"num_items": V, "max_length": L, "hidden_units": D}
    towers = make_towers(
        num_networks, "causal_post_norm", **sizes, compute=compute, dropout=dropout
    )
    options = {
        "expected_labels": 10.0,
        "contrast_weight": WEIGHT,
        "contrast_temperature": TEMPERATURE,
        "compute": compute,
    }
    loss = FullSoftmax(compute=compute)
    if case == "cl4srec":
        model = CL4SRec(towers, loss, **options)
    else:
        model = DuoRec(towers, loss, contrast_views=case, **options)
    return varied(model)


def sequences(rng, *shape):
    found = rng.integers(1, V + 1, size=shape)
    for row in found.reshape(-1, shape[-1]):
        row[: rng.integers(0, shape[-1])] = 0
    return found


def batch_of(seed=0, padding_row=False):
    rng = np.random.default_rng(seed)
    item_ids = sequences(rng, B, L)
    if padding_row:
        item_ids[2] = 0
    labels = np.where(item_ids > 0, rng.integers(1, V + 1, size=(B, L)), 0)
    partners = np.pad(sequences(rng, B, L), [(0, 0), (0, 1)], constant_values=3)
    views = sequences(rng, B, 2, L)
    views[:, 1, -1] = V + 1  # a mask token is a token like others
    batch = {
        "item_ids": item_ids,
        "labels": labels,
        "views": views,
        "partner_ids": partners,
        "row": np.arange(B),
    }
    return {name: tf.constant(value, tf.int32) for name, value in batch.items()}


def nt_xent(first, second):
    both = np.concatenate([first, second])
    scores = both @ both.T / TEMPERATURE
    np.fill_diagonal(scores, -np.inf)
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    count = len(first)
    return -np.mean([logs[i, (i + count) % (2 * count)] for i in range(2 * count)])


def expected_contrast(model, case, batch):
    views = {
        "cl4srec": (batch["views"][:, 0], batch["views"][:, 1]),
        "un": (batch["item_ids"], batch["item_ids"]),
    }.get(case, (batch["item_ids"], batch["partner_ids"][:, :-1]))
    return sum(
        nt_xent(*(tower.states(view)[:, -1].numpy().astype(float) for view in views))
        for tower in model.towers
    )


@pytest.mark.parametrize("num_networks", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_the_losses_equal_numpy(case, num_networks):
    model, batch = make(case, num_networks), batch_of()
    losses = model.compute_losses(batch)
    assert terms_of(losses) == {"total", "next_item", "contrast"}
    expected = expected_contrast(model, case, batch)
    np.testing.assert_allclose(losses["contrast"], expected, rtol=1e-4)
    item = 0.0
    for tower in model.towers:
        logits = tower.states(batch["item_ids"]).numpy() @ tower.item_table().numpy().T
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        labels = batch["labels"].numpy()
        item -= sum(logs[u, t, labels[u, t]] for u, t in np.argwhere(labels)) / 10.0
    np.testing.assert_allclose(losses["next_item"], item, rtol=1e-4)
    np.testing.assert_allclose(losses["total"], item + WEIGHT * expected, rtol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_every_encoding_has_a_dropout_of_its_own(case, monkeypatch):
    """Or the two views of "un" would be nearly the same."""
    model, seeds = make(case, num_networks=2, dropout=0.5), []
    for tower in model.towers:

        def encode(item_ids, seed, encode=tower.encode, **options):
            seeds.append(tuple(seed.numpy()))
            return encode(item_ids, seed, **options)

        monkeypatch.setattr(tower, "encode", encode)
    model.compute_losses(batch_of(), tf.constant([1, 2]))
    assert len(seeds) == len(set(seeds)) == 4


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_static_shapes_give_the_same_losses_and_gradients(case):
    batch, found = batch_of(padding_row=True), []
    for static_shapes in (False, True):
        model = make(case, static_shapes=static_shapes)
        found.append(losses_and_gradients(model, batch, jit_compile=static_shapes))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_shares_of_two_replicas_add_up(case, monkeypatch):
    """With the other replica's rows and states in place of a gathering."""
    model, batch = make(case), batch_of()
    seen, calls = [], []

    def record(local):
        seen.append(local)
        return local

    monkeypatch.setattr(terms, "global_rows", record)
    whole = model.compute_losses(batch)
    monkeypatch.setattr(terms, "global_rows", lambda local: seen[calls.pop(0)])
    total = 0.0
    for part in (slice(0, 2), slice(2, B)):
        calls[:] = range(len(seen))
        piece = {name: value[part] for name, value in batch.items()}
        total += model.compute_losses(piece)["total"]
    np.testing.assert_allclose(total, whole["total"], rtol=1e-5)


@pytest.mark.parametrize("views", ["un", "us_x"])
def test_the_history_again_has_another_dropout(monkeypatch, views):
    """Views of the same history would else be the same, and those of `us_x` would be
    those of `su`."""
    model, batch = make(views, dropout=0.5), batch_of()
    states, packing = model.encode(batch["item_ids"], tf.constant([1, 2]))
    pairs = []

    def record(views, row, **options):
        pairs.append(views)
        return tf.constant(0.0)

    monkeypatch.setattr(view_contrast, "view_contrast_share", record)
    model.compute_losses(batch, tf.constant([1, 2]))
    ((first, second),) = pairs
    used = packing.last(states[0])
    if views == "un":
        np.testing.assert_allclose(first, used, rtol=1e-5)
    else:
        assert np.abs(first - used).max(axis=1).min() > 1e-2
    assert np.abs(first - second).max(axis=1).min() > 1e-2


@pytest.mark.parametrize(("name", "kind"), [("cl4srec", CL4SRec), ("duorec", DuoRec)])
def test_a_model_of_a_config_learns_from_its_examples(tiny_settings, name, kind):
    settings = {"num_networks": 1, "encoder": "causal_post_norm", "num_heads": 2}
    config = from_flat({**tiny_settings, "model": name, **settings})
    histories = prepare(config.data)
    model = kind.create(config, histories)
    (tower,) = model.towers
    assert isinstance(tower.encoder, CausalPostNormEncoder)
    assert tower.embedding.norm is not None
    batches = list(training_data(config, histories).batches().take(3))
    if name == "duorec":
        for batch in batches:
            assert (batch["labels"].numpy() > 0).sum(axis=1).tolist() == [1] * 32
            same = batch["partner_ids"][:, -1] == batch["labels"][:, -1]
            assert same.numpy().all()
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01))
    first = float(model.compute_losses(batches[0])["total"])
    for _ in range(15):
        model.train_step(batches[0])
    assert model.compute_losses(batches[0])["total"] < 0.9 * first
