"""Weights of cold items against a closed form, and against those that were copied."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from emkd_tf.config import from_flat
from emkd_tf.data.cold_items import ColdItems, with_cold_items
from emkd_tf.data.prepare import prepare
from emkd_tf.models.cold_weights import STRENGTH, AttributeRegression, copy_weights
from emkd_tf.training.setup import build_model


def test_rows_are_those_of_ridge_regression():
    rng = np.random.default_rng(0)
    known, cold = rng.integers(0, 2, (30, 7)), rng.integers(0, 2, (4, 7))
    rows = rng.normal(size=(30, 5))
    mean = rows.mean(axis=0)
    normal = known.T @ known + 3.0 * np.eye(7)
    expected = mean + cold @ np.linalg.solve(normal, known.T @ (rows - mean))
    regression = AttributeRegression(
        sparse.csr_array(known), sparse.csr_array(cold), strength=3.0
    )
    np.testing.assert_allclose(regression.rows(rows), expected, atol=1e-5)


NEW = ColdItems(["new", "newer"], np.array([0, 2, 3]), np.array([3, 8, 5], np.int32))


def grown_models(folder, **settings):
    """A model and one whose catalogue ends with NEW, of its weights; and the histories
    of both."""
    settings = {"hidden_units": 8, "num_blocks": 1, "num_heads": 1, **settings}
    settings |= {"max_length": 6, "cache_dir": str(folder), "dropout": 0.0}
    config = from_flat(settings)
    histories = prepare(config.data)
    (folder / "cold").mkdir()
    grown = with_cold_items(histories, NEW, folder / "cold")
    small, large = build_model(config, histories), build_model(config, grown)
    for number, weight in enumerate(small.trainable_variables):
        weight.assign(tf.random.stateless_normal(weight.shape, [0, number]))
    copy_weights(small, large, grown)
    return small, large, histories


@pytest.mark.parametrize("name", ["emkd", "sasrec", "fdsa", "mminforec"])
def test_known_items_score_as_before(name, tmp_path):
    small, large, histories = grown_models(tmp_path, model=name)
    item_ids = tf.constant([[0, 0, 3, 9, 4, 1], [5, 6, 7, 8, 9, 9]])
    scores = [
        (m.ensemble.user_vectors(item_ids) @ tf.transpose(m.ensemble.item_vectors()))
        for m in (small, large)
    ]
    np.testing.assert_allclose(scores[1][:, :-2], scores[0], rtol=1e-4, atol=1e-5)
    assert np.isfinite(scores[1]).all()
    # And they are histories like any others.
    new = tf.constant([[0, 0, 0, 3, 9, histories.num_items + 1]])
    assert np.isfinite(large.ensemble.user_vectors(new)).all()


def test_a_cold_item_is_what_is_expected_of_its_attributes_and_these(tmp_path):
    small, large, histories = grown_models(
        tmp_path, model="sasrec", tie_item_embeddings=True, attribute_embeddings=True
    )
    embedding = small.towers[0].embedding
    own, of_attributes = embedding.items.numpy(), embedding.attributes.vectors.numpy()
    known = np.zeros([histories.num_items, histories.num_attributes])
    bounds = itertools.pairwise(histories.attribute_offsets)
    for item, (start, end) in enumerate(bounds):
        known[item, histories.attribute_values[start:end]] = 1
    rows = own[1 : histories.num_items + 1].astype(float)
    mean = rows.mean(axis=0)
    normal = known.T @ known + STRENGTH * np.eye(histories.num_attributes)
    of_value = np.linalg.solve(normal, known.T @ (rows - mean))
    of_value += of_attributes[1:]  # a value's own vector stands behind that of no value
    expected = mean + np.stack([of_value[[3, 8]].sum(axis=0), of_value[5]])
    found = large.ensemble.item_vectors().numpy()[-2:, :8]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
