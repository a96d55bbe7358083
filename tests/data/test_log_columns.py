"""The columns of a log."""

import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.log_columns import choose_columns
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError


def choose(tmp_path, text, **options):
    path = tmp_path / "log.csv"
    path.write_text(text)
    return choose_columns(
        scan_table(path), DataConfig(interactions=str(path), **options)
    )


def test_usual_names_and_given_ones(tmp_path):
    text = "user,user_id,item,item_id,stars,date\na,b,c,d,1,2\n"
    usual = {"user": "user_id", "item": "item_id", "time": "date"}
    assert choose(tmp_path, text) == usual
    assert choose(tmp_path, text, item_column="item") == {**usual, "item": "item"}
    found = choose(tmp_path, text, min_rating=3.0)
    assert found == {**usual, "rating": "stars"}
    found = choose(tmp_path, text, min_rating=3.0, rating_column="user")
    assert found["rating"] == "user"


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("1,2\n1,3\n", ["user", "item"]),
        ("1,2,978300760\n1,3,978300761\n", ["user", "item", "time"]),
        ("1,2,2024-01-02\n1,3,2024-01-03\n", ["user", "item", "time"]),
        ("1,2,5\n" * 9 + "1,3,4.5\n", ["user", "item"]),
        ("1,2,5,978300760\n1,3,4,978300761\n", ["user", "item", "time"]),
        ("".join(f"1,{n},{n}\n" for n in range(40)), ["user", "item", "time"]),
    ],
)
def test_without_names_the_place_tells(tmp_path, rows, what):
    found = choose(tmp_path, rows)
    assert list(found) == what
    if "time" in what:
        assert found["time"] == f"column_{rows.splitlines()[0].count(',') + 1}"


def test_ratings_without_names(tmp_path):
    found = choose(tmp_path, "1,2,5,978300760\n1,3,4,978300761\n", min_rating=4.0)
    assert found["rating"] == "column_3"
    found = choose(tmp_path, "1,2,5\n" * 9, min_rating=4.0)
    assert found["rating"] == "column_3"
    given = {"user_column": "column_1", "item_column": "column_5"}
    found = choose(tmp_path, "0,2010-10-19T23:55:27Z,30.2,-97.7,22847\n", **given)
    assert found == {"user": "column_1", "item": "column_5"}
    named = choose(tmp_path, "1,2,5\n" * 9, time_column="column_3")
    assert named["time"] == "column_3"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("user,item\na,b\n", {"min_rating": 3.0}, "no rating column.*--rating-column"),
        ("user,item\na,b\n", {"time_column": "t"}, "no column 't'.*--time-column"),
        ("1,2,3,4,5\n", {}, "has no header and 5 columns; write a first line"),
        (
            "user,item,t\na,b,1\n",
            {"item_column": "user"},
            "must be different columns, got user, user",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        choose(tmp_path, text, **options)


def test_a_day_of_a_month_is_no_time(tmp_path):
    """As in folders called `year=2024/month=1/day=31`."""
    header = "user,item,year,month,day\n"
    found = choose(tmp_path, header + "a,x,2024,1,31\na,y,2024,2,1\n")
    assert found == {"user": "user", "item": "item"}
    found = choose(tmp_path, header + "a,x,2024,1,2024-01-31\n")
    assert found["time"] == "day"
    found = choose(tmp_path, header + "a,x,2024,1,31\n", time_column="day")
    assert found["time"] == "day"
    assert choose(tmp_path, "user,item,day\na,x,1\n")["time"] == "day"  # of a study
