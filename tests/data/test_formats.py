"""Readers, on good files and on every kind of bad one."""

import json
import pickle
import zipfile
from datetime import datetime

import polars as pl
import pytest

from emkd_tf.data import formats
from emkd_tf.errors import InputError

NANOSECONDS = 1_700_000_000_123_456_789


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_usual_columns_keeps_ids_as_text_and_times_exact(tmp_path):
    log = write(
        tmp_path / "log.csv",
        f'Timestamp,extra,ITEM_ID,user_id\n{NANOSECONDS},x,007,"a, b"\n2,y,é,1.0\n',
    )
    frame = formats.read_interactions(log).collect()
    assert frame.rows() == [("a, b", "007", NANOSECONDS), ("1.0", "é", 2)]


def test_named_columns_win(tmp_path):
    log = write(tmp_path / "log.csv", "user,who,what,when\nx,a,b,1.5\n")
    frame = formats.read_interactions(log, "who", "what", "when").collect()
    assert frame.rows() == [("a", "b", 1.5)]


def test_parquet_with_numbers_and_dates(tmp_path):
    path = tmp_path / "log.parquet"
    days = [datetime(2024, 1, 2), datetime(2024, 1, 1)]
    pl.DataFrame({"user": [5, 5], "item": [10, 11], "date": days}).write_parquet(path)
    frame = formats.read_interactions(path).collect()
    assert frame["user"].to_list() == ["5", "5"]
    assert frame["item"].to_list() == ["10", "11"]
    assert frame["time"][0] > frame["time"][1]


BAD_LOGS = {
    "empty": ("", "is empty"),
    "header only": ("user,item,time\n", "has no rows"),
    "no user column": ("a,item,time\nx,y,1\n", "has no user column.*--user-column"),
    "no item column": ("user,b,time\nx,y,1\n", "has no item column.*--item-column"),
    "no time column": ("user,item,c\nx,y,1\n", "has no time column.*--time-column"),
    "a word as time": (
        "user,item,time\nx,y,1\nx,z,yesterday\n",
        "line 3: column 'time' holds 'yesterday', not a number",
    ),
    "NaN as time": ("user,item,time\nx,y,nan\n", "line 2.*'nan', not a number"),
    "no time": ("user,item,time\nx,y,\n", "line 2.*not a number"),
    "no user": ("user,item,time\n,y,1\n", "line 2: column 'user' is empty"),
    "no item": ('user,item,time\nx,"",1\n', "line 2: column 'item' is empty"),
    "line break": ('user,item,time\nx,"a\nb",1\n', "column 'item'.*line break"),
    "ragged": ("user,item,time\nx,y,1,2,3\n", "cannot be read as csv"),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_a_bad_log_is_one_line_that_says_where(tmp_path, case):
    text, message = BAD_LOGS[case]
    log = write(tmp_path / "log.csv", text)
    with pytest.raises(InputError, match=message) as caught:
        formats.read_interactions(log)
    assert "log.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_column_that_is_not_there_lists_those_that_are(tmp_path):
    log = write(tmp_path / "log.csv", "user,item,time\nx,y,1\n")
    with pytest.raises(InputError, match=r"no column 'who'.*user, item, time"):
        formats.read_interactions(log, user_column="who")


def test_files_that_are_not_what_they_are_called(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        formats.read_interactions(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"neither \.csv nor \.parquet"):
        formats.read_interactions(write(tmp_path / "log.txt", "user,item,time\n"))
    text = write(tmp_path / "text.parquet", "user,item,time\nx,y,1\n")
    with pytest.raises(InputError, match="cannot be read as parquet"):
        formats.read_interactions(text)
    pickled = tmp_path / "pickle.parquet"
    pickled.write_bytes(pickle.dumps({"user": [1]}))
    with pytest.raises(InputError, match="cannot be read as parquet"):
        formats.read_interactions(pickled)


def test_s3rec_text(tmp_path):
    path = write(tmp_path / "s.txt", "1 10 11 10\n2 7\n\n")
    assert formats.read_s3rec_sequences(path).rows() == [
        ("1", "10", 0),
        ("1", "11", 1),
        ("1", "10", 2),
        ("2", "7", 0),
    ]


def test_attributes_in_columns_lists_and_json(tmp_path):
    expected = {("a", "brand=x"), ("a", "tag=red"), ("a", "tag=blue"), ("b", "brand=y")}
    wide = write(tmp_path / "w.csv", "item,brand,tag\na,x,red| blue\nb,y,\n")
    assert set(formats.read_attributes(wide).rows()) == expected
    long = write(tmp_path / "l.csv", "item,brand,tag\na,x,red\na,,blue\nb,y,\na,x,\n")
    assert set(formats.read_attributes(long).rows()) == expected
    path = write(tmp_path / "a.json", json.dumps({"a": [1, 1, "z"], "b": []}))
    assert formats.read_attributes(path).rows() == [("a", "1"), ("a", "z")]


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": 3}', '{"a": [1', "\x00"])
def test_bad_attribute_json(tmp_path, text):
    with pytest.raises(InputError, match=r'JSON object like \{"item"'):
        formats.read_attributes(write(tmp_path / "a.json", text))


def test_attributes_need_a_field(tmp_path):
    with pytest.raises(InputError, match="no column beside 'item'"):
        formats.read_attributes(write(tmp_path / "a.csv", "item\na\n"))


def test_movielens_archive(tmp_path):
    path = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml-1m/ratings.dat", "1::1193::5::978300760\n1::2::3::97\n")
        movies = '1193::Père Noël: "x" (1975)::Drama\n2::B (1995)::Comedy|Drama\n'
        archive.writestr("ml-1m/movies.dat", movies.encode("latin-1"))
    actions, attributes = formats.read_movielens_1m(path)
    assert actions.rows() == [("1", "1193", 978300760), ("1", "2", 97)]
    assert attributes.rows() == [("1193", "Drama"), ("2", "Comedy"), ("2", "Drama")]


def test_archives_that_are_not_movielens(tmp_path):
    with pytest.raises(InputError, match="not GroupLens"):
        formats.read_movielens_1m(write(tmp_path / "a.zip", "no zip"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(InputError, match="not GroupLens"):
        formats.read_movielens_1m(tmp_path / "b.zip")


def test_attribute_columns_of_any_name_and_missing_values(tmp_path):
    path = tmp_path / "items.parquet"
    pl.DataFrame(
        {
            "asin": ["a", "b", "c"],
            "item": ["x", None, ""],
            "value": [1.5, float("nan"), None],
            "field": ["u|v", " ", "w"],
        }
    ).write_parquet(path)
    found = formats.read_attributes(path, item_column="asin")
    assert found.rows() == [
        ("a", "item=x"),
        ("a", "value=1.5"),
        ("a", "field=u"),
        ("a", "field=v"),
        ("c", "field=w"),
    ]


def test_json_attributes_without_nulls(tmp_path):
    path = write(tmp_path / "items.json", '\ufeff{"a": ["x", null, 1], "b": []}')
    assert formats.read_attributes(path).rows() == [("a", "x"), ("a", "1")]
