"""EMKD: parallel networks that learn together and recommend by the sum of their
scores."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from emkd_tf.encoders import ENCODERS
from emkd_tf.fusion import fusion
from emkd_tf.models.ensemble import Ensemble, ItemScores
from emkd_tf.models.losses import EnsembleLosses, States
from emkd_tf.models.network import Network
from emkd_tf.models.replicas import global_sum, num_replicas, replica_id
from emkd_tf.special_ids import vocabulary_size


class EMKD(tf.keras.Model):
    """The ensemble of N networks with its training step.

    Args:
        num_items: V.
        max_length: L.
        item_attributes: [V + 2, A] float multi-hot table; A may be 0.
        num_networks, hidden_units, num_blocks, num_heads, dropout, tie_item_embeddings:
            see `config.ModelConfig`.
        losses: the terms of the training loss and their weights.
        seed: of the weights and the dropout; network n has its own, derived from it.
        static_shapes: give every tensor a static shape, for XLA.
        precision: of the networks' matrix products.
        fuse: train with fused formulas (`fusion`).
        skip_nonfinite: give batches whose loss or gradient is not finite a gradient of
            zero, and count them in `skipped`.

    Call:
        item_ids: [B, length] int32 histories, left-padded. Returns `score_items`.

    Source: Du et al. 2023. Departure: the networks start from different weights, the
    release starts their transformer blocks identical.
    """

    def __init__(
        self,
        *,
        num_items: int,
        max_length: int,
        item_attributes: np.ndarray,
        num_networks: int = 3,
        hidden_units: int = 256,
        num_blocks: int = 2,
        num_heads: int = 2,
        dropout: float = 0.3,
        tie_item_embeddings: bool = False,
        losses: EnsembleLosses | None = None,
        seed: int = 0,
        static_shapes: bool = False,
        precision: str = "float32",
        fuse: bool = False,
        skip_nonfinite: bool = False,
        encoder: str = "transformer",
        name: str = "emkd",
    ):
        super().__init__(name=name)
        self.num_items, self.max_length, self.seed = num_items, max_length, seed
        self.hidden_units = hidden_units
        self.objective = losses or EnsembleLosses()
        self.static_shapes, self.fuse = static_shapes, fuse
        self.networks = [
            Network(
                ENCODERS[encoder](
                    vocabulary_size=vocabulary_size(num_items),
                    max_length=max_length,
                    hidden_units=hidden_units,
                    num_blocks=num_blocks,
                    num_heads=num_heads,
                    dropout=dropout,
                    seed=network_seed,
                    skip_padding=not static_shapes,
                    precision=precision,
                ),
                num_items=num_items,
                num_attributes=item_attributes.shape[1],
                seed=network_seed,
                tie_item_embeddings=tie_item_embeddings,
                precision=precision,
                name=f"network_{number}",
            )
            for number, network_seed in enumerate(_network_seeds(seed, num_networks), 1)
        ]
        self.ensemble = Ensemble(self.networks, num_items, max_length)
        self._item_attributes = tf.constant(item_attributes, tf.float32)
        self.loss_names = ("total", *self.objective.names(item_attributes.shape[1] > 0))
        self._trackers = [
            tf.keras.metrics.Mean(name=f"loss/{name}") for name in self.loss_names
        ]
        # The last step's own values, to tell which term is at fault when one is not
        # finite.
        self.last_losses = tf.Variable(
            tf.zeros([len(self.loss_names)]),
            trainable=False,
            name="last_losses",
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )
        self.skip_nonfinite = skip_nonfinite
        self.skipped = tf.Variable(
            0,
            trainable=False,
            name="skipped",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self.built = True

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        return self._trackers

    def call(self, item_ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.score_items(item_ids)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Computes this replica's share of every term; shares add up to the global
        mean.

        Args:
            batch: of `data.pipeline.training_batches`.
            dropout_seed: [2] int32, or None for no dropout.

        Returns:
            Scalars by name: "total" is the weighted sum, the terms are not weighted.
        """
        views = batch["views"]
        num_views, length = views.shape[1:]
        # Sequences first, then views: parts that lie together split without a copy.
        rows = tf.concat([batch["item_ids"], tf.reshape(views, [-1, length])], axis=0)
        num_sequences = tf.shape(views)[0]
        states = []
        for number, network in enumerate(self.networks):
            seed = (
                None
                if dropout_seed is None
                else tf.random.experimental.stateless_fold_in(dropout_seed, number)
            )
            anchors, of_views = tf.split(
                network.encoder(rows, dropout_seed=seed),
                [num_sequences, num_sequences * num_views],
            )
            shape = [-1, num_views, length, self.hidden_units]
            states.append(States(anchors, tf.reshape(of_views, shape)))
        return self.objective(
            self.networks,
            states,
            batch,
            item_attributes=self._item_attributes,
            static_shapes=self.static_shapes,
        )

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        step = tf.cast(self.optimizer.iterations, tf.int32)
        seed = tf.random.experimental.stateless_fold_in([self.seed, step], replica_id())
        with fusion(self.fuse):
            with tf.GradientTape() as tape:
                losses = self.compute_losses(batch, dropout_seed=seed)
            gradients = tape.gradient(losses["total"], self.trainable_variables)
        self._set_last(losses)
        if self.skip_nonfinite:
            losses, gradients = self._without_nonfinite(losses, gradients)
        # The replicas' gradients are added by the optimizer, as their losses are
        # shares.
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_variables, strict=True)
        )
        return self._track(losses)

    def test_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        losses = self.compute_losses(batch)
        self._set_last(losses)
        return self._track(losses)

    def _set_last(self, losses: dict[str, tf.Tensor]) -> None:
        self.last_losses.assign(tf.stack([losses[name] for name in self.loss_names]))

    def _without_nonfinite(
        self, losses: dict[str, tf.Tensor], gradients: list[tf.Tensor]
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """Zeroes the losses and gradients of all replicas if any value is not
        finite."""
        values = tf.nest.flatten(gradients, expand_composites=True)
        sums = [tf.reduce_sum(v) for v in values if v.dtype.is_floating]
        sums.append(losses["total"])
        is_bad = tf.logical_not(tf.reduce_all(tf.math.is_finite(tf.stack(sums))))
        is_bad = global_sum(tf.cast(is_bad, tf.float32)) > 0.0
        self.skipped.assign_add(tf.cast(is_bad, tf.int32))
        losses = {name: tf.where(is_bad, 0.0, v) for name, v in losses.items()}
        return losses, [_cleared(gradient, is_bad) for gradient in gradients]

    def _track(self, losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        values = [losses[name] for name in self.loss_names]
        for tracker, value in zip(self._trackers, values, strict=True):
            # A mean over replicas of shares, so times their number.
            tracker.update_state(value * num_replicas())
        return {tracker.name: tracker.result() for tracker in self._trackers}

    def user_vectors(self, item_ids: tf.Tensor) -> tf.Tensor:
        """See `Ensemble.user_vectors`."""
        return self.ensemble.user_vectors(item_ids)

    def item_vectors(self) -> tf.Tensor:
        """See `Ensemble.item_vectors`."""
        return self.ensemble.item_vectors()

    def score_items(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Scores items 1..V for histories: [B, length] to [B, V]."""
        return tf.matmul(
            self.user_vectors(item_ids), self.item_vectors(), transpose_b=True
        )

    def members(self) -> dict[str, ItemScores]:
        """See `Ensemble.members`."""
        return self.ensemble.members()

    def parameters(self) -> dict[str, int]:
        """Counts the encoders' weights (the paper's Table 5) and all trained
        weights."""
        encoders = [w for n in self.networks for w in n.encoder.trainable_variables]
        return {
            "encoders": sum(math.prod(w.shape) for w in encoders),
            "all": sum(math.prod(w.shape) for w in self.trainable_variables),
        }


def _cleared(
    gradient: tf.Tensor | tf.IndexedSlices, is_bad: tf.Tensor
) -> tf.Tensor | tf.IndexedSlices:
    """Zeroes a gradient if it is bad; slices stay slices."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.where(is_bad, 0.0, gradient)
    values = tf.where(is_bad, 0.0, gradient.values)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


def _network_seeds(seed: int, num_networks: int) -> list[int]:
    return np.random.SeedSequence(seed).generate_state(num_networks).tolist()
