"""Finds which columns of a file are users, items, times and ratings, as given or by
rule.

The rule: names are compared without case, blanks and punctuation. If a file has several
usual names, the one listed first here wins: ids before plain words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from emkd_tf.errors import InputError

USER_NAMES = (
    *("user_id", "uid", "customer_id", "reviewer_id", "visitor_id", "account_id"),
    *("client_id", "member_id", "profile_id", "author_id", "buyer_id", "steam_id"),
    *("user_name", "session_id", "user", "customer", "visitor", "session"),
)
ITEM_NAMES = (
    *("item_id", "iid", "parent_asin", "asin", "product_id", "article_id", "movie_id"),
    *("track_id", "song_id", "artist_id", "book_id", "isbn", "business_id"),
    *("venue_id", "poi_id", "location_id", "game_id", "app_id", "news_id", "video_id"),
    *("recipe_id", "anime_id", "course_id", "content_id", "goods_id", "offer_id"),
    *("listing_id", "merchant_id", "material_id", "photo_id", "beer_id", "gmap_id"),
    *("sku_id", "sku", "item", "product", "article", "movie", "track", "song", "book"),
)
LIST_NAMES = ("items", "item_ids", "item_list", "history", "sequence", "products")
TIME_NAMES = (
    *("timestamp", "unix_timestamp", "unix_review_time", "event_time", "event_ts"),
    *("event_timestamp", "timestamp_ms", "time_ms", "ts", "time", "datetime"),
    *("created_at", "created", "t_dat", "event_date", "review_date"),
    *("review_time", "purchase_date", "order_date", "order_time", "click_time"),
    *("utc_time", "local_time", "played_at", "check_in_time", "date", "day"),
)
RATING_NAMES = ("rating", "overall", "stars", "score", "review_rating", "review_score")


def plain(name: str) -> str:
    """Returns a column's name in the form used to compare: `Item ID` is itemid."""
    return re.sub(r"[\W_]+", "", name).lower()


def usual_column(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    """Returns the column with the first usual name that is there."""
    found = {plain(name): name for name in reversed(columns)}
    return next((found[n] for n in map(plain, usual) if n in found), None)


def find_column(
    columns: Sequence[str],
    path: Path,
    what: str,
    given: str | None,
    usual: Sequence[str],
    flag: str | None = None,
) -> str:
    """Returns the column of `what`: the given one, or one with a usual name.

    Args:
        columns: of the file.
        path: of the file, for the error.
        what: user, item, time or rating.
        given: a column's name, or None to find it.
        usual: names to look for; the first one found wins.
        flag: the flag that names the column; `--<what>-column` if not given.

    Raises:
        InputError: there is no such column.
    """
    flag = flag or f"--{what}-column"
    if given is not None:
        if given not in columns:
            raise InputError(
                f"{path} has no column {given!r}, it has {', '.join(columns)}; "
                f"correct {flag}."
            )
        return given
    found = usual_column(columns, usual)
    if found is None:
        raise InputError(
            f"{path} has no {what} column named like {', '.join(usual[:3])}, it has "
            f"{', '.join(columns)}; name it with {flag}."
        )
    return found
