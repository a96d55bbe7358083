"""A tower with vectors of its users, alone and in Caser."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.evaluator import rank_users
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.caser import Caser
from emkd_tf.models.user_tower import UNKNOWN
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import compile_model, training_data

ITEMS = tf.constant([[0, 3, 9], [5, 6, 7]], tf.int32)


@pytest.fixture
def made(tiny_settings):
    """Caser with users, its config and its data; all weights are large."""
    settings = {"model": "caser", "num_networks": 1, "distillation": False}
    settings |= {"dropout": 0.0, "window": 3, "user_vectors": True, "batch_size": 60}
    config = from_flat({**tiny_settings, **settings})
    histories = prepare(config.data)
    model = Caser.create(config, histories)
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    return config, histories, model


def test_the_query_is_a_state_and_the_vector_of_the_user(made):
    (tower,) = made[2].towers
    states = tower.states(ITEMS).numpy()[:, -1]
    users = tf.constant([4, UNKNOWN])
    queries = tower.query(ITEMS, users).numpy()
    np.testing.assert_allclose(queries[:, :8], states, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(queries[0, 8:], tower.users.numpy()[4])
    np.testing.assert_array_equal(queries[1, 8:], np.zeros(8))
    unknown = tower.query(ITEMS).numpy()
    np.testing.assert_allclose(unknown[1], queries[1], rtol=1e-4, atol=1e-6)


def test_scores_are_their_products_with_weights_of_twice_the_width(made):
    _, _, model = made
    (tower,) = model.towers
    assert tower.item_table().shape == (41, 16)
    users = tf.constant([4, 7])
    found = model.user_vectors(ITEMS, users) @ tf.transpose(model.item_vectors())
    z = tower.states(ITEMS).numpy()[:, -1]
    u = tower.users.numpy()[[4, 7]]
    table, bias = tower.item_table().numpy()[1:], tower.item_bias.numpy()[1:]
    expected = np.concatenate([z, u], axis=1) @ table.T + bias
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_batches_name_the_users_of_their_rows_and_the_loss_reads_them(made):
    config, histories, model = made
    batch = next(iter(training_data(config, histories).batches()))
    (tower,) = model.towers
    table, bias = tower.item_table().numpy(), tower.item_bias.numpy()
    loss = 0.0
    for row, user in enumerate(batch["users"].numpy()):
        ids, labels = (batch[name][row].numpy() for name in ("item_ids", "labels"))
        known = ids[ids > 0]
        ends = histories.split.training_ends[user]
        newest = histories.items[histories.offsets[user] : ends][-len(known) - 1 : -1]
        np.testing.assert_array_equal(known, newest)
        states = tower.states(tf.constant(ids[np.newaxis])).numpy()[0]
        for place in np.flatnonzero(labels):
            query = np.concatenate([states[place], tower.users.numpy()[user]])
            logits = table @ query + bias
            loss += np.log(np.exp(logits).sum()) - logits[labels[place]]
    found = model.compute_losses(batch)["next_item"] * model.expected_labels
    np.testing.assert_allclose(found, loss, rtol=1e-3)


def test_users_learn_from_zero_and_those_without_a_row_stay_there(made):
    config, histories, _ = made
    model = Caser.create(config, histories)
    compile_model(model, config, 10)
    (tower,) = model.towers
    assert not tower.users.numpy().any()
    batch = next(iter(training_data(config, histories).batches()))
    model.train_step(batch)
    learned = np.flatnonzero(tower.users.numpy().any(axis=1))
    assert set(learned) == set(batch["users"].numpy().tolist())


def test_ranks_and_lists_are_of_the_user_where_one_is_known(made):
    _, histories, model = made
    ranks = rank_users(model, histories, "test")["ensemble"]["all"]
    vectors = model.item_vectors().numpy()
    lists = VectorRecommender(model, histories, "all")
    names, users = np.array(histories.item_ids()), histories.user_ids()
    differ = 0
    for user in range(10):
        history = histories.before_target("test", np.array([user]))
        one = model.user_vectors(tf.constant(history), tf.constant([user]))
        scores = vectors @ one.numpy()[0]
        target = histories.targets("test")[user]
        assert ranks[user] == (scores >= scores[target - 1]).sum()
        raw = [names[item - 1] for item in history[0] if item]
        known = lists.recommend([raw], 5, [users[user]]).item_ids[0]
        np.testing.assert_array_equal(known, names[np.argsort(-scores)[:5]])
        unknown = lists.recommend([raw], 5, ["nobody"]).item_ids[0]
        np.testing.assert_array_equal(unknown, lists.recommend([raw], 5).item_ids[0])
        differ += (known != unknown).any()
    assert differ > 5


@pytest.mark.slow
def test_an_export_answers_everyone_as_unknown_and_says_so(made, tmp_path):
    _, histories, model = made
    folder, _ = export_saved_model(
        model.ensemble, histories, tmp_path / "caser", k=5, protocol="all"
    )
    readme = " ".join((tmp_path / "caser" / "README.md").read_text().split())
    assert "each is answered as one that it does not know" in readme
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    raw = histories.item_ids()[:4]
    expected = VectorRecommender(model, histories, "all").recommend([raw], 5)
    answer = served(history=tf.constant([raw]))
    found = [item.decode() for item in answer["item_ids"].numpy()[0]]
    assert found == expected.item_ids[0].tolist()
    np.testing.assert_allclose(answer["scores"], expected.scores, rtol=1e-4)
