"""Columns by their usual names and by rule."""

from pathlib import Path

import pytest

from emkd_tf.data import columns
from emkd_tf.data.columns import find_column, plain, usual_column
from emkd_tf.errors import InputError

LOG = Path("log.csv")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("user,user_id,item,item_id,time", ("user_id", "item_id", "time")),
        ("item,userId,movieId,timestamp", ("userId", "movieId", "timestamp")),
        ("Time,SessionID,ItemID", ("SessionID", "ItemID", "Time")),
        ("reviewerID,asin,unixReviewTime", ("reviewerID", "asin", "unixReviewTime")),
        ("asin,parent_asin,user_id,ts", ("user_id", "parent_asin", "ts")),
        ("session_id,user-id,Track ID,date", ("user-id", "Track ID", "date")),
        ("t_dat,customer_id,article_id,price", ("customer_id", "article_id", "t_dat")),
    ],
)
def test_ids_win_over_plain_words_whatever_the_order(header, expected):
    for names in (header.split(","), header.split(",")[::-1]):
        found = (
            find_column(names, LOG, "user", None, columns.USER_NAMES),
            find_column(names, LOG, "item", None, columns.ITEM_NAMES),
            find_column(names, LOG, "time", None, columns.TIME_NAMES),
        )
        assert found == expected


def test_no_usual_name_stands_for_two_things():
    names = (columns.USER_NAMES, columns.ITEM_NAMES, columns.TIME_NAMES)
    every = [plain(n) for group in (*names, columns.RATING_NAMES) for n in group]
    assert len(set(every)) == len(every)


def test_a_given_column_is_taken_or_refused_with_its_flag():
    names = ["who", "user_id"]
    assert find_column(names, LOG, "user", "who", columns.USER_NAMES) == "who"
    with pytest.raises(InputError, match=r"no column 'x', it has who, user_id.*--user"):
        find_column(names, LOG, "user", "x", columns.USER_NAMES)
    flag = "--attribute-item-column"
    with pytest.raises(InputError, match=r"no item column.*with --attribute-item-colu"):
        find_column(names, LOG, "item", None, columns.ITEM_NAMES, flag)
    assert usual_column(names, columns.ITEM_NAMES) is None
