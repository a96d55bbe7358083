"""The convolutional encoder against numpy, one place at a time."""

import numpy as np
import pytest
import tensorflow as tf
from encoder_contract import IS_ITEM, TOKENS, D, check_contract, check_seeds, encode
from numpy_layers import dense
from weights import randomized

from emkd_tf.encoders.caser import CaserEncoder


def make(seed=3, window=3):
    return CaserEncoder(
        hidden_units=D,
        seed=seed,
        window=window,
        vertical_filters=2,
        horizontal_filters=3,
    )


def numpy_state(encoder, image):
    """Of one window [window, d]."""
    window = len(image)
    vertical = np.stack(
        [
            sum(weight * row for weight, row in zip(column, image, strict=True))
            for column in encoder.vertical.kernel.numpy().T
        ],
        axis=1,
    )
    features = [(vertical + encoder.vertical.bias.numpy()).ravel()]
    for height, layer in enumerate(encoder.horizontal, start=1):
        values = [
            [
                np.sum(image[start : start + height] * layer.kernel.numpy()[..., i])
                for start in range(window - height + 1)
            ]
            for i in range(layer.filters)
        ]
        values = np.maximum(np.array(values) + layer.bias.numpy()[:, None], 0.0)
        features.append(values.max(axis=1))
    return np.maximum(dense(np.concatenate(features), encoder.outputs), 0.0)


@pytest.mark.parametrize("window", [1, 3, 9])
def test_equals_numpy(window):
    encoder = randomized(make(window=window))
    states = encode(encoder).numpy()
    for row, tokens, is_item in zip(states, TOKENS, IS_ITEM, strict=True):
        items = np.concatenate([np.zeros((window - 1, D)), tokens[is_item]])
        expected = [
            numpy_state(encoder, items[place : place + window])
            for place in range(is_item.sum())
        ]
        np.testing.assert_allclose(row[is_item], expected, rtol=1e-3, atol=1e-4)


def test_knows_no_more_than_its_window():
    encoder = randomized(make(window=3))
    changed = TOKENS.copy()
    changed[:, 3] += 1.0
    before, after = encode(encoder).numpy(), encode(encoder, changed).numpy()
    np.testing.assert_allclose(before[:, 6], after[:, 6], rtol=1e-5)
    assert np.abs(before[1, 5] - after[1, 5]).max() > 1e-4


def test_drops_features_while_training():
    encoder = randomized(make())
    dropped = encode(encoder, rate=0.5, seed=tf.constant([1, 2]))
    assert np.abs(dropped - encode(encoder)).max() > 1e-2


def test_keeps_the_contract():
    check_contract(make(window=3))


def test_starts_from_its_seed():
    check_seeds(make)
