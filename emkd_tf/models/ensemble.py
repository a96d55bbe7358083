"""How an ensemble of networks scores items: one inner product."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.models.network import Network, with_mask_token
from emkd_tf.special_ids import mask_id


@dataclasses.dataclass(frozen=True)
class ItemScores:
    """How a member of an ensemble scores: a part of the user vectors times item
    vectors.

    Attributes:
        columns: the parts of the user vectors [B, D] that it reads, in its order.
        item_vectors: [V, len(columns)] float.
    """

    columns: np.ndarray
    item_vectors: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """Networks that recommend by the sum of their scores.

    Attributes:
        networks: one or more.
        num_items: V.
        max_length: L.

    Source: Du et al. 2023 (prediction).
    """

    networks: Sequence[Network]
    num_items: int
    max_length: int

    def network_states(self, item_ids: tf.Tensor) -> list[tf.Tensor]:
        """Encodes histories with a mask token behind them.

        Args:
            item_ids: [B, length] int32, left-padded with PAD_ID; the last L - 1 count.

        Returns:
            N tensors [B, d], each network's state at the mask token.
        """
        rows = with_mask_token(item_ids, mask_id(self.num_items), self.max_length)
        return [network.encoder(rows, last_only=True) for network in self.networks]

    def user_vectors(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Encodes histories for one inner product with `item_vectors`.

        Args:
            item_ids: [B, length] int32, left-padded with PAD_ID; the last L - 1 count.

        Returns:
            [B, N * d + 1] float: the networks' states at the mask token, and a one.
        """
        states = self.network_states(item_ids)
        return tf.concat([*states, tf.ones_like(states[0][:, :1])], axis=-1)

    def item_vectors(self) -> tf.Tensor:
        """Returns [V, N * d + 1] float: the networks' item weights and their summed
        bias."""
        tables = [network.item_table()[1:] for network in self.networks]
        return tf.concat([*tables, self.item_bias()[1:, tf.newaxis]], axis=-1)

    def item_bias(self) -> tf.Tensor:
        """Returns the networks' summed bias [V + 1]."""
        return tf.add_n([tf.convert_to_tensor(n.item_bias) for n in self.networks])

    def alone(self, number: int) -> Ensemble:
        """Returns the network of a number, from 1, as an ensemble of its own.

        Raises:
            InputError: there is no such network.
        """
        if not 1 <= number <= len(self.networks):
            raise InputError(
                f"`network` must be from 1 to {len(self.networks)}, got {number}."
            )
        return dataclasses.replace(self, networks=[self.networks[number - 1]])

    def members(self) -> dict[str, ItemScores]:
        """Returns how each network alone scores, by its name."""
        width = self.networks[0].encoder.hidden_units
        last = len(self.networks) * width
        return {
            network.name: ItemScores(
                np.append(np.arange(number * width, (number + 1) * width), last),
                tf.concat(
                    [network.item_table()[1:], network.item_bias[1:, tf.newaxis]], -1
                ),
            )
            for number, network in enumerate(self.networks)
        }
