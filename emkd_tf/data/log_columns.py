"""Finds the columns of users, items, times and ratings of a log, in every layout."""

from __future__ import annotations

from typing import Any

import polars as pl

from emkd_tf.config import DataConfig
from emkd_tf.data.columns import (
    ITEM_NAMES,
    LIST_NAMES,
    RATING_NAMES,
    TIME_NAMES,
    USER_NAMES,
    find_column,
    plain,
    usual_column,
)
from emkd_tf.data.likely_times import likely_times
from emkd_tf.data.table import Table
from emkd_tf.errors import InputError

_NEEDED = {"user": USER_NAMES, "item": (*ITEM_NAMES, *LIST_NAMES)}
# For a file without names, by the number of columns; MovieLens has four.
_BY_PLACE = {
    2: ("user", "item"),
    3: ("user", "item", "time"),
    4: ("user", "item", "rating", "time"),
}
_PRODUCT, _REVIEWER = "^[0-9B][0-9A-Z]{9}$", "^A[0-9A-Z]{8,}$"
_BEST_RATING = 100  # a third column of small numbers holds ratings, not times


def given_columns(config: DataConfig) -> dict[str, str]:
    """Returns the columns of a log that the config names, by role."""
    given = {
        "user": config.user_column,
        "item": config.item_column,
        "time": config.time_column,
        "rating": config.rating_column,
    }
    return {what: name for what, name in given.items() if name is not None}


def choose_columns(table: Table, config: DataConfig) -> dict[str, str]:
    """Returns the columns of a log by role: user and item, time if there is one, rating
    if the config needs it.

    Raises:
        InputError: a column is missing, or chosen for two roles.
    """
    path, names, given = table.path, table.columns, given_columns(config)
    is_by_place = not table.has_names and not {"user", "item"} <= set(given)
    found = _by_place(table) if is_by_place else {}
    if not found:
        _require_one_of_two(table, given)
    for what, usual in _NEEDED.items():
        if what not in found or what in given:
            found[what] = find_column(names, path, what, given.get(what), usual)
    for what, usual in (("time", TIME_NAMES), ("rating", RATING_NAMES)):
        column = found.get(what) or usual_column(names, usual)
        if column is not None and _is_day_of_month(table, column):
            column = None
        if what in given:
            column = find_column(names, path, what, given[what], usual)
        if column is not None:
            found[what] = column
    if config.min_rating is None:
        found.pop("rating", None)
    elif "rating" not in found:
        find_column(names, path, "rating", None, RATING_NAMES)
    _require_different(table, found)
    table.require_everywhere(found.values())
    return {what: found[what] for what in _BY_PLACE[4] if what in found}


def _is_day_of_month(table: Table, name: str) -> bool:
    """Returns whether a column is part of a date, as in folders named
    `year=2024/month=1/day=31`."""
    has_month = usual_column(table.columns, ("month",)) is not None
    return plain(name) == "day" and has_month and not likely_times(table, [name])


def _require_one_of_two(table: Table, given: dict[str, str]) -> None:
    """Names both columns in one error if neither is given or has a usual name."""
    names = table.columns
    if given.keys() & _NEEDED or any(usual_column(names, u) for u in _NEEDED.values()):
        return
    user, item = (", ".join(usual[:3]) for usual in (USER_NAMES, ITEM_NAMES))
    raise InputError(
        f"{table.path} has no user column named like {user}, and no item column named "
        f"like {item}, it has {', '.join(names)}; name them with --user-column and "
        "--item-column."
    )


def _require_different(table: Table, found: dict[str, str]) -> None:
    if len(set(found.values())) < len(found):
        flags = ", ".join(f"--{what}-column" for what in found)
        raise InputError(
            f"{table.path}: {', '.join(found)} must be different columns, got "
            f"{', '.join(found.values())}; correct {flags}."
        )


def _by_place(table: Table) -> dict[str, str]:
    """Returns the columns of a file without names, by position."""
    names = table.columns
    if len(names) not in _BY_PLACE:
        raise InputError(
            f"{table.path} has no header and {len(names)} columns; write a first line "
            "of names (user_id, item_id, timestamp), or give --user-column column_1 "
            "and so on."
        )
    found = dict(zip(_BY_PLACE[len(names)], names, strict=True))
    if len(names) == 3 and _holds_ratings(table, found["time"]):
        found["rating"] = found.pop("time")
    if _is_of_amazon_2018(table, found):
        found["user"], found["item"] = found["item"], found["user"]
    ids = [found["user"], found["item"]]
    if "time" in found and not likely_times(table, [found["time"]]):
        for name in likely_times(table, ids):
            others = [each for each in names if each != name]
            raise InputError(
                f"{table.path} has no header, and {name} looks like times; say what "
                f"is what: --time-column {name} --user-column {others[0]} "
                f"--item-column {others[1]}, or otherwise."
            )
    return found


def _is_of_amazon_2018(table: Table, found: dict[str, str]) -> bool:
    """Returns whether items come before users, as in the ratings of Ni et al. 2019:
    products have ten characters, reviewers an A and more."""
    user, item = (pl.col(found[what]) for what in ("user", "item"))
    sample = table.collect(table.frame.select(user=user, item=item).head(1000))
    is_swapped = sample["user"].str.contains(_PRODUCT) & sample["item"].str.contains(
        _REVIEWER
    )
    return bool(is_swapped.all()) and not sample["item"].str.contains(_PRODUCT).all()


def _holds_ratings(table: Table, name: str) -> bool:
    """Returns whether a column holds few distinct small numbers."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    sample = table.collect(table.frame.select(number).head(10_000)).to_series()
    largest: Any = sample.abs().max()
    is_small = largest is not None and largest <= _BEST_RATING
    return is_small and sample.n_unique() <= max(11, len(sample) // 10)
