"""How a state learns its item, by name: over all items, or over a few that a batch
carries."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.item_softmax import ItemSoftmax
from emkd_tf.models.drawn_losses import (
    BinaryCrossEntropy,
    GeneralizedBinaryCrossEntropy,
    PairwiseRanking,
    SampledSoftmax,
    SoftmaxOfNegatives,
)
from emkd_tf.models.item_loss import ItemLoss, ItemSums
from emkd_tf.models.tower import Tower

CHUNK_POSITIONS = 256  # whose logits of all items are held at a time


class FullSoftmax(ItemLoss):
    """Cross entropy over all items."""

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
