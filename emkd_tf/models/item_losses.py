"""The losses by which a state learns its item, by name: over all items, or over a few
that the batch carries."""

from __future__ import annotations

import abc

import tensorflow as tf

from emkd_tf.kernels.item_softmax import ItemSoftmax
from emkd_tf.kernels.precision import matmul
from emkd_tf.models.item_loss import ItemLoss, ItemSums, item_logits
from emkd_tf.models.tower import Tower
from emkd_tf.objectives import negatives
from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss
from emkd_tf.objectives.sampling import sampling_offsets

CHUNK_POSITIONS = 256  # positions whose logits of all items are held at a time


class FullSoftmax(ItemLoss):
    """Cross entropy over all items.

    Departure: the row of PAD_ID, which is never ranked, is an additional class, as in
    the release of EMKD.
    """

    def _sums(self, towers, states, labels, weights, drawn) -> ItemSums:
        losses = ItemSoftmax(
            self.temperature,
            self.distillation_weight,
            self.compute.precision,
            None if self.compute.static_shapes else CHUNK_POSITIONS,
        )
        tables = [tower.item_table() for tower in towers]
        biases = [_bias(tower) for tower in towers]
        sums = losses(states, tables, biases, labels, weights)
        return ItemSums(sums[0], sums[1], sums[2:])


class _OverDrawn(ItemLoss):
    """A loss over the logits of the label and a few drawn items."""

    def _sums(self, towers, states, labels, weights, drawn) -> ItemSums:
        pairs = zip(towers, states, strict=True)
        logits = [self._logits(tower, x, labels, drawn) for tower, x in pairs]
        offsets = self._offsets(labels, drawn)
        losses = [self._loss(z, offsets, towers[0]) for z in logits]
        items = tf.stack([tf.reduce_sum(weights * loss) for loss in losses])
        kd = tf.zeros([])
        if self.distillation_weight is not None:
            softer = [z - self.temperature * offsets for z in logits]
            divergence = distillation_loss(softer, temperature=self.temperature)
            kd = tf.reduce_sum(weights * divergence)
        total = tf.reduce_sum(items) + (self.distillation_weight or 0.0) * kd
        return ItemSums(total, kd, items)

    @abc.abstractmethod
    def _logits(self, tower, states, labels, drawn) -> tf.Tensor:
        """[P, 1 + k]: the label's logit, then the drawn items'."""

    @abc.abstractmethod
    def _offsets(self, labels, drawn) -> tf.Tensor:
        """[P, 1 + k], to be subtracted from the logits before a softmax."""

    @abc.abstractmethod
    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        """[P] of logits [P, 1 + k]."""

    def _softmax(self, logits: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        first = tf.zeros_like(logits[:, 0], tf.int32)  # the label's column
        return masked_item_loss(logits - offsets, first)


class SampledSoftmax(_OverDrawn):
    """Cross entropy over candidates that all positions share, corrected to stand for
    all items."""

    CARRIES = "candidates"

    def _logits(self, tower, states, labels, drawn) -> tf.Tensor:
        candidates = drawn["candidates"]
        others = matmul(
            states,
            tower.item_rows(candidates),
            self.compute.precision,
            transpose_b=True,
        )
        others = tf.cast(others, tf.float32)
        of_label = tf.reduce_sum(states * tower.item_rows(labels), axis=-1)
        if tower.item_bias is not None:
            of_label += tf.gather(tower.item_bias, labels)
            others = tf.nn.bias_add(others, tf.gather(tower.item_bias, candidates))
        return tf.concat([of_label[:, tf.newaxis], others], axis=1)

    def _offsets(self, labels, drawn) -> tf.Tensor:
        return sampling_offsets(labels, drawn["candidates"], drawn["log_expected"])

    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        return self._softmax(logits, offsets)


class _OverNegatives(_OverDrawn):
    CARRIES = "negatives"

    def _logits(self, tower, states, labels, drawn) -> tf.Tensor:
        items = tf.concat([labels[:, tf.newaxis], drawn["negatives"]], axis=1)
        return item_logits(tower, states, items)

    def _offsets(self, labels, drawn) -> tf.Tensor:
        zeros = tf.zeros(tf.shape(drawn["negatives"])[1:2])
        return sampling_offsets(labels, drawn["negatives"], zeros)


class SoftmaxOfNegatives(_OverNegatives):
    """Cross entropy over the label and uniform negatives of each position."""

    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        return self._softmax(logits, offsets)


class BinaryCrossEntropy(_OverNegatives):
    """The label and each negative as independent binary decisions (SASRec)."""

    OUTSIDE = "user"

    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        return negatives.binary_cross_entropy(logits)


class PairwiseRanking(_OverNegatives):
    """The label above each negative (BPR)."""

    OUTSIDE = "user"

    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        return negatives.pairwise_ranking(logits)


class GeneralizedBinaryCrossEntropy(_OverNegatives):
    """Binary cross entropy corrected for overconfidence from sampling few negatives
    (gSASRec)."""

    calibration = 0.75

    def _loss(self, logits, offsets, tower) -> tf.Tensor:
        return negatives.generalized_binary_cross_entropy(
            logits, num_items=tower.num_items, calibration=self.calibration
        )


ITEM_LOSSES: dict[str, type[ItemLoss]] = {
    "full": FullSoftmax,
    "sampled": SampledSoftmax,
    "negatives": SoftmaxOfNegatives,
    "bce": BinaryCrossEntropy,
    "bpr": PairwiseRanking,
    "gbce": GeneralizedBinaryCrossEntropy,
}


def _bias(tower: Tower) -> tf.Tensor:
    if tower.item_bias is None:
        return tf.zeros([tower.num_items + 1])
    return tf.convert_to_tensor(tower.item_bias)
