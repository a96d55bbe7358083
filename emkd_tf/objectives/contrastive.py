"""Contrastive losses: intra-network (ICL), cross-network (CCL), two views (NT-Xent)."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.fusion import fused

_SMALLEST_SQUARE = 1e-12


def contrastive_losses(
    anchors: list[tf.Tensor],
    views: list[tf.Tensor],
    negatives: list[tf.Tensor],
    is_self: tf.Tensor,
    *,
    temperature: float,
    self_term: bool = False,
) -> tf.Tensor:
    """Pulls each sequence towards its own views and away from other sequences.

    For every pair of networks (x, y): the anchors of x against the views and the
    sequences of y. Pairs (x, x) are ICL, the others CCL.

    Args:
        anchors: N tensors [B, D] float, the states of each sequence.
        views: N tensors [B, M, D] float, the states of its masked views.
        negatives: N tensors [C, D] float, the states of all sequences of the global
            batch.
        is_self: [B, C] bool, True where the negative is the anchor's own sequence.
        temperature: of the softmax, > 0.
        self_term: keep a constant exp(0) for the anchor's own sequence among the
            negatives.

    Returns:
        [N, N, B] float, indexed by x and y. A sequence without negatives gives 0:
        there is nothing to contrast.

    Source: Du et al. 2023, equations of ICL and CCL. Departure: the authors' release
    keeps exp(0) for the anchor's own sequence; `self_term` does the same, the default
    leaves it out.
    """
    num_networks, width = len(anchors), anchors[0].shape[-1]
    batch, num_others = tf.unstack(tf.shape(is_self))
    anchors = _normalized(tf.stack(anchors, axis=1))  # [B, x, D]
    # The views are the largest tensors here: a single product per network reads them,
    # and their norms are applied to the products instead.
    positive = tf.stack(
        [
            tf.matmul(anchors, of_network, transpose_b=True)
            * _inverse_norms(of_network)[:, tf.newaxis]
            for of_network in views
        ],
        axis=2,
    )  # [B, x, y, M]
    negative = tf.matmul(
        tf.reshape(anchors, [batch * num_networks, width]),
        _normalized(tf.concat(negatives, axis=0)),
        transpose_b=True,
    )
    shape = [batch, num_networks, num_networks, num_others]
    losses = _contrast(
        positive,
        tf.reshape(negative, shape),
        is_self,
        temperature=temperature,
        self_term=self_term,
    )
    return tf.transpose(losses, [1, 2, 0])


@fused
def _contrast(
    positive: tf.Tensor,
    negative: tf.Tensor,
    is_self: tf.Tensor,
    *,
    temperature: float,
    self_term: bool,
) -> tf.Tensor:
    """Cosines [B, x, y, M] and [B, x, y, C] to losses [B, x, y]."""
    own = 0.0 if self_term else negative.dtype.min
    negative = tf.where(is_self[:, tf.newaxis, tf.newaxis], own, negative / temperature)
    loss = tf.reduce_logsumexp(negative, axis=-1) - tf.reduce_logsumexp(
        positive / temperature, axis=-1
    )
    has_negative = self_term | ~tf.reduce_all(is_self, axis=-1)
    return tf.where(has_negative[:, tf.newaxis, tf.newaxis], loss, 0.0)


def nt_xent_loss(
    views: tuple[tf.Tensor, tf.Tensor],
    all_views: tuple[tf.Tensor, tf.Tensor],
    is_self: tf.Tensor,
    *,
    temperature: float,
    cosine: bool = False,
) -> tf.Tensor:
    """Picks out the other view of each sequence among all views of other sequences.

    With C sequences, each of the two views has one positive and 2 (C - 1) negatives.

    Args:
        views: two tensors [B, D] float, the first and the second view of sequences.
        all_views: two tensors [C, D] float, the views of all sequences of the global
            batch.
        is_self: [B, C] bool, True where the other sequence is the same one.
        temperature: of the softmax, > 0.
        cosine: compare states by cosine instead of inner product.

    Returns:
        [B] float, cross entropy in nats, the mean of both views; zero if there is only
        one sequence.

    Source: Chen et al. 2020 (SimCLR), equation 1. Departure: the inner product, as in
    Qiu et al. 2022 (DuoRec), unless `cosine`.
    """
    if cosine:
        views = (_normalized(views[0]), _normalized(views[1]))
        all_views = (_normalized(all_views[0]), _normalized(all_views[1]))
    positive = tf.reduce_sum(views[0] * views[1], axis=-1, keepdims=True)
    others = tf.concat(all_views, axis=0)
    is_own = tf.concat([is_self, is_self], axis=1)
    losses = []
    for view in views:
        negative = tf.matmul(view, others, transpose_b=True)
        negative = tf.where(is_own, negative.dtype.min, negative / temperature)
        logits = tf.concat([positive / temperature, negative], axis=1)
        losses.append(tf.reduce_logsumexp(logits, axis=1) - logits[:, 0])
    return 0.5 * tf.add_n(losses)


@fused
def _inverse_norms(states: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(tf.square(states), axis=-1)
    return tf.math.rsqrt(tf.maximum(squares, _SMALLEST_SQUARE))


@fused
def _normalized(states: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(states, axis=-1, epsilon=_SMALLEST_SQUARE)
