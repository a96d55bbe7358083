"""One of the N parallel networks: an encoder with its item and attribute heads."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.encoders.initializers import normal
from emkd_tf.fusion import rounded_up
from emkd_tf.precision import matmul
from emkd_tf.special_ids import PAD_ID


class Network(tf.keras.layers.Layer):
    """An encoder, item logits d -> V + 1 and attribute logits d -> A.

    Args:
        encoder: item ids [B, L] to states [B, L, d].
        num_items: V.
        num_attributes: A; 0 for no attribute head.
        seed: of the heads' initial weights.
        tie_item_embeddings: score items with the encoder's item embedding.
        precision: of the product that gives item logits.

    Source: Du et al. 2023 (encoder); own item weights and bias as in the release.
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        *,
        num_items: int,
        num_attributes: int,
        seed: int,
        tie_item_embeddings: bool = False,
        precision: str = "float32",
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.encoder = encoder
        self._num_rows = num_items + 1
        self.precision = precision
        width = encoder.hidden_units
        self.item_weights = (
            None
            if tie_item_embeddings
            else self.add_weight(
                "item_weights",
                [self._num_rows, width],
                initializer=normal(seed, "item_weights"),
            )
        )
        self.item_bias = self.add_weight(
            "item_bias", [self._num_rows], initializer="zeros"
        )
        if num_attributes:
            self.attribute_weights = self.add_weight(
                "attribute_weights",
                [width, num_attributes],
                initializer=normal(seed, "attribute_weights"),
            )
            self.attribute_bias = self.add_weight(
                "attribute_bias", [num_attributes], initializer="zeros"
            )

    def item_table(self) -> tf.Tensor:
        """Returns the output item embedding [V + 1, d]; row 0 is the padding slot."""
        if self.item_weights is not None:
            return tf.convert_to_tensor(self.item_weights)  # a slice would be a copy
        return self.item_table_variable()[: self._num_rows]

    def item_table_variable(self) -> tf.Variable:
        """Returns the variable of `item_table`; it may have more rows behind item
        V."""
        if self.item_weights is None:
            return self.encoder.embedding.items
        return self.item_weights

    def serving_variables(self) -> list[tf.Variable]:
        """Returns what scoring items needs: all but the attribute head."""
        own = [w for w in (self.item_weights, self.item_bias) if w is not None]
        return [*self.encoder.trainable_variables, *own]

    def item_logits(self, states: tf.Tensor) -> tf.Tensor:
        """Scores items at chosen states: [P, d] to [P, V + 1]."""
        logits = matmul(states, self.item_table(), self.precision, transpose_b=True)
        return tf.nn.bias_add(tf.cast(logits, tf.float32), self.item_bias)

    def candidate_logits(
        self, states: tf.Tensor, labels: tf.Tensor, candidates: tf.Tensor
    ) -> tf.Tensor:
        """Scores each state's label and the shared candidates: [P, d], [P], [S] to
        [P, 1 + S]."""
        # Gathered from the variable, so that the gradient has these rows alone.
        table, bias = self.item_table_variable(), self.item_bias
        of_label = tf.reduce_sum(states * tf.gather(table, labels), axis=-1)
        of_label += tf.gather(bias, labels)
        others = matmul(
            states, tf.gather(table, candidates), self.precision, transpose_b=True
        )
        others = tf.cast(others, tf.float32)
        others = tf.nn.bias_add(others, tf.gather(bias, candidates))
        return tf.concat([of_label[:, tf.newaxis], others], axis=1)

    def attribute_logits(self, states: tf.Tensor) -> tf.Tensor:
        """Scores attributes: [P, d] to [P, A]."""
        return tf.matmul(states, self.attribute_weights) + self.attribute_bias


def with_mask_token(item_ids: tf.Tensor, mask_id: int, max_length: int) -> tf.Tensor:
    """Appends the mask token to histories and keeps the last `max_length` places.

    Args:
        item_ids: [B, length] int32, left-padded with PAD_ID.
        mask_id: id of the mask token.
        max_length: L.

    Returns:
        [B, min(length + 1, L)] int32; the prediction is read at the last place.
    """
    item_ids = item_ids[:, -(max_length - 1) :]
    return tf.pad(item_ids, [[0, 0], [0, 1]], constant_values=mask_id)


def chosen_positions(
    labels: tf.Tensor, capacity: int | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the positions that have a label.

    Args:
        labels: [n] int32, PAD_ID where nothing was chosen.
        capacity: length of the result where it must be static; None for as many as
            there are, or a few more under `fusion`. What is chosen beyond the capacity
            is left out.

    Returns:
        Positions [P] int32, and [P] bool, False at places that are not used; they hold
        position 0.
    """
    is_chosen = labels != PAD_ID
    if capacity is None:
        positions = tf.cast(tf.where(is_chosen)[:, 0], tf.int32)
        count = tf.size(positions)
        num_places = rounded_up(count)
        positions = tf.pad(positions, [[0, num_places - count]])
        return positions, tf.range(num_places) < count
    count = tf.size(labels)
    positions = tf.sort(tf.where(is_chosen, tf.range(count), count))[:capacity]
    is_used = positions < count
    return tf.where(is_used, positions, 0), is_used
