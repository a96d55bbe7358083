"""DuoRec: next item prediction plus a contrast with histories of the same next item."""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.same_target import SameTarget
from emkd_tf.data.histories import Histories
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.view_contrast import ViewContrast


class DuoRec(ViewContrast):
    """The views are the history under different dropout, and another history with the
    same next item.

    Args:
        contrast_views: which two: "us_x", the history again and one with the same
            target; "un", the history twice; "su", the history and one with the same
            target.
        options: of `ViewContrast`.

    Source: Qiu et al. 2022; us_x is the mode of the authors' release. Departure: see
    `ViewContrast`.
    """

    def __init__(self, *args, contrast_views: str = "us_x", **options):
        super().__init__(*args, **options)
        self._contrast_views = contrast_views

    @classmethod
    def create(cls, config: Config, histories: Histories) -> NextItemModel:
        return super().create(_with_prefixes(config), histories)

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        own = {"contrast_views": config.objective.contrast_views}
        return {**super().arguments(config, histories), **own}

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """One row per next item, with "partner_ids" [B, L + 1], a row that has the same
        next item."""
        examples = super().examples(_with_prefixes(config), histories)
        pairs = None
        if config.objective.contrast_views != "un":
            pairs = SameTarget(examples.rows, histories.items)
        return dataclasses.replace(examples, same_target=pairs)

    def view_ids(self, batch: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        history = batch["item_ids"]
        if self._contrast_views == "un":
            return [history]
        partner = batch["partner_ids"][:, :-1]  # without the target
        return [partner] if self._contrast_views == "su" else [history, partner]


def _with_prefixes(config: Config) -> Config:
    """Sets `rows` to prefix: partners are found by target, so rows need one each."""
    data = dataclasses.replace(config.data, rows="prefix")
    return dataclasses.replace(config, data=data)
