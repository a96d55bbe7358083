"""What all trained models have in common; each model adds its losses."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.compute import PLAIN, Compute
from emkd_tf.kernels.fusion import fusion
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.models.nonfinite import without_nonfinite
from emkd_tf.models.penalty import penalized
from emkd_tf.models.ranker import ItemScores
from emkd_tf.models.replicas import num_replicas, replica_id
from emkd_tf.models.stage import Stage
from emkd_tf.models.tower import Tower


class Recommender(tf.keras.Model, abc.ABC):
    """Towers whose scores add up, and the step that trains them.

    Args:
        towers: one or more.
        terms: names of the losses that `compute_losses` returns besides "total".
        network_terms: the terms in which each network has its own part.
        seed: of the dropout.
        compute: how to compute.
        skip_nonfinite: give batches whose loss or gradient is not finite a gradient of
            zero, and count them in `skipped`.
        l2: adds this times half the sum of all squared weights to the total.

    Attributes:
        heads: layers besides the towers that are trained and saved.

    Call:
        item_ids: [B, any] int32 histories, left-padded. Returns `score_items`.
    """

    def __init__(
        self,
        towers: Sequence[Tower],
        *,
        terms: Sequence[str],
        network_terms: Sequence[str] = (),
        seed: int = 0,
        compute: Compute = PLAIN,
        skip_nonfinite: bool = False,
        l2: float = 0.0,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.towers, self.seed, self.compute = list(towers), seed, compute
        self.heads: list[tf.keras.layers.Layer] = []
        self.ensemble = Ensemble(self.towers)
        self.num_items = self.ensemble.num_items
        self.knows_users = self.ensemble.knows_users
        self.history_length = self.ensemble.history_length
        networks = self.ensemble.names if len(self.towers) > 1 else ()
        parts = [f"{network}/{term}" for network in networks for term in network_terms]
        self.loss_names = ("total", *terms, *parts)
        self._trackers = [
            tf.keras.metrics.Mean(name=f"loss/{name}") for name in self.loss_names
        ]
        # The values of the last step, to tell which one is not finite.
        self.last_losses = tf.Variable(
            tf.zeros([len(self.loss_names)]),
            trainable=False,
            name="last_losses",
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )
        self.skip_nonfinite, self._l2 = skip_nonfinite, l2
        self.skipped = tf.Variable(
            0,
            trainable=False,
            name="skipped",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self.built = True

    @classmethod
    def create(cls, config: Config, histories: Histories) -> Recommender:
        """Builds the model of a config for a dataset."""
        raise NotImplementedError

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """Returns what the model learns from: rows, transforms, candidates."""
        raise NotImplementedError

    @classmethod
    def stages(cls, config: Config) -> list[Stage]:
        """Returns the stages that train the model, the last one of this class."""
        return [Stage(cls, config)]

    @classmethod
    def check(cls, config: Config, histories: Histories) -> None:
        """Refuses data that the model cannot learn from, before anything is written.

        Raises:
            InputError: what is missing, and how to provide it.
        """

    @abc.abstractmethod
    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Computes this replica's share of each term; shares add up to global means.

        Args:
            batch: of the model's examples.
            dropout_seed: [2] int32, or None for no dropout.

        Returns:
            Scalars by `loss_names`: "total" is the weighted sum, the terms are
            unweighted; see `named`.
        """

    def named(self, losses: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns losses as scalars by `loss_names`: a loss [N], one part per network,
        becomes its sum and, with several networks, `network_1/NAME` and so on.
        """
        found = {}
        for name, loss in losses.items():
            found[name] = tf.reduce_sum(loss)
            if loss.shape.rank:
                parts = zip(self.ensemble.names, tf.unstack(loss), strict=True)
                found |= {f"{network}/{name}": part for network, part in parts}
        return {name: found[name] for name in self.loss_names}

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        return self._trackers

    def call(self, item_ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.score_items(item_ids)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        weights = self.trainable_variables
        step = tf.cast(self.optimizer.iterations, tf.int32)
        seed = tf.random.experimental.stateless_fold_in([self.seed, step], replica_id())
        with fusion(self.compute.fuse):
            with tf.GradientTape() as tape:
                losses = self.compute_losses(batch, dropout_seed=seed)
                losses = penalized(losses, weights, self._l2)
            gradients = tape.gradient(losses["total"], weights)
        self._set_last(losses)
        if self.skip_nonfinite:
            is_bad, losses, gradients = without_nonfinite(losses, gradients)
            self.skipped.assign_add(tf.cast(is_bad, tf.int32))
        # The optimizer adds the replicas' gradients: their losses are shares.
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return self._track(losses)

    def test_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        losses = self.compute_losses(batch)
        losses = penalized(losses, self.trainable_variables, self._l2)
        self._set_last(losses)
        return self._track(losses)

    def _set_last(self, losses: dict[str, tf.Tensor]) -> None:
        self.last_losses.assign(tf.stack([losses[name] for name in self.loss_names]))

    def _track(self, losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        values = [losses[name] for name in self.loss_names]
        for tracker, value in zip(self._trackers, values, strict=True):
            # Keras averages the replicas' shares, so multiply by their number.
            tracker.update_state(value * num_replicas())
        return {tracker.name: tracker.result() for tracker in self._trackers}

    def user_vectors(
        self, item_ids: tf.Tensor, users: tf.Tensor | None = None
    ) -> tf.Tensor:
        """See `Ensemble.user_vectors`."""
        return self.ensemble.user_vectors(item_ids, users)

    def item_vectors(self) -> tf.Tensor:
        """See `Ensemble.item_vectors`."""
        return self.ensemble.item_vectors()

    def members(self) -> dict[str, ItemScores]:
        """See `Ensemble.members`."""
        return self.ensemble.members()

    def score_items(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Scores items 1..V for histories: [B, any] to [B, V]."""
        queries = self.user_vectors(item_ids)
        return tf.matmul(queries, self.item_vectors(), transpose_b=True)

    def parameters(self) -> dict[str, int]:
        """Counts the weights of the encoders with their embeddings, and all weights."""
        encoders = [w for tower in self.towers for w in tower.encoder_variables]
        parts = {"encoders": encoders, "all": self.trainable_variables}
        return {name: sum(math.prod(w.shape) for w in of) for name, of in parts.items()}
