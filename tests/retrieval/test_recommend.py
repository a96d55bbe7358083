"""Recommendations for raw ids against scoring by hand."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.retrieval.recommend import LOWEST, VectorRecommender, choose_separator
from emkd_tf.training.setup import build_model


@pytest.fixture
def model_and_histories(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    return build_model(config, histories), histories


def test_best_unseen_items_by_their_raw_ids(model_and_histories):
    model, histories = model_and_histories
    names = histories.item_ids()
    questions = [[names[4], "never sold", names[9]], names[:38], [names[2]] * 9]
    answer = VectorRecommender(model.ensemble, histories).recommend(questions, k=3)
    assert answer.unknown == [["never sold"], [], []]
    assert answer.is_popular.tolist() == [False, False, False]
    for row, history in enumerate([[5, 10], list(range(1, 39)), [3] * 9]):
        expected = model.score_items(tf.constant([history])).numpy()[0]
        expected[[i - 1 for i in history]] = -np.inf
        best = np.argsort(-expected)[:3]
        best = best[np.isfinite(expected[best])]
        found, scores = answer.item_ids[row], answer.scores[row]
        assert found[: len(best)].tolist() == [names[i] for i in best]
        np.testing.assert_allclose(scores[: len(best)], expected[best], rtol=1e-4)
        assert found[len(best) :].tolist() == [""] * (3 - len(best))
        assert (scores[len(best) :] == LOWEST).all()


def test_popular_items_where_nothing_is_known(model_and_histories):
    model, histories = model_and_histories
    counts = histories.training_item_counts()
    recommender = VectorRecommender(model.ensemble, histories)
    answer = recommender.recommend([[], ["never sold", ""]], k=40)
    assert answer.is_popular.all()
    assert answer.unknown == [[], ["never sold"]]
    number = {name: i for i, name in enumerate(histories.item_ids())}
    for found, scores in zip(answer.item_ids, answer.scores, strict=True):
        of_found = counts[[number[name] for name in found]]
        assert (np.diff(of_found) <= 0).all()
        np.testing.assert_allclose(scores, of_found / counts.sum(), rtol=1e-5)


def test_queries_times_item_vectors_are_the_scores(model_and_histories):
    model, histories = model_and_histories
    recommender = VectorRecommender(model.ensemble, histories)
    names = histories.item_ids()
    queries = recommender.queries(recommender.numbers([[names[4], "?", names[9]], []]))
    scores = queries @ recommender.item_vectors.T
    expected = model.score_items(tf.constant([[5, 10]]))[0]
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)
    short = recommender.queries(np.array([[5, 10], [0, 0]], np.int32))
    np.testing.assert_array_equal(short, queries)
    np.testing.assert_array_equal(scores[1], recommender.popularity)


def test_one_long_id_makes_not_all_of_them_long(model_and_histories, monkeypatch):
    model, histories = model_and_histories
    names = [*histories.item_ids()[:-1], "x" * 10**6]
    monkeypatch.setattr(type(histories), "item_ids", lambda self: names)
    recommender = VectorRecommender(model.ensemble, histories)
    assert recommender.names.nbytes < 10**4
    answer = recommender.recommend([["x" * 10**6], names[:2]], k=3)
    assert answer.unknown == [[], []]
    assert answer.item_ids.nbytes < 10**4


def test_the_separator_is_in_no_id():
    assert choose_separator(["a", "b c"]) == ","
    assert choose_separator(["a,b", "c"]) == " "
    assert choose_separator([", |;\t\x1f"]) == "\n"
