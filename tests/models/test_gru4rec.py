"""GRU4Rec: its scores against a GRU in numpy, and what padding changes."""

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.models.gru4rec import GRU4Rec


@pytest.fixture
def model(tiny_settings):
    settings = {**tiny_settings, "model": "gru4rec", "recurrent_units": 6}
    config = from_flat({**settings, "num_networks": 1, "tie_item_embeddings": True})
    return GRU4Rec.create(config, prepare(config.data))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scores_by_hand(tower, history):
    encoder, table = tower.encoder, tower.embedding.items.numpy()
    inputs, recurrent = (x.kernel.numpy() for x in (encoder.inputs, encoder.recurrent))
    hidden = np.zeros(recurrent.shape[0])
    for item in history:
        from_token, from_state = table[item] @ inputs, hidden @ recurrent
        (z, r), last = np.split(from_token + from_state, 3)[:2], len(hidden) * 2
        z, r = sigmoid(z), sigmoid(r)
        new = np.tanh(from_token[last:] + r * from_state[last:])
        hidden = z * hidden + (1 - z) * new
    outputs = encoder.outputs
    state = hidden @ outputs.kernel.numpy() + outputs.bias.numpy()
    return table[1 : tower.num_items + 1] @ state


def test_scores_are_those_of_the_last_state(model):
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    history = [3, 1, 4, 1]
    padded = np.array([[0] * 3 + history, [0, 0, *history[:1], *history]])
    scores = model.score_items(padded).numpy()
    expected = scores_by_hand(model.towers[0], history)
    np.testing.assert_allclose(scores[0], expected, rtol=1e-4, atol=1e-5)
    assert np.abs(scores[1] - expected).max() > 1e-3  # one item more in the history
