"""Logs of actions: what is read, what is dropped and what is refused."""

from datetime import datetime, timezone

import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.interactions import read_interactions
from emkd_tf.errors import InputError

NANOSECONDS = 1_700_000_000_123_456_789


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def read(path, **options):
    return read_interactions(DataConfig(interactions=str(path), **options))


def rows(path, **options):
    return read(path, **options).actions.collect().rows()


def test_usual_columns_keep_ids_as_text_and_times_exact(tmp_path):
    log = write(
        tmp_path / "log.csv",
        f'Timestamp,extra,ITEM_ID,user_id\n{NANOSECONDS},x,007,"a, b"\n2,y,é,1.0\n',
    )
    assert rows(log) == [("a, b", "007", NANOSECONDS), ("1.0", "é", 2)]
    found = read(log)
    columns = {"user": "user_id", "item": "ITEM_ID", "time": "Timestamp"}
    assert (found.columns, found.unused) == (columns, ["extra"])


def test_named_columns_win(tmp_path):
    log = write(tmp_path / "log.csv", "user,who,what,when\nx,a,b,1.5\n")
    assert rows(log, user_column="who", item_column="what", time_column="when") == [
        ("a", "b", 1.5)
    ]


def test_blanks_round_ids_make_no_other_ids(tmp_path):
    log = write(tmp_path / "log.csv", "user,item,time\n u , i , 1\nu,i,2 \n")
    assert rows(log) == [("u", "i", 1), ("u", "i", 2)]


def test_numbers_beyond_64_bits(tmp_path):
    log = write(tmp_path / "log.csv", f"user,item,time\n{10**30},{10**30 + 1},1\n")
    assert rows(log) == [(str(10**30), str(10**30 + 1), 1)]


def test_parquet_with_numbers_and_dates(tmp_path):
    path = tmp_path / "log.parquet"
    days = [datetime(2024, 1, 2), datetime(2024, 1, 1)]
    pl.DataFrame({"user": [5, 5], "item": [10.0, 11], "date": days}).write_parquet(path)
    frame = read(path).actions.collect()
    assert frame["user"].to_list() == ["5", "5"]
    assert frame["item"].to_list() == ["10", "11"]
    assert frame["time"][0] > frame["time"][1]


def test_rows_without_user_item_or_time_are_dropped_and_counted(tmp_path):
    lines = ["a,x,1", "nan,x,2", "", ",x,3", "b,NULL,4", "c,y,", " ,None,", "d,z,5"]
    log = write(tmp_path / "log.csv", "user,item,time\n" + "\n".join(lines) + "\n")
    found = read(log)
    assert found.actions.collect().rows() == [("a", "x", 1), ("d", "z", 5)]
    assert found.dropped.counts == {
        "empty line": 2,
        "no user": 2,
        "no item": 1,
        "no time": 1,
    }
    places = {"empty line": 4, "no user": 3, "no item": 6, "no time": 7}
    assert found.dropped.first == {k: f"{log} line {n}" for k, n in places.items()}


def test_missing_values_of_parquet_are_dropped(tmp_path):
    path = tmp_path / "log.parquet"
    nan = float("nan")
    columns = {
        "user": [1.0, nan, 3.0],
        "item": ["i", "j", "k"],
        "time": [0.5, 1.0, nan],
    }
    pl.DataFrame(columns).write_parquet(path)
    found = read(path)
    assert found.actions.collect().rows() == [("1", "i", 0.5)]
    assert found.dropped.counts == {"no user": 1, "no time": 1}
    assert found.dropped.first["no user"] == f"{path} row 1"


@pytest.mark.parametrize("large", [2.0**53, -(2.0**60)])
def test_floats_that_cannot_tell_ids_apart_are_refused(tmp_path, large):
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user": ["u", "u"], "item": [2.0**53 - 1, large]}).write_parquet(path)
    with pytest.raises(InputError, match=r"row 1: column 'item' holds floats from 2"):
        read(path)
    numbers = pl.DataFrame({"user": ["u"], "item": [2**53 + 1]})
    numbers.write_parquet(path)
    assert read(path).actions.collect()["item"].to_list() == ["9007199254740993"]
    texts = write(tmp_path / "log.csv", "user,item\nu,9007199254740993.0\n")
    assert rows(texts) == [("u", "9007199254740993.0", 0)]


