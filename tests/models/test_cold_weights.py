"""Weights of cold items against a closed form, and against those that were copied."""

import numpy as np
import pytest
from scipy import sparse

from emkd_tf.models.cold_weights import AttributeRegression, copy_weights


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


@pytest.mark.parametrize("name", ["emkd", "sasrec", "fdsa", "mminforec"])
def test_known_items_score_as_before(name, tmp_path):
    import tensorflow as tf

    from emkd_tf.config import from_flat
    from emkd_tf.data.cold_items import ColdItems, with_cold_items
    from emkd_tf.data.prepare import prepare
    from emkd_tf.training.setup import build_model

    settings = {"model": name, "hidden_units": 8, "num_blocks": 1, "num_heads": 1}
    settings |= {"max_length": 6, "cache_dir": str(tmp_path), "dropout": 0.0}
    config = from_flat(settings)
    histories = prepare(config.data)
    values = histories.attribute_values[histories.attribute_offsets[0] :][:3]
    cold = ColdItems(["new", "newer"], np.array([0, 2, 3]), np.array(values, np.int32))
    folder = tmp_path / "cold"
    folder.mkdir()
    grown = with_cold_items(histories, cold, folder)
    small, large = build_model(config, histories), build_model(config, grown)
    for weight in small.trainable_variables:
        weight.assign(tf.random.stateless_normal(weight.shape, [0, 1]))
    copy_weights(small, large, grown)

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
