"""Histories without their order: a control that shows what the order is worth."""

from __future__ import annotations

import dataclasses

import numpy as np

from emkd_tf.data.histories import Histories

_SEED = 0  # the same order in every run


def in_random_order(histories: Histories) -> Histories:
    """Shuffles the training parts of histories, and everything that a split sees of a
    user before the target. Targets stay the same.

    Source: Klenitskiy et al. 2024. Departure: training histories are shuffled too, so
    that a model can get used to it.
    """
    rng, starts = np.random.default_rng(_SEED), histories.offsets[:-1]
    trained_on = _shuffled(histories.items, *histories.training_bounds(), rng)
    known = {
        name: _shuffled(histories.items, starts, np.maximum(places, starts), rng)
        for name, places in histories.split.targets.items()
    }
    return dataclasses.replace(histories, items=trained_on, known=known)


def _shuffled(
    items: np.ndarray, starts: np.ndarray, ends: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns a copy of items [actions] with each items[start:end] in another order."""
    lengths = ends - starts
    owners = np.repeat(np.arange(len(starts)), lengths)
    firsts = np.cumsum(lengths) - lengths
    places = np.arange(len(owners)) + (starts - firsts)[owners]
    shuffled = np.array(items)
    order = np.lexsort((rng.random(len(owners)), owners))
    shuffled[places] = items[places[order]]
    return shuffled
