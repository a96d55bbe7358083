"""ICL and CCL against numpy, by hand, and where their gradients go."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.contrastive import contrastive_losses, nt_xent_loss


def numpy_loss(anchors, views, negatives, temperature, self_term=False):
    """The equation, one user and one cosine at a time."""

    def cosine(a, b):
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        return a @ b / norms if norms else 0.0

    losses = []
    for u, anchor in enumerate(anchors):
        positive = sum(np.exp(cosine(anchor, v) / temperature) for v in views[u])
        others = [n for j, n in enumerate(negatives) if j != u]
        negative = sum(np.exp(cosine(anchor, n) / temperature) for n in others)
        negative += self_term
        losses.append(np.log(negative) - np.log(positive) if negative else 0.0)
    return np.array(losses)


def loss_of(anchors, views, negatives, **options):
    anchors, views, negatives = (
        tf.constant(x, tf.float32) for x in (anchors, views, negatives)
    )
    is_self = tf.eye(len(anchors), dtype=tf.bool)
    return contrastive_losses([anchors], [views], [negatives], is_self, **options)[0, 0]


@pytest.mark.parametrize("self_term", [False, True])
@pytest.mark.parametrize("temperature", [0.3, 1.0])
@pytest.mark.parametrize(
    ("users", "views", "width"), [(2, 1, 3), (5, 4, 8), (9, 2, 60)]
)
def test_equals_numpy(users, views, width, temperature, self_term):
    rng = np.random.default_rng(users)
    anchors = rng.normal(size=(users, width))
    negatives = rng.normal(size=(users, width))
    of_views = rng.normal(size=(users, views, width))
    expected = numpy_loss(anchors, of_views, negatives, temperature, self_term)
    loss = loss_of(
        anchors, of_views, negatives, temperature=temperature, self_term=self_term
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)


def test_two_orthogonal_users_by_hand():
    users = np.array([[3.0, 0.0], [0.0, 2.0]])  # cosine: self 1, other 0
    loss = loss_of(users, users[:, None], users, temperature=0.5)
    np.testing.assert_allclose(loss, [-2.0, -2.0])  # log e^0 - log e^(1 / 0.5)


def test_one_user_alone_has_nothing_to_contrast():
    states = np.ones((1, 4))
    loss = loss_of(states, states[:, None], states, temperature=0.3)
    np.testing.assert_array_equal(loss, [0.0])


def test_a_sequence_of_padding_alone_is_finite_and_so_is_its_gradient():
    states = np.array([[1.0, 2.0], [0.0, 0.0], [0.5, -1.0]])
    states = tf.constant(states, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(states)
        loss = contrastive_losses(
            [states],
            [states[:, tf.newaxis]],
            [states],
            tf.eye(3, dtype=tf.bool),
            temperature=0.02,
        )
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, states)).all()


def test_a_user_is_never_its_own_negative():
    normal = tf.random.stateless_normal([2, 4, 8], seed=[1, 2])
    anchors, negatives = tf.unstack(normal)
    is_self = tf.eye(4, dtype=tf.bool)
    with tf.GradientTape() as tape:
        tape.watch(negatives)
        loss = contrastive_losses(
            [anchors], [anchors[:, None]], [negatives], is_self, temperature=1.0
        )[0, 0]
    jacobian = tape.jacobian(loss, negatives)  # [batch, batch, dim]
    np.testing.assert_array_equal(tf.einsum("bbd->bd", jacobian), np.zeros([4, 8]))
    assert np.abs(jacobian[0, 1]).max() > 0


def nt_xent(first, second, **options):
    views = tuple(tf.constant(x, tf.float32) for x in (first, second))
    is_self = tf.eye(len(first), dtype=tf.bool)
    return nt_xent_loss(views, views, is_self, **options).numpy()


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_nt_xent_has_the_views_of_all_other_sequences_as_negatives(temperature, cosine):
    """Three sequences, so four negatives."""
    rng = np.random.default_rng(0)
    views = rng.normal(size=(2, 3, 5))
    unit = views / np.linalg.norm(views, axis=-1, keepdims=True) if cosine else views
    expected = []
    for sequence in range(3):
        of_views = []
        for view in range(2):
            anchor = unit[view, sequence]
            positive = np.exp(anchor @ unit[1 - view, sequence] / temperature)
            negatives = [
                np.exp(anchor @ unit[v, s] / temperature)
                for v in range(2)
                for s in range(3)
                if s != sequence
            ]
            assert len(negatives) == 4
            of_views.append(-np.log(positive / (positive + sum(negatives))))
        expected.append(np.mean(of_views))
    found = nt_xent(*views, temperature=temperature, cosine=cosine)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_nt_xent_of_views_that_are_all_alike_is_the_log_of_their_number():
    same = np.ones((4, 3))
    np.testing.assert_allclose(nt_xent(same, same, temperature=0.7), np.log(7.0))


def test_nt_xent_of_one_sequence_alone_is_zero():
    one = np.ones((1, 3))
    np.testing.assert_array_equal(nt_xent(one, 2 * one, temperature=0.1), [0.0])


def test_nt_xent_of_identical_views_by_hand():
    """Orthogonal users of length 1: the positive is e, each of two others counts 1."""
    users = np.eye(2)
    expected = np.log((np.e + 2) / np.e)
    found = nt_xent(users, users, temperature=1.0)
    np.testing.assert_allclose(found, [expected] * 2, rtol=1e-6)
