"""Folders of text tables against one file of the same rows."""

import gzip
import json

import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.interactions import read_interactions
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError

ROWS = [(f"u{n % 3}", f"0{n}", n) for n in range(9)]
NAMES = ("user", "item", "time")


def text(rows, header=True):
    lines = [",".join(map(str, row)) for row in rows]
    return "\n".join([*([",".join(NAMES)] if header else []), *lines]) + "\n"


def read(folder):
    log = read_interactions(DataConfig(dataset="log", interactions=str(folder)))
    return log, log.actions.collect().rows()


@pytest.mark.parametrize("header", [True, False])
def test_parts_of_a_log_are_read_in_the_order_of_their_names(tmp_path, header):
    days = tmp_path / "days"
    for number in (2, 0, 1):
        day = days / f"day={number}"
        day.mkdir(parents=True)
        part = text(ROWS[3 * number :][:3], header).encode()
        name, part = ("a.csv.gz", gzip.compress(part)) if number else ("a.csv", part)
        (day / name).write_bytes(part)
    (days / "_SUCCESS").write_text("")
    (days / "README.txt").write_text("notes")
    (days / "part-9.csv").write_text("")
    whole = tmp_path / "whole.csv"
    whole.write_text(text(ROWS, header))
    assert read(days)[1] == read(whole)[1] == ROWS


def test_records_may_have_more_keys_later(tmp_path):
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    (tmp_path / "0.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records))
    late = {"device": "tv", **records[0], "time": 99}
    (tmp_path / "1.jsonl").write_text(f"{json.dumps(late)}\n")
    log, rows = read(tmp_path)
    assert rows == [*ROWS, ("u0", "00", 99)]
    assert log.unused == ["device"]


def test_a_damaged_record_is_named_in_its_file(tmp_path):
    line = '{"user": "u", "item": "i", "time": 1}\n'
    (tmp_path / "0.jsonl").write_text(line)
    (tmp_path / "1.jsonl").write_text(2000 * line + '{"user": \n')
    with pytest.raises(InputError, match=r"1\.jsonl line 2001 cannot be read"):
        read(tmp_path)


def test_a_bad_row_is_named_in_its_file(tmp_path):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_text("user,item,time\nu,i,1\nu,j,soon\n")
    with pytest.raises(InputError, match=r"1\.csv line 3: column 'time' holds 'soon'"):
        read(tmp_path)
    (tmp_path / "1.csv").write_text("user,item,time\nu,i,1\nu,j,\n")
    log, rows = read(tmp_path)
    assert len(rows) == len(ROWS) + 1
    assert log.dropped.first == {"no time": f"{tmp_path / '1.csv'} line 3"}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("movieId,title\n1,x\n", r"1\.csv has no column 'user', which other files"),
        ("who,item,time\nu,i,1\n", r"1\.csv has no column 'user', which other files"),
        ("u1,01,5\n", r"1\.csv \(csv without a header\) do not form one table"),
        ("u\n" * 3, r"1\.csv"),
    ],
)
def test_files_of_other_tables_are_refused(tmp_path, other, message):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_text(other)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_no_text_is_in_a_folder_is_refused_as_alone(tmp_path):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_bytes(text(ROWS).encode("utf-16"))
    with pytest.raises(InputError, match=r"1\.csv is not UTF-8.* iconv -f UTF-16"):
        read(tmp_path)


def test_names_of_folders_hold_columns(tmp_path):
    for time in ("2024-01-02T00%3A30", "2024-01-01T00%3A10"):
        part = tmp_path / f"time={time}" / "user=x"
        part.mkdir(parents=True)
        (part / "0.csv").write_text(f"user,item\nu,{time[9]}\n")
    log, _ = read(tmp_path)
    assert log.columns == {"user": "user", "item": "item", "time": "time"}
    part = tmp_path / "time=__HIVE_DEFAULT_PARTITION__"
    part.mkdir()
    (part / "0.csv").write_text("user,item\nu,3\n")
    log, rows = read(tmp_path)
    assert [row[:2] for row in rows] == [("u", "1"), ("u", "2")]
    assert rows[1][2] - rows[0][2] == (24 * 60 + 20) * 60 * 10**6
    assert log.dropped.counts == {"no time": 1}


def test_the_columns_of_a_folder(tmp_path):
    (tmp_path / "0.csv").write_text("user,item\nu,i\n")
    (tmp_path / "1.csv").write_text("item,user,x\nj,v,1\n")
    table = scan_table(tmp_path)
    assert table.columns == ["user", "item", "x"]
    assert table.collect(table.frame).rows() == [("u", "i", None), ("v", "j", "1")]
    assert table.lacking == {"x": tmp_path / "0.csv"}
