"""A tower that knows its users: it appends a user's vector to the state."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.initializers import SCORING
from emkd_tf.models.tower import Tower

UNKNOWN = -1  # number of a user that training has not seen


class UserTower(Tower):
    """The query is [z; u], a state of the encoder and the user's vector; it scores item
    weights of width 2d. An unknown user's vector is zero.

    Args:
        encoder: of width d.
        num_users: of the training data.
        seed, initialization, options: of `Tower`.

    Source: Tang and Wang 2018 (Caser), section 3.3. Departure: the vectors start at
    zero, so that a user without training actions is scored like an unknown one.
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        *,
        num_users: int,
        seed: int = 0,
        initialization: str = "normal",
        **options: Any,
    ):
        options |= {"seed": seed, "initialization": initialization}
        super().__init__(encoder, **{**options, "tie_item_embeddings": True})
        self.width = 2 * encoder.hidden_units
        self.item_weights = self.add_weight(
            "item_weights",
            [self.num_items + 1, self.width],
            initializer=SCORING[initialization](seed, "item_weights"),
        )
        self.users = self.add_weight(
            "users", [num_users, encoder.hidden_units], initializer="zeros"
        )

    def with_users(self, states: tf.Tensor, users: tf.Tensor) -> tf.Tensor:
        """Appends the vectors of users [n] int, possibly UNKNOWN, to states [n, d];
        returns [n, 2d]."""
        vectors = tf.gather(self.users, tf.maximum(users, 0))
        vectors = tf.where((users >= 0)[:, tf.newaxis], vectors, 0.0)
        return tf.concat([states, vectors], axis=-1)

    def query(self, item_ids: tf.Tensor, users: tf.Tensor | None = None) -> tf.Tensor:
        """See `Tower.query`.

        Args:
            item_ids: [B, any] int32, left-padded with PAD_ID.
            users: [B] int user numbers; None if no user is known.
        """
        states = super().query(item_ids)
        if users is None:
            return tf.pad(states, [[0, 0], [0, self.width - states.shape[-1]]])
        return self.with_users(states, users)
