"""What each signature answers, against the live model's logits by hand."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.export.signatures import newest_known
from emkd_tf.retrieval.recommend import LOWEST

LENGTH = 6  # L of the tiny model


@pytest.fixture(scope="module")
def signatures(each_export):
    return tf.saved_model.load(str(each_export.folder)).signatures


def texts(array):
    return [[text.decode() for text in row] for row in array.numpy()]


def live_scores(exported, history):
    """[V] sums of the networks' logits for a history of known raw ids."""
    numbers = [1 + exported.names.index(item) for item in history][-(LENGTH - 1) :]
    rows = tf.constant([[0] * (LENGTH - 1 - len(numbers)) + [*numbers, 41]])
    return sum(
        tower.item_table().numpy()[1:] @ tower.states(rows)[0, -1].numpy()
        + tower.item_bias.numpy()[1:]
        for tower in exported.model.towers
    )


def best(exported, history, k):
    scores = live_scores(exported, history)
    scores[[exported.names.index(item) for item in history]] = -np.inf
    order = np.argsort(-scores)[:k]
    return [exported.names[i] for i in order], scores[order]


def test_padding_and_unknown_items_move_to_the_front():
    rows = tf.constant([[0, 5, 0, 6, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])
    assert newest_known(rows, 3).numpy().tolist() == [[0, 5, 6], [3, 4, 5], [0, 0, 0]]
    assert newest_known(rows[:, :2], 3).numpy().tolist() == [[0, 5], [1, 2], [0, 0]]
    assert newest_known(tf.zeros([2, 0], tf.int32), 3).shape == (2, 0)
    assert newest_known(rows, 9).numpy().dtype == np.int32


def test_serving_default_leaves_the_history_out(each_export, signatures):
    names = each_export.names
    known = [names[3], names[39], names[7]]
    request = [["", *known, ""], [names[3], "?", names[39], names[7], ""]]
    answer = signatures["serving_default"](history=tf.constant(request))
    items, scores = best(each_export, known, 5)
    for row in range(2):
        assert texts(answer["item_ids"])[row] == items
        np.testing.assert_allclose(answer["scores"][row], scores, atol=1e-4)
    assert answer["unknown_items"].numpy().tolist() == [0, 1]
    assert answer["is_popular"].numpy().tolist() == [False, False]


def test_a_long_history_keeps_the_newest_and_excludes_all(each_export, signatures):
    history = each_export.names[:20]
    answer = signatures["serving_default"](history=tf.constant([history]))
    items, scores = best(each_export, history, 5)
    assert texts(answer["item_ids"]) == [items]
    np.testing.assert_allclose(answer["scores"][0], scores, atol=1e-4)


def test_where_too_few_items_are_left_the_rest_is_empty(each_export, signatures):
    history = each_export.names[:38]
    answer = signatures["serving_default"](history=tf.constant([history]))
    found = texts(answer["item_ids"])[0]
    assert set(found[:2]) == set(each_export.names[38:])
    assert found[2:] == [""] * 3
    assert (answer["scores"].numpy()[0, 2:] == np.float32(LOWEST)).all()


@pytest.mark.parametrize("history", [[[""]], [["?", ""]], np.zeros([1, 0], str)])
def test_popular_items_where_nothing_is_known(each_export, signatures, history):
    history = tf.constant(history, tf.string)
    answer = signatures["serving_default"](history=history)
    counts = each_export.histories.training_item_counts()
    places = [each_export.names.index(item) for item in texts(answer["item_ids"])[0]]
    assert counts[places].tolist() == sorted(counts, reverse=True)[:5]
    assert answer["is_popular"].numpy().tolist() == [True]
    shares = counts[places] / counts.sum()
    np.testing.assert_allclose(answer["scores"][0], shares, rtol=1e-5)


def test_no_history_gives_no_list(signatures):
    answer = signatures["serving_default"](history=tf.zeros([0, 4], tf.string))
    assert answer["item_ids"].shape == (0, 5)
    assert answer["unknown_items"].shape == (0,)


def test_a_joined_history_is_the_same(each_export, signatures):
    names = each_export.names
    joined = [f"{names[3]},?,{names[39]}", "", names[7], ","]
    padded = [[names[3], "?", names[39]], [""] * 3, ["", "", names[7]], [""] * 3]
    one = signatures["history_joined"](history=tf.constant(joined))
    other = signatures["serving_default"](history=tf.constant(padded))
    for name, value in one.items():
        if value.dtype == tf.float32:
            np.testing.assert_allclose(value, other[name], rtol=1e-5)
        else:
            assert value.numpy().tolist() == other[name].numpy().tolist()


def test_score_keeps_the_order_of_the_candidates(each_export, signatures):
    names = each_export.names
    history = [names[3], names[39]]
    candidates = [names[9], "?", names[3], "", names[9], names[0]]
    answer = signatures["score"](
        history=tf.constant([history, ["", ""]]),
        candidates=tf.constant([candidates, candidates]),
    )
    scores = live_scores(each_export, history)
    lowest = np.float32(LOWEST)
    expected = [scores[9], lowest, scores[3], lowest, scores[9], scores[0]]
    np.testing.assert_allclose(answer["scores"][0], expected, rtol=1e-4, atol=1e-4)
    is_known = [True, False, True, False, True, True]
    assert answer["is_known"].numpy().tolist() == [is_known, is_known]
    shares = each_export.recommender.popularity
    expected = [shares[9], lowest, shares[3], lowest, shares[9], shares[0]]
    np.testing.assert_allclose(answer["scores"][1], expected, rtol=1e-5)
    assert answer["is_popular"].numpy().tolist() == [False, True]


def test_embed_times_the_item_vectors_is_the_score(each_export, signatures):
    folder = each_export.folder.parent / "vectors" / each_export.folder.name
    vectors = np.load(folder / "item_vectors.npy")
    assert (folder / "item_ids.txt").read_text().split("\n")[:-1] == each_export.names
    history = [each_export.names[3], each_export.names[39]]
    answer = signatures["embed"](history=tf.constant([history, ["?", ""]]))
    scores = answer["query"].numpy() @ vectors.T
    np.testing.assert_allclose(scores[0], live_scores(each_export, history), atol=1e-4)
    counts = each_export.histories.training_item_counts()
    np.testing.assert_allclose(scores[1], counts / counts.sum(), rtol=1e-5)


def test_similar_items_by_the_cosine_of_their_vectors(each_export, signatures):
    answer = signatures["similar_items"](
        item_id=tf.constant([each_export.names[8], "?"])
    )
    tables = [n.item_table().numpy()[1:] for n in each_export.model.towers]
    vectors = np.concatenate(tables, axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors[8]
    cosines[8] = -np.inf
    order = np.argsort(-cosines)[:5]
    assert texts(answer["item_ids"])[0] == [each_export.names[i] for i in order]
    np.testing.assert_allclose(answer["scores"][0], cosines[order], atol=1e-5)
    assert texts(answer["item_ids"])[1] == [""] * 5
    assert answer["is_known"].numpy().tolist() == [True, False]


def test_nothing_is_infinite_or_no_number(each_export, signatures):
    rows = tf.constant([["", ""], ["?", ""], each_export.names[:2]])
    for name in ("serving_default", "embed"):
        for value in signatures[name](history=rows).values():
            if value.dtype == tf.float32:
                assert np.isfinite(value).all()
