"""GRU4Rec: a recurrent network whose every state predicts the next item."""

from __future__ import annotations

from emkd_tf.models.next_item import NextItemModel


class GRU4Rec(NextItemModel):
    """Next item prediction with a gated recurrent unit.

    Args: see `NextItemModel`.

    Source: Hidasi et al. 2016; the projection to d and the tied item embedding as in
    RecBole. Departure: whole histories instead of session-parallel batches.
    """

    ENCODER = "gru"