@pytest.mark.parametrize(
    ("dtype", "bound"), [(pl.Float16, 2**11), (pl.Float32, 2**24), (pl.Float64, 2**53)]
)
def test_so_are_narrower_floats_and_those_in_lists(tmp_path, dtype, bound):
    path, users = tmp_path / "log.parquet", ["u", "u"]
    frame = pl.DataFrame(
        {"user": users, "item": pl.Series([bound - 1, 3], dtype=dtype)}
    )
    frame.write_parquet(path)
    assert [row[1] for row in rows(path)] == [str(bound - 1), "3"]
    large = frame.with_columns(item=pl.Series([bound - 1, bound], dtype=dtype))
    for table in (large, large.group_by("user").agg("item")):
        table.write_parquet(path)
        with pytest.raises(InputError, match="column 'item' holds floats from 2"):
            read(path)


BAD_LOGS = {
    "no user column": ("a,item,time\nx,y,1\n", "has no user column.*--user-column"),
    "no item column": ("user,b,time\nx,y,1\n", "has no item column.*--item-column"),
    "a word as time": (
        "user,item,time\nx,y,1\nx,z,yesterday\n",
        "line 3: column 'time' holds 'yesterday', which is not a time",
    ),
    "an infinite time": (
        "user,item,time\nx,y,-inf\n",
        "line 2.*'-inf', which is not a time",
    ),
    "line break": ('user,item,time\nx,"a\nb",1\n', "column 'item'.*line break"),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_a_bad_log_is_one_line_that_says_where(tmp_path, case):
    text, message = BAD_LOGS[case]
    log = write(tmp_path / "log.csv", text)
    with pytest.raises(InputError, match=message) as caught:
        read(log)
    assert "log.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_times_the_rows_are_the_order(tmp_path):
    log = write(tmp_path / "log.csv", "user,item\nu,x\n,y\n\nu,x\nu,z\n")
    assert rows(log) == [("u", "x", 0), ("u", "x", 1), ("u", "z", 2)]


DAYS = ("2024-01-30", "2024-01-31T12:00:00Z", "2024-02-01")


@pytest.mark.parametrize("unit", [None, 1, 1000])
def test_filters_by_rating_and_time(tmp_path, unit):
    """Times as dates, seconds and milliseconds."""
    ratings = ["5", "", "2"]
    lines = []
    for day, rating in zip(DAYS, ratings, strict=True):
        when = datetime.fromisoformat(day.replace("Z", "")).replace(tzinfo=timezone.utc)
        time = day if unit is None else int(when.timestamp() * unit)
        lines.append(f"u,{day},{rating},{time}")
    text = "\n".join(["user,item,rating,time", *lines])
    log = write(tmp_path / "log.csv", text + "\n")

    def items(**options):
        return [row[1] for row in rows(log, **options)]

    assert items() == list(DAYS)
    assert items(min_rating=3.0) == [DAYS[0]]
    assert items(since="2024-01-31") == list(DAYS[1:])
    assert items(until="2024-02-01") == list(DAYS[:2])
    assert items(since="2024-01-31", until="2024-01-31T12:00:00+01:00") == []
    found = read(log, until="2024-02-01")
    assert found.dropped.first == {"at `until` 2024-02-01 or later": f"{log} line 4"}
    found = read(log, min_rating=2.5, until="2024-01-31")
    assert found.dropped.counts == {"no rating": 1, "rating below `min_rating`": 1}
    found = read(log, since="2024-01-31")
    assert found.dropped.first == {"before `since` 2024-01-31": f"{log} line 2"}


def test_bounds_of_times_that_are_no_dates(tmp_path):
    log = write(tmp_path / "log.csv", "user,item,time\nu,x,1\nu,y,2\n")
    assert rows(log, since="2") == [("u", "y", 2)]
    with pytest.raises(InputError, match=r"`since` must be a number like the log's"):
        rows(log, since="2024-01-01")
    with pytest.raises(InputError, match="no column of times for --until"):
        rows(write(tmp_path / "log.csv", "user,item\nu,x\n"), until="3")
