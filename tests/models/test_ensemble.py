"""How networks score together: one inner product."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower

from emkd_tf.errors import InputError
from emkd_tf.models.ensemble import Ensemble


def ensemble_of(num_towers, tie=False, num_blocks=2):
    return Ensemble(
        [
            make_tower(
                num_blocks=num_blocks,
                seed=number,
                mask_query=True,
                tie_item_embeddings=tie,
                name=f"network_{number}",
            )
            for number in range(num_towers)
        ]
    )


def logits_of(tower, query):
    product = tf.matmul(query, tower.item_table(), transpose_b=True)
    return product + tower.item_bias


@pytest.mark.parametrize("tie", [False, True])
def test_one_inner_product_equals_the_sum_of_the_networks_logits(tie):
    model = ensemble_of(3, tie=tie)
    for network in model.towers:
        network.item_bias.assign(np.random.default_rng(1).normal(size=31))
    histories = tf.constant([[0, 0, 3, 9], [5, 6, 7, 8], [0, 0, 0, 0]])
    states = model.queries(histories)
    logits = [logits_of(n, s) for n, s in zip(model.towers, states, strict=True)]
    expected = np.sum(logits, axis=0)[:, 1:]
    product = model.user_vectors(histories) @ tf.transpose(model.item_vectors())
    np.testing.assert_allclose(product, expected, rtol=1e-5, atol=1e-5)
    assert model.user_vectors(histories).shape == (3, 3 * 8 + 1)


def test_each_member_scores_as_its_network_alone():
    model = ensemble_of(2)
    histories = tf.constant([[0, 3, 9], [5, 6, 7]])
    vectors = model.user_vectors(histories).numpy()
    states = model.queries(histories)
    for state, (name, part) in zip(states, model.members().items(), strict=True):
        network = next(n for n in model.towers if n.name == name)
        np.testing.assert_allclose(
            vectors[:, part.columns] @ part.item_vectors.numpy().T,
            logits_of(network, state)[:, 1:],
            atol=1e-6,
        )


def test_one_network_of_an_ensemble_is_an_ensemble():
    whole = ensemble_of(2)
    histories = tf.constant([[0, 3, 9], [5, 6, 7]])
    alone = whole.alone(2)
    part = list(whole.members().values())[1]
    np.testing.assert_allclose(
        alone.user_vectors(histories) @ tf.transpose(alone.item_vectors()),
        whole.user_vectors(histories).numpy()[:, part.columns]
        @ part.item_vectors.numpy().T,
        atol=1e-6,
    )

    for number in (0, 3):
        with pytest.raises(InputError, match="`network` must be from 1 to 2, got"):
            whole.alone(number)


@pytest.mark.parametrize("num_blocks", [1, 2])
def test_the_last_state_alone_equals_the_last_of_all_states(num_blocks):
    ensemble = ensemble_of(1, num_blocks=num_blocks)
    histories = tf.constant([[0, 0, 3, 9, 4], [5, 6, 7, 8, 2], [0, 0, 0, 0, 0]])
    rows = tf.pad(histories, [[0, 0], [0, 1]], constant_values=31)
    states = ensemble.towers[0].states(rows)
    np.testing.assert_allclose(ensemble.queries(histories)[0], states[:, -1], atol=1e-6)
