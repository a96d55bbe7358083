"""SASRec: a causal transformer whose every state predicts the next item."""

from __future__ import annotations

from emkd_tf.models.next_item import NextItemModel


class SASRec(NextItemModel):
    """Next item prediction with causal self-attention.

    Args: see `NextItemModel`.

    Source: Kang and McAuley 2018. Departures: items are multiplied by sqrt(d) before
    positions are added (`scale_embeddings`) only in the preset `paper`, whose weights
    start by Glorot as in the release, but normal, not uniform; see also `NextItemModel`
    and, for attention, `CausalBlock`.
    """
