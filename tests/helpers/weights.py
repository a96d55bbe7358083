"""Weights that let every part of a layer or model show in what it computes."""

import numpy as np


def randomized(part, scale=0.5):
    """Draws all weights anew; returns the part."""
    rng = np.random.default_rng(0)
    for weight in part.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * scale)
    return part


def varied(part, scale=0.3):
    """Adds noise to all weights, so that norms stay near one; returns the part."""
    rng = np.random.default_rng(0)
    for weight in part.trainable_variables:
        weight.assign(weight + rng.normal(size=weight.shape) * scale)
    return part
