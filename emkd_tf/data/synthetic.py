"""The bundled sample: users whose interest drifts over categories of ordered items."""

from __future__ import annotations

import numpy as np
import polars as pl

NUM_CATEGORIES = 40
ITEMS_PER_CATEGORY = 25
NUM_BRANDS = 30


def generate(
    num_users: int = 2_000, seed: int = 7
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Generates interactions with an order that can be learned.

    A user's interest is a category that now and then drifts to a neighbouring one.
    Within a category the next item is the successor of the last one in the category's
    own order (half of the time), or drawn by popularity.

    Args:
        num_users: users, each with 8 to 29 actions.
        seed: equal seeds give equal data.

    Returns:
        Actions with columns user, item, time, and attributes with columns item,
        attribute.
    """
    rng = np.random.default_rng(seed)
    # Column t of `items` holds action t of every user: all users advance together.
    lengths = rng.integers(8, 30, size=num_users)
    steps = int(lengths.max())
    order = rng.permuted(
        np.tile(np.arange(ITEMS_PER_CATEGORY), (NUM_CATEGORIES, 1)), axis=1
    )
    popularity = 1.0 / (1.0 + np.arange(ITEMS_PER_CATEGORY))
    cumulative = np.cumsum(popularity / popularity.sum())

    def popular(size: int) -> np.ndarray:
        return np.minimum(
            np.searchsorted(cumulative, rng.random(size)), ITEMS_PER_CATEGORY - 1
        )

    category = rng.integers(NUM_CATEGORIES, size=num_users)
    place = popular(num_users)
    items = np.empty((num_users, steps), np.int64)
    for step in range(steps):
        items[:, step] = category * ITEMS_PER_CATEGORY + order[category, place]
        drifts = rng.random(num_users) < 0.15
        neighbour = (category + rng.choice([1, 2], size=num_users)) % NUM_CATEGORIES
        category = np.where(drifts, neighbour, category)
        follows = ~drifts & (rng.random(num_users) < 0.5)
        successor = (place + 1) % ITEMS_PER_CATEGORY
        place = np.where(follows, successor, popular(num_users))
    user, time = np.nonzero(np.arange(steps) < lengths[:, None])
    actions = pl.DataFrame(
        {
            "user": [f"user-{u:04d}" for u in user],
            "item": [f"item-{i:04d}" for i in items[user, time]],
            "time": time.astype(np.int64),
        }
    )
    return actions, _attributes(rng)


def _attributes(rng: np.random.Generator) -> pl.DataFrame:
    """Returns each item's category and a brand."""
    item = np.arange(NUM_CATEGORIES * ITEMS_PER_CATEGORY)
    return pl.DataFrame(
        {
            "item": [f"item-{i:04d}" for i in np.concatenate([item, item])],
            "attribute": [f"category={i // ITEMS_PER_CATEGORY}" for i in item]
            + [f"brand={b}" for b in rng.integers(NUM_BRANDS, size=len(item))],
        }
    )
