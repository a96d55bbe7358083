"""Lets towers score items together, by one inner product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.models.ranker import ItemScores
from emkd_tf.models.tower import Tower
from emkd_tf.models.user_tower import UserTower


class Ensemble:
    """Towers that recommend by the sum of their scores.

    Args:
        towers: one or more, of any widths and lengths.
        names: unique names for the towers, instead of their own.

    Attributes:
        num_items: V.
        history_length: of the tower that reads the longest histories.

    Source: Du et al. 2023 (prediction).
    """

    def __init__(self, towers: Sequence[Tower], names: Sequence[str] | None = None):
        self.towers = list(towers)
        self.names = list(names or [tower.name for tower in towers])
        if len(set(self.names)) < len(self.towers):
            raise ValueError(f"Each tower needs a name of its own, got {self.names}.")
        self.num_items = self.towers[0].num_items
        self.history_length = max(tower.history_length for tower in self.towers)

    @property
    def knows_users(self) -> bool:
        """Whether scores depend on the user as well as on the history."""
        return any(isinstance(tower, UserTower) for tower in self.towers)

    def queries(
        self, item_ids: tf.Tensor, users: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """Returns the towers' queries [B, d] of histories [B, any]; `users` go to the
        towers that know their users."""
        return [
            tower.query(item_ids, users)
            if isinstance(tower, UserTower)
            else tower.query(item_ids)
            for tower in self.towers
        ]

    def user_vectors(
        self, item_ids: tf.Tensor, users: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Encodes histories for one inner product with `item_vectors`.

        Args:
            item_ids: [B, any] int32, left-padded with PAD_ID.
            users: [B] int user numbers, possibly UNKNOWN, for towers that know their
                users; None if no user is known.

        Returns:
            [B, D + 1] float: the towers' queries, and a 1 for the bias.
        """
        queries = self.queries(item_ids, users)
        return tf.concat([*queries, tf.ones_like(queries[0][:, :1])], axis=-1)

    def item_vectors(self) -> tf.Tensor:
        """Returns [V, D + 1] float: the towers' item tables and their summed
        bias."""
        tables = [tower.item_table()[1:] for tower in self.towers]
        return tf.concat([*tables, self.item_bias()[1:, tf.newaxis]], axis=-1)

    def item_bias(self) -> tf.Tensor:
        """Returns the towers' summed bias [V + 1]; zeros if no tower has one."""
        biases = [t.item_bias for t in self.towers if t.item_bias is not None]
        if not biases:
            return tf.zeros([self.num_items + 1])
        return tf.add_n([tf.convert_to_tensor(bias) for bias in biases])

    def alone(self, number: int) -> Ensemble:
        """Returns tower `number`, counted from 1, as an ensemble of its own.

        Raises:
            InputError: there is no such tower.
        """
        if not 1 <= number <= len(self.towers):
            raise InputError(
                f"`network` must be from 1 to {len(self.towers)}, got {number}."
            )
        return Ensemble([self.towers[number - 1]], [self.names[number - 1]])

    def members(self) -> dict[str, ItemScores]:
        """Returns how each tower alone scores, by its name."""
        ends = np.cumsum([tower.width for tower in self.towers])
        found = {}
        for tower, name, end in zip(self.towers, self.names, ends, strict=True):
            columns = np.append(np.arange(end - tower.width, end), ends[-1])
            found[name] = ItemScores(columns, Ensemble([tower]).item_vectors())
        return found
