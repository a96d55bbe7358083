"""MMInfoRec: states find their next items among all items of the batch, which are fused
with their attributes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.config.rules import require
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.histories import Histories
from emkd_tf.encoders.initializers import start_uniform, xavier_normal
from emkd_tf.kernels.dropout import Dropout, derived_seed, drop
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.positions import chosen_positions
from emkd_tf.kernels.precision import matmul
from emkd_tf.models.from_config import (
    attributes_of,
    make_towers,
    network_seeds,
    require_attributes,
    require_causal,
    training_options,
)
from emkd_tf.models.fused_tower import FusedTower
from emkd_tf.models.next_item import expected_labels, rows_of
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.replicas import global_rows
from emkd_tf.objectives.mil_nce import mil_nce_loss
from emkd_tf.objectives.next_item import place_weights
from emkd_tf.special_ids import PAD_ID


class MMInfoRec(Recommender):
    """Contrasts the next S items of every place with all items of the global batch.

    Args:
        towers: N; their scores add up.
        expected_labels: average number of next items per global batch over the training
            data.
        steps: S; from the second on, a recurrent unit continues from its predictions.
        encodings: how often candidates are encoded, each time with its own dropout.
        temperature: divides the scores.
        options: of `Recommender`.

    Source: Qiu et al. 2021 (MMInfoRec), section 3, and the authors' release.
    Departures: the mean is over the expected number of next items, not over a batch's
    places; the last item of a row is not read, since nothing follows it; the release's
    tau multiplies scores.
    """

    def __init__(
        self,
        towers: Sequence[FusedTower],
        *,
        expected_labels: float,
        steps: int = 1,
        encodings: int = 1,
        temperature: float = 1.0,
        **options,
    ):
        own = ["mil_nce"]
        super().__init__(towers, terms=own, network_terms=own, **options)
        self._expected_labels, self._steps = expected_labels, steps
        self._encodings, self._temperature = encodings, temperature
        if steps > 1:
            seeds = network_seeds(self.seed, len(towers))
            pairs = zip(self.towers, seeds, strict=True)
            self.heads = [_recurrent_unit(tower.width, seed) for tower, seed in pairs]

    @classmethod
    def check(cls, config: Config, histories: Histories) -> None:
        require_attributes(config, histories)
        require_causal(config, hint="")
        require(config.data.rows != "prefix", "rows", "shift or whole", "prefix")

    @classmethod
    def create(cls, config: Config, histories: Histories) -> MMInfoRec:
        """Builds the model of a config for a dataset; see `check`."""
        cls.check(config, histories)
        settings, objective = config.model, config.objective
        form = partial(
            FusedTower,
            **attributes_of(histories),
            num_blocks=settings.num_blocks,
            num_heads=settings.num_heads,
            memory_slots=settings.memory_slots,
            memory_dropout=settings.memory_dropout,
        )
        width = 2 * settings.hidden_units
        model = cls(
            make_towers(config, histories, "causal_relu", form=form, width=width),
            expected_labels=expected_labels(config, histories),
            steps=objective.prediction_steps,
            encodings=objective.item_encodings,
            temperature=objective.temperature,
            **training_options(config),
        )
        if settings.initial_bound:
            weights, bound = model.trainable_variables, settings.initial_bound
            start_uniform(weights, bound, config.training.seed)
        return model

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """The newest items of the training part as one row per user (rows shift), or
        all of it in rows of that length (whole)."""
        return Examples(rows_of(config, histories), [NextItem()])

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: "item_ids" and "labels" [B, L] int32.
            dropout_seed: [2] int32, or None for no dropout.
        """
        shares = []
        for number, tower in enumerate(self.towers):
            seed = derived_seed(dropout_seed, number)
            shares.append(self._share(number, tower, batch, seed))
        return self.named({"total": tf.add_n(shares), "mil_nce": tf.stack(shares)})

    def _share(
        self,
        number: int,
        tower: FusedTower,
        batch: dict[str, tf.Tensor],
        seed: tf.Tensor | None,
    ) -> tf.Tensor:
        """Returns a tower's loss, averaged over the steps."""
        states, packing = tower.encode(batch["item_ids"], seed)
        dropout = Dropout(tower.dropout_rate, derived_seed(seed, 1))
        candidates, vectors = self._candidates(tower, batch, dropout)
        shares = []
        for step, ahead in enumerate(self._predictions(number, states, dropout)):
            labels = _labels_ahead(batch["labels"], step, packing)
            logits = matmul(ahead, vectors, self.compute.precision, transpose_b=True)
            losses = mil_nce_loss(
                tf.cast(logits, tf.float32) / self._temperature,
                (labels[:, tf.newaxis] == candidates) & (candidates != PAD_ID),
                candidates != PAD_ID,
            )
            weights = place_weights(labels, self._expected_labels)
            shares.append(tf.reduce_sum(weights * losses))
        return tf.add_n(shares) / self._steps

    def _predictions(
        self, number: int, states: tf.Tensor, dropout: Dropout
    ) -> list[tf.Tensor]:
        """Returns S predictions [T, 2d] for each place."""
        found, carried = [states], tf.zeros_like(states)
        for _ in range(1, self._steps):
            carried, _ = self.heads[number](found[-1], [carried])
            found.append(self.towers[number].remember(carried, dropout))
        return found

    def _candidates(
        self, tower: FusedTower, batch: dict[str, tf.Tensor], dropout: Dropout
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns every item of the global batch, as often as it occurs and in every
        encoding: ids [C] int32, PAD_ID where there is none, and vectors [C, 2d]."""
        rows = tf.concat([batch["item_ids"], batch["labels"][:, -1:]], axis=1)
        rows = tf.reshape(rows, [-1])
        capacity = rows.shape[0] if self.compute.static_shapes else None
        places, is_used = chosen_positions(rows, capacity)
        item_ids = tf.where(is_used, tf.gather(rows, places), PAD_ID)
        item_ids = tf.tile(item_ids, [self._encodings])
        vectors = tower.embedding.fuse(item_ids, dropout)
        vectors = drop(vectors, dropout.next_seed(), dropout.rate)
        return global_rows(item_ids), global_rows(vectors)


def _labels_ahead(labels: tf.Tensor, step: int, packing: Packing) -> tf.Tensor:
    """Returns the label `step` places after each place of labels [B, L], packed to [T];
    PAD_ID beyond the end of a row."""
    return packing.pack_ids(tf.pad(labels[:, step:], [[0, 0], [0, step]]))


def _recurrent_unit(width: int, seed: int) -> tf.keras.layers.Layer:
    unit = tf.keras.layers.GRUCell(
        width,
        kernel_initializer=xavier_normal(seed, "kernel"),
        recurrent_initializer=xavier_normal(seed, "recurrent"),
    )
    unit.build([None, width])
    return unit
