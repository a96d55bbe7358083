"""SASRec: a causal transformer whose every state predicts the next item."""

from __future__ import annotations

from emkd_tf.models.next_item import NextItemModel


class SASRec(NextItemModel):
    """Next item prediction with causal self-attention.

    Args: see `NextItemModel`.

    Source: Kang and McAuley 2018. Departures: embeddings are not multiplied by sqrt(d)
    before positions are added; weights start normal (`initialization`), the release's
    uniform by Glorot; see also `NextItemModel` and, for attention, `CausalBlock`.
    """
