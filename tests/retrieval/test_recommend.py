"""Recommendations for raw ids against scoring by hand."""

import numpy as np
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.retrieval.recommend import recommend
from emkd_tf.training.build import build_model


def test_best_unseen_items_by_their_raw_ids(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    model = build_model(config, histories)
    names = histories.item_ids()
    questions = [[names[4], "never sold", names[9]], [], names[:38]]
    items, scores, unknown = recommend(model, histories, questions, k=3)
    assert unknown == [["never sold"], [], []]
    for row, history in enumerate([[5, 10], [0], list(range(1, 39))]):
        expected = model.score_items(tf.constant([history])).numpy()[0]
        expected[[i - 1 for i in history if i]] = -np.inf
        best = np.argsort(-expected)[:3]
        best = best[np.isfinite(expected[best])]
        assert items[row][: len(best)].tolist() == [names[i] for i in best]
        np.testing.assert_allclose(scores[row][: len(best)], expected[best], rtol=1e-4)
        assert items[row][len(best) :].tolist() == [""] * (3 - len(best))
    assert np.isfinite(scores).all()
