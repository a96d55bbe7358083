"""The item loss of a config, and the drawn items that it needs."""

from __future__ import annotations

import dataclasses

from emkd_tf.config import Config
from emkd_tf.data.examples.candidates import Candidates
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.negatives import Negatives
from emkd_tf.data.histories import Histories
from emkd_tf.models.from_config import compute_of
from emkd_tf.models.item_loss import ItemLoss
from emkd_tf.models.item_losses import ITEM_LOSSES


def item_loss_class(config: Config, histories: Histories) -> type[ItemLoss]:
    """Returns the item loss of the settings, or the full softmax if there would be as
    many candidates as items."""
    objective = config.objective
    chosen = ITEM_LOSSES[objective.item_loss]
    if chosen.CARRIES == "candidates" and objective.num_sampled >= histories.num_items:
        return ITEM_LOSSES["full"]
    return chosen


def make_item_loss(config: Config, histories: Histories) -> ItemLoss:
    """Builds the item loss, with distillation if it is switched on."""
    objective = config.objective
    weight = objective.distillation_weight if objective.distillation else None
    return item_loss_class(config, histories)(
        temperature=objective.temperature,
        distillation_weight=weight,
        compute=compute_of(config),
    )


def with_drawn_items(
    examples: Examples,
    config: Config,
    histories: Histories,
    num_views: int | None = None,
) -> Examples:
    """Returns examples whose batches carry the drawn items that the item loss needs.

    Args:
        examples: with "labels".
        config: of the run.
        histories: for the items, their counts, and what users chose.
        num_views: M, if every view has its own labels.
    """
    objective = config.objective
    item_loss = item_loss_class(config, histories)
    if item_loss.CARRIES == "candidates":
        counts = histories.training_item_counts()
        drawn = Candidates(counts, objective.num_sampled)
        return dataclasses.replace(examples, candidates=drawn)
    if item_loss.CARRIES != "negatives":
        return examples
    sizes = (histories.num_items, objective.num_negatives, config.data.max_length)
    negatives = Negatives(*sizes, num_views, item_loss.OUTSIDE)
    needs_histories = item_loss.OUTSIDE == "user"
    return dataclasses.replace(
        examples,
        transforms=[*examples.transforms, negatives],
        training_bounds=histories.training_bounds() if needs_histories else None,
    )
