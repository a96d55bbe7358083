"""Histories without their order: a control that shows what the order is worth."""

from __future__ import annotations

import dataclasses

import numpy as np

from emkd_tf.data.histories import WHOLE, Histories, places_between

_SEED = 0  # the same order in every run


def in_order(histories: Histories, order: str) -> Histories:
    """Returns histories, which are in order of time, in the order that the setting
    `history_order` names."""
    return histories if order == "time" else in_random_order(histories)


def in_random_order(histories: Histories) -> Histories:
    """Shuffles the training parts of histories, everything that a split sees of a user
    before the target, and the whole histories that lists are made from. Targets stay
    the same.

    Source: Klenitskiy et al. 2024. Departure: training histories are shuffled too, so
    that a model can get used to it.
    """
    rng, starts = np.random.default_rng(_SEED), histories.offsets[:-1]
    trained_on = _shuffled(histories.items, *histories.training_bounds(), rng)
    known = {
        name: _shuffled(histories.items, starts, np.maximum(places, starts), rng)
        for name, places in histories.split.targets.items()
    }
    known[WHOLE] = _shuffled(histories.items, starts, histories.offsets[1:], rng)
    return dataclasses.replace(histories, items=trained_on, known=known)


def _shuffled(
    items: np.ndarray, starts: np.ndarray, ends: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns a copy of items [actions] with each items[start:end] in another order."""
    owners, places = places_between(starts, ends)
    shuffled = np.array(items)
    order = np.lexsort((rng.random(len(owners)), owners))
    shuffled[places] = items[places[order]]
    return shuffled
