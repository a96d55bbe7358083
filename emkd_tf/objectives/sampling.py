"""Corrects the logits of a few candidates so that they stand for all items."""

from __future__ import annotations

import tensorflow as tf

_OUT = 1e9  # finite: zero probability times infinity would be NaN


def sampling_offsets(
    labels: tf.Tensor, candidates: tf.Tensor, log_expected: tf.Tensor
) -> tf.Tensor:
    """Returns what to subtract from the logits of [own label, candidates].

    With z' = z - offset the sum of exp(z') over a row is an unbiased estimate of the
    sum of exp(z) over all items: the label counts once, and every other item counts
    once on average over all draws. So softmax, cross entropy (`masked_item_loss` with
    label 0) and `distillation_loss` of z' estimate the same functions of z. If logits
    are divided by a temperature later, multiply the offsets by it.

    Args:
        labels: [P] int32, the original items.
        candidates: [S] int32, the drawn items, shared by all rows.
        log_expected: [S] float, log of how often each is expected among the draws.

    Returns:
        [P, 1 + S] float: 0 for the label, `log_expected` for the candidates, 1e9 for
        candidates that are the row's label.

    Source: Bengio and Senecal 2008; Jean et al. 2015, section 3; no correction for the
    label, as in Blanc and Rendle 2018, section 2.2. Departure: none.
    """
    is_label = labels[:, tf.newaxis] == candidates
    offsets = tf.where(is_label, tf.constant(_OUT, log_expected.dtype), log_expected)
    return tf.pad(offsets, [[0, 0], [1, 0]])
