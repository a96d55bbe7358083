"""What all losses that teach a state its item have in common."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

import tensorflow as tf

from emkd_tf.kernels.compute import PLAIN, Compute
from emkd_tf.models.tower import Tower


class ItemSums(NamedTuple):
    """Sums over positions: `items` [N] by tower; the `distillation` between towers; and
    `total`, the sum of the former and the weighted latter, which has the gradient."""

    total: tf.Tensor
    distillation: tf.Tensor
    items: tf.Tensor


@dataclasses.dataclass(frozen=True)
class ItemLoss(abc.ABC):
    """Scores the right item of each position higher than others.

    Args:
        temperature: of the distillation.
        distillation_weight: of the distillation in the total; None leaves it out.
        compute: how to compute.

    Attributes:
        CARRIES: what a batch must carry: nothing, "candidates" that all positions
            share, or "negatives" of each position.
        OUTSIDE: what negatives are never drawn from, see `Negatives`. With hundreds,
            recipes only leave out the label; with one or few each matters, and recipes
            leave out all that the user has chosen.

    Call:
        towers: N, for their item tables and biases.
        states: N tensors [P, d] float of the encoders, one row per position.
        labels: [P] int32, the positions' items.
        weights: [P] float, of the positions in each sum.
        drawn: what the batch carries: "candidates" [S] and "log_expected" [S], or
            "negatives" [P, k].
    """

    temperature: float = 1.0
    distillation_weight: float | None = None
    compute: Compute = PLAIN

    CARRIES: ClassVar[str | None] = None
    OUTSIDE: ClassVar[Literal["label", "user"]] = "label"

    def __call__(
        self,
        towers: Sequence[Tower],
        states: Sequence[tf.Tensor],
        labels: tf.Tensor,
        weights: tf.Tensor,
        drawn: Mapping[str, tf.Tensor],
    ) -> ItemSums:
        pairs = zip(towers, states, strict=True)
        queries = [tower.queries(of_tower) for tower, of_tower in pairs]
        return self._sums(towers, queries, labels, weights, drawn)

    @abc.abstractmethod
    def _sums(self, towers, states, labels, weights, drawn) -> ItemSums:
        """Returns the sums for states that have passed the towers' heads."""


def drawn_of(
    batch: Mapping[str, tf.Tensor], take: Callable[[tf.Tensor], tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Returns what a batch carries for the item loss.

    Args:
        batch: with "candidates" and "log_expected", "negatives", or neither.
        take: picks the rows of the negatives for the positions.
    """
    drawn = {k: batch[k] for k in ("candidates", "log_expected") if k in batch}
    if "negatives" in batch:
        drawn["negatives"] = take(batch["negatives"])
    return drawn


def item_logits(tower: Tower, queries: tf.Tensor, item_ids: tf.Tensor) -> tf.Tensor:
    """Scores a few items for each query: [P, d] and [P, K] int32 to [P, K]."""
    logits = tf.linalg.matvec(tower.item_rows(item_ids), queries)
    if tower.item_bias is not None:
        logits += tf.gather(tower.item_bias, item_ids)
    return logits
