"""The terms of EMKD's loss put together: which states go into which objective."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from emkd_tf.models.network import Network, chosen_positions
from emkd_tf.models.replicas import global_rows, global_sum
from emkd_tf.objectives.attribute import attribute_loss
from emkd_tf.objectives.catalogue import CatalogueLosses
from emkd_tf.objectives.contrastive import contrastive_losses
from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss
from emkd_tf.objectives.sampling import sampling_offsets
from emkd_tf.special_ids import PAD_ID

CHUNK_POSITIONS = 256  # chosen positions whose item logits are held at a time


class States(NamedTuple):
    """A network's states of a batch: `anchors` [B, L, d] of the sequences, `views`
    [B, M, L, d] of their views."""

    anchors: tf.Tensor
    views: tf.Tensor


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
        states: list[States],
        batch: dict[str, tf.Tensor],
        *,
        item_attributes: tf.Tensor,
        static_shapes: bool = False,
    ) -> dict[str, tf.Tensor]:
        """Computes this replica's share of all terms.

        Args:
            networks: N networks, for their heads.
            states: of the N networks.
            batch: "item_ids" [B, L], "labels" [B, M, L], "row" [B]; for a sampled item
                loss "candidates" [S] and "log_expected" [S].
            item_attributes: [V + 2, A] float multi-hot.
            static_shapes: give every tensor a static shape.

        Returns:
            Scalars: "total", weighted, and the terms by name, unweighted.
        """
        items, terms = self._at_chosen_positions(networks, states, batch, static_shapes)
        names = self.names(item_attributes.shape[1] > 0)
        if "attribute" in names:
            terms["attribute"] = _attribute_share(
                networks, states, batch["item_ids"], item_attributes, static_shapes
            )
        if "icl" in names or "ccl" in names:
            terms |= self._contrast(states, batch["row"])
        terms = {name: terms[name] for name in names}
        weights = {
            "attribute": 1.0,
            "icl": self.contrast_weight,
            "ccl": self.contrast_weight,
        }
        others = [weights[name] * terms[name] for name in names if name in weights]
        return {"total": tf.add_n([items, *others]), **terms}

    def _at_chosen_positions(
        self,
        networks: list[Network],
        states: list[States],
        batch: dict[str, tf.Tensor],
        static_shapes: bool,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """MIP and KD: the only terms with item logits, and only at chosen positions.

        Returns their weighted sum, which has the gradient, and both for themselves.
        """
        labels = batch["labels"]
        num_views, length = labels.shape[1:]
        flat_labels = tf.reshape(labels, [-1])
        capacity = self._capacity(labels) if static_shapes else None
        positions, is_used = chosen_positions(flat_labels, capacity)
        targets = tf.where(is_used, tf.gather(flat_labels, positions), PAD_ID)

        # Mean over a view's chosen positions, sum over views.
        view = positions // length % num_views
        counts = global_sum(
            tf.math.count_nonzero(labels, axis=[0, 2], dtype=tf.float32)
        )
        weights = tf.gather(tf.math.reciprocal_no_nan(counts), view)
        weights *= tf.cast(is_used, tf.float32)  # [P]

        chosen = [tf.gather(_rows(s.views), positions) for s in states]
        if "candidates" in batch:
            of_positions = self._of_candidates(networks, chosen, targets, batch)
            masked_item, kd = (tf.reduce_sum(weights * x) for x in of_positions)
            total = masked_item + (self._distillation_weight or 0.0) * kd
        else:
            losses = CatalogueLosses(
                self.temperature,
                self._distillation_weight,
                networks[0].precision,
                None if static_shapes else CHUNK_POSITIONS,
            )
            tables = [network.item_table() for network in networks]
            biases = [tf.convert_to_tensor(network.item_bias) for network in networks]
            sums = losses(chosen, tables, biases, targets, weights)
            total, masked_item, kd = tf.unstack(sums)
        return total, {"masked_item": masked_item, "distillation": kd}

    @property
    def _distillation_weight(self) -> float | None:
        return self.distillation_weight if self.distillation else None

    def _of_candidates(
        self,
        networks: list[Network],
        chosen: list[tf.Tensor],
        targets: tf.Tensor,
        batch: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """MIP and KD [P] of states N x [P, d], estimated over the batch's
        candidates."""
        candidates = batch["candidates"]
        offsets = sampling_offsets(targets, candidates, batch["log_expected"])
        logits = [
            network.candidate_logits(of_network, targets, candidates)
            for network, of_network in zip(networks, chosen, strict=True)
        ]
        label = tf.zeros_like(targets)  # its column
        masked_item = tf.add_n([masked_item_loss(z - offsets, label) for z in logits])
        softer = [z - self.temperature * offsets for z in logits]
        return masked_item, self._divergence(softer)

    def _divergence(self, logits: list[tf.Tensor]) -> tf.Tensor:
        """KD [P] of logits N x [P, any]; zeros where the term takes no part."""
        if not self.distillation:
            return tf.zeros_like(logits[0][:, 0])
        return distillation_loss(logits, temperature=self.temperature)

    def _capacity(self, labels: tf.Tensor) -> int:
        """Bounds the chosen positions: six standard deviations above the expectation of
        a batch without any padding."""
        places = labels.shape.num_elements()
        p = self.chosen_share
        return min(places, int(places * p + 6 * (places * p * (1 - p)) ** 0.5) + 1)

    def _contrast(self, states: list[States], row: tf.Tensor) -> dict[str, tf.Tensor]:
        # All sequences of the global batch are negatives, of whichever replica.
        all_rows = global_rows(row)
        is_self = row[:, tf.newaxis] == all_rows[tf.newaxis, :]
        width = states[0].anchors.shape[1] * states[0].anchors.shape[2]  # L * d
        anchors = [tf.reshape(s.anchors, [-1, width]) for s in states]
        losses = contrastive_losses(
            anchors,
            [tf.reshape(s.views, [-1, s.views.shape[1], width]) for s in states],
            [global_rows(a) for a in anchors],
            is_self,
            temperature=self.temperature,
            self_term=self.contrast_self_term,
        )
        shares = tf.reduce_sum(losses, axis=-1) / tf.cast(tf.size(all_rows), tf.float32)
        intra = tf.linalg.trace(shares)
        return {"icl": intra, "ccl": tf.reduce_sum(shares) - intra}


def _attribute_share(
    networks: list[Network],
    states: list[States],
    item_ids: tf.Tensor,
    item_attributes: tf.Tensor,
    static_shapes: bool,
) -> tf.Tensor:
    """AP: mean over the sequences' items, sum over networks."""
    items = tf.reshape(item_ids, [-1])
    count = global_sum(tf.math.count_nonzero(items, dtype=tf.float32))
    capacity = items.shape[0] if static_shapes else None
    positions, is_used = chosen_positions(items, capacity)
    items = tf.where(is_used, tf.gather(items, positions), PAD_ID)
    has_attribute = tf.gather(item_attributes, items)
    weights = tf.cast(items != PAD_ID, tf.float32) * tf.math.reciprocal_no_nan(count)
    shares = []
    for network, network_states in zip(networks, states, strict=True):
        rows = tf.gather(_rows(network_states.anchors), positions)
        logits = network.attribute_logits(rows)
        shares.append(tf.reduce_sum(weights * attribute_loss(logits, has_attribute)))
    return tf.add_n(shares)


def _rows(states: tf.Tensor) -> tf.Tensor:
    """Reshapes [..., d] to [n, d]."""
    return tf.reshape(states, [-1, states.shape[-1]])
