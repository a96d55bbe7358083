"""Histories to recommend for, from files."""

import polars as pl
import pytest

from emkd_tf.data.history_files import scan_histories
from emkd_tf.errors import InputError

EXPECTED = [("u1", ["a", "b c"]), ("u2", []), ("u3", ["ü"])]


def rows(path, separator=",", **options):
    return scan_histories(path, separator, **options).collect().rows()


def test_csv_joins_ids(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text('user_id,age,history\nu1,7,"a,b c"\nu2,8,\nu3,9,",ü,,"\n')
    assert rows(path) == EXPECTED
    path.write_text("who,items\nu1,a|b c\nu2,\nu3,ü\n")
    assert rows(path, "|", user_column="who") == EXPECTED


@pytest.mark.parametrize("joined", [False, True])
def test_parquet_holds_lists_or_joined_ids(tmp_path, joined):
    path = tmp_path / "h.parquet"
    lists = [["a", None, "b c", ""], None, ["ü"]]
    texts = ["a,b c", None, "ü"]
    frame = {"user": ["u1", "u2", "u3"], "history": texts if joined else lists}
    pl.DataFrame(frame).write_parquet(path)
    assert rows(path) == EXPECTED


def test_numbers_are_texts(tmp_path):
    path = tmp_path / "h.parquet"
    pl.DataFrame({"uid": [7], "item_ids": [[30, 4]]}).write_parquet(path)
    assert rows(path) == [("7", ["30", "4"])]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            {"user": ["u"], "past": [["a"]]},
            "has no column `history`, it has user",
        ),
        ({"who": ["u"], "history": [["a"]]}, "has no user column"),
        (
            {"user": ["u", None], "history": [["a"], ["b"]]},
            "row 1: column 'user' is",
        ),
        ({"user": ["u"], "history": [3.5]}, "holds Float64, not text or lists"),
    ],
)
def test_mistakes_are_one_line(tmp_path, frame, message):
    path = tmp_path / "h.parquet"
    pl.DataFrame(frame).write_parquet(path)
    with pytest.raises(InputError, match=message) as caught:
        rows(path)
    assert "\n" not in str(caught.value)


def test_numbers_in_lists_are_written_as_ids_of_logs(tmp_path):
    path = tmp_path / "h.parquet"
    frame = {"user": ["u"], "history": [[108.0, 7.0, None]]}
    pl.DataFrame(frame).write_parquet(path)
    assert rows(path) == [("u", ["108", "7"])]
    pl.DataFrame({"user": ["u"], "history": [[{"id": "a"}]]}).write_parquet(path)
    with pytest.raises(InputError, match="not text or lists of"):
        scan_histories(path, ",")


def test_texts_in_lists_are_ids_as_written(tmp_path):
    path = tmp_path / "h.parquet"
    pl.DataFrame({"user": ["u"], "history": [["17.0", "b"]]}).write_parquet(path)
    assert rows(path) == [("u", ["17.0", "b"])]
    lines = tmp_path / "h.jsonl"
    lines.write_text('{"user": "u", "history": ["17.0", 18.0]}\n')
    assert rows(lines) == [("u", ["17.0", "18"])]


def test_the_column_of_the_log_comes_before_usual_names(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text("user,who,history\nx,u1,a\n")
    assert rows(path, log_column="who") == [("u1", ["a"])]
    assert rows(path, log_column="buyer") == [("x", ["a"])]
    assert rows(path, user_column="user", log_column="who") == [("x", ["a"])]


def test_new_users_alone_and_no_users_at_all(tmp_path):
    path = tmp_path / "h.parquet"
    frame = pl.DataFrame({"user": ["u1", "u2"], "history": [None, None]})
    assert frame["history"].dtype == pl.Null
    frame.write_parquet(path)
    assert rows(path) == [("u1", []), ("u2", [])]
    frame.clear().write_parquet(path)
    assert rows(path) == []
    text = tmp_path / "h.csv"
    text.write_text("user,history\n")
    assert rows(text) == []


def test_categories_are_texts(tmp_path):
    path = tmp_path / "h.parquet"
    frame = pl.DataFrame({"user": ["u1"], "history": ["a,b"]})
    frame.cast(pl.Categorical).write_parquet(path)
    assert rows(path) == [("u1", ["a", "b"])]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("user,Item List", "a"),
        ("user,products,items", "b"),
        ("user,items,History", "b"),
        ("user,item_ids,Past", "a"),
    ],
)
def test_the_column_of_histories_by_its_name(tmp_path, names, expected):
    path = tmp_path / "h.csv"
    path.write_text(f"{names}\nu,a,b\n" if names.count(",") == 2 else f"{names}\nu,a\n")
    assert rows(path) == [("u", [expected])]
