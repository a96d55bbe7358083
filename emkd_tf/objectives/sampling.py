"""Corrects the logits of a few candidates to stand for those of all items."""

from __future__ import annotations

import tensorflow as tf

_OUT = 1e9  # finite, as zero probability times infinity is not a number


def sampling_offsets(
    labels: tf.Tensor, candidates: tf.Tensor, log_expected: tf.Tensor
) -> tf.Tensor:
    """Returns what to take off the logits of [own label, candidates].

    With z' = z - offset the sum of exp(z') over a row is an unbiased estimate of the
    sum of exp(z) over all items: the label counts once, another item counts once over
    all draws on average. So softmax, cross entropy (`masked_item_loss` with label 0)
    and `distillation_loss` of z' estimate those of z. Logits that will be divided by a
    temperature need the offsets times the temperature.

    Args:
        labels: [P] int32, the original items.
        candidates: [S] int32, drawn items, the same for all rows.
        log_expected: [S] float, log of how often each is expected among the draws.

    Returns:
        [P, 1 + S] float: 0 for the label, `log_expected` for the candidates, 1e9 for
        candidates that are the row's label.

    Source: Bengio and Senecal 2008; Jean et al. 2015, section 3; the label without a
    correction as in Blanc and Rendle 2018, section 2.2. Departure: none.
    """
    is_label = labels[:, tf.newaxis] == candidates
    offsets = tf.where(is_label, tf.constant(_OUT, log_expected.dtype), log_expected)
    return tf.pad(offsets, [[0, 0], [1, 0]])
