"""The terms of EMKD's loss put together: which states go into which objective."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from emkd_tf.models.network import Network, chosen_positions
from emkd_tf.models.replicas import global_rows, global_sum
from emkd_tf.objectives.attribute import attribute_loss
from emkd_tf.objectives.contrastive import contrastive_loss
from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss
from emkd_tf.special_ids import PAD_ID


@dataclasses.dataclass(frozen=True)
class EnsembleLosses:
    """Total = MIP + AP + contrast_weight * (ICL + CCL) + distillation_weight * KD.

    Every mean is over the global batch: a replica computes its share, and the shares
    add up.

    Args:
        temperature: of contrast and distillation.
        contrast_weight, distillation_weight: the paper's lambda and mu.
        attribute_prediction, intra_contrast, cross_contrast, distillation: the terms
            that take part (MIP always does).
        contrast_self_term: see `objectives.contrastive`.
        chosen_share: with static shapes, the expected share of chosen positions in
            sequences without padding; it bounds how many can be computed.

    Source: Du et al. 2023 (objectives). Departure: none; AP is over all items as in the
    paper, where the release takes the positions chosen in the last view.
    """

    temperature: float = 0.3
    contrast_weight: float = 0.01
    distillation_weight: float = 0.001
    attribute_prediction: bool = True
    intra_contrast: bool = True
    cross_contrast: bool = True
    distillation: bool = True
    contrast_self_term: bool = False
    chosen_share: float = 0.15

    def names(self, has_attributes: bool) -> list[str]:
        """Returns the names of the terms that take part."""
        switches = {
            "masked_item": True,
            "attribute": self.attribute_prediction and has_attributes,
            "icl": self.intra_contrast,
            "ccl": self.cross_contrast,
            "distillation": self.distillation,
        }
        return [name for name, is_on in switches.items() if is_on]

    def __call__(
        self,
        networks: list[Network],
        states: list[tf.Tensor],
        batch: dict[str, tf.Tensor],
        *,
        item_attributes: tf.Tensor,
        static_shapes: bool = False,
    ) -> dict[str, tf.Tensor]:
        """Computes this replica's share of all terms.

        Args:
            networks: N networks, for their heads.
            states: N tensors [B, 1 + M, L, d], of the sequences and of their views.
            batch: "item_ids" [B, L], "labels" [B, M, L], "row" [B].
            item_attributes: [V + 2, A] float multi-hot.
            static_shapes: give every tensor a static shape.

        Returns:
            Scalars: "total", weighted, and the terms by name, unweighted.
        """
        terms = self._at_chosen_positions(networks, states, batch, static_shapes)
        names = self.names(item_attributes.shape[1] > 0)
        if "attribute" in names:
            terms["attribute"] = _attribute_share(
                networks, states, batch["item_ids"], item_attributes, static_shapes
            )
        if "icl" in names or "ccl" in names:
            terms |= self._contrast(states, batch["row"])
        terms = {name: terms[name] for name in names}
        weights = {
            "icl": self.contrast_weight,
            "ccl": self.contrast_weight,
            "distillation": self.distillation_weight,
        }
        total = tf.add_n([weights.get(name, 1.0) * terms[name] for name in names])
        return {"total": total, **terms}

    def _at_chosen_positions(
        self,
        networks: list[Network],
        states: list[tf.Tensor],
        batch: dict[str, tf.Tensor],
        static_shapes: bool,
    ) -> dict[str, tf.Tensor]:
        """MIP and KD: the only terms with item logits, and only at chosen positions."""
        labels = batch["labels"]
        num_views, length = labels.shape[1:]
        flat_labels = tf.reshape(labels, [-1])
        capacity = self._capacity(labels) if static_shapes else None
        positions = chosen_positions(flat_labels, capacity)
        is_used = positions < tf.shape(flat_labels)[0]
        positions = tf.where(is_used, positions, 0)
        targets = tf.where(is_used, tf.gather(flat_labels, positions), PAD_ID)

        # Mean over a view's chosen positions, sum over views.
        view = positions // length % num_views
        counts = global_sum(
            tf.math.count_nonzero(labels, axis=[0, 2], dtype=tf.float32)
        )
        weights = tf.gather(tf.math.reciprocal_no_nan(counts), view)
        weights *= tf.cast(is_used, tf.float32)  # [P]

        logits = []
        for network, network_states in zip(networks, states, strict=True):
            view_states = tf.reshape(
                network_states[:, 1:], [-1, network_states.shape[-1]]
            )
            logits.append(network.item_logits(tf.gather(view_states, positions)))
        masked_item = tf.add_n([masked_item_loss(z, targets) for z in logits])
        terms = {"masked_item": tf.reduce_sum(weights * masked_item)}
        if self.distillation:
            kd = distillation_loss(logits, temperature=self.temperature)
            terms["distillation"] = tf.reduce_sum(weights * kd)
        return terms

    def _capacity(self, labels: tf.Tensor) -> int:
        """Bounds the chosen positions: six standard deviations above the expectation of
        a batch without any padding."""
        places = labels.shape.num_elements()
        p = self.chosen_share
        return min(places, int(places * p + 6 * (places * p * (1 - p)) ** 0.5) + 1)

    def _contrast(
        self, states: list[tf.Tensor], row: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        # All sequences of the global batch are negatives, of whichever replica.
        all_rows = global_rows(row)
        is_self = row[:, tf.newaxis] == all_rows[tf.newaxis, :]
        width = states[0].shape[2] * states[0].shape[3]  # L * d
        num_views = states[0].shape[1] - 1
        anchors = [tf.reshape(s[:, 0], [-1, width]) for s in states]
        views = [tf.reshape(s[:, 1:], [-1, num_views, width]) for s in states]
        negatives = [global_rows(a) for a in anchors]

        def share(x: int, y: int) -> tf.Tensor:
            losses = contrastive_loss(
                anchors[x],
                views[y],
                negatives[y],
                is_self,
                temperature=self.temperature,
                self_term=self.contrast_self_term,
            )
            return tf.reduce_sum(losses) / tf.cast(tf.size(all_rows), losses.dtype)

        numbers = range(len(states))
        terms = {}
        if self.intra_contrast:
            terms["icl"] = tf.add_n([share(x, x) for x in numbers])
        if self.cross_contrast:
            pairs = [(x, y) for x in numbers for y in numbers if x != y]
            terms["ccl"] = tf.add_n([share(x, y) for x, y in pairs] or [tf.zeros([])])
        return terms


def _attribute_share(
    networks: list[Network],
    states: list[tf.Tensor],
    item_ids: tf.Tensor,
    item_attributes: tf.Tensor,
    static_shapes: bool,
) -> tf.Tensor:
    """AP: mean over the sequences' items, sum over networks."""
    items = tf.reshape(item_ids, [-1])
    count = global_sum(tf.math.count_nonzero(items, dtype=tf.float32))
    everywhere = tf.range(tf.size(items))
    positions = everywhere if static_shapes else chosen_positions(items)
    items = tf.gather(items, positions)
    has_attribute = tf.gather(item_attributes, items)
    weights = tf.cast(items != PAD_ID, tf.float32) * tf.math.reciprocal_no_nan(count)
    shares = []
    for network, network_states in zip(networks, states, strict=True):
        flat = tf.reshape(network_states[:, 0], [-1, network_states.shape[-1]])
        logits = network.attribute_logits(tf.gather(flat, positions))
        shares.append(tf.reduce_sum(weights * attribute_loss(logits, has_attribute)))
    return tf.add_n(shares)
