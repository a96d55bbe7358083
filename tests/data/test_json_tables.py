"""JSON as tables."""

import gzip
import json

import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.interactions import read_interactions
from emkd_tf.data.json_tables import (
    first_lines,
    is_record_a_line,
    parse,
    read_list,
    records,
    scan_records,
)
from emkd_tf.errors import InputError

RECORDS = [
    {"user": 10**30, "item": "007", "time": 1.5, "tags": ["a", 1, None]},
    {"user": 7, "item": "é", "tags": [], "more": {"x": 1}, "is": True},
]
EXPECTED = {
    "user": [str(10**30), "7"],
    "item": ["007", "é"],
    "time": ["1.5", None],
    "tags": [["a", "1"], []],
}


def check(frame):
    found = frame.select(*EXPECTED).collect()
    found = found.with_columns(pl.col("tags").list.drop_nulls())
    assert found.to_dict(as_series=False) == EXPECTED


def test_a_list_of_records(tmp_path):
    path = tmp_path / "log.json"
    for indent in (None, 2):
        path.write_text(json.dumps(RECORDS, indent=indent, ensure_ascii=False))
        check(read_list(path))
    path.write_bytes(gzip.compress(("\ufeff" + json.dumps(RECORDS)).encode()))
    check(read_list(path))


@pytest.mark.parametrize("line", [json.dumps, str])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_record_a_line(tmp_path, line, pack):
    path = tmp_path / "log"
    numbers = [{**r, "user": 10**30 if n == 0 else 7} for n, r in enumerate(RECORDS)]
    text = "\n\n".join(map(line, numbers)) + "\n"
    path.write_bytes(pack(text.encode()))
    sample = first_lines(path, 9)
    assert len(sample) == 2
    assert is_record_a_line(sample)
    table, open_part = scan_records(path, sample)
    check(table)
    # Python literals are read from the beginning, line by line.
    assert (open_part is None) == (line is str)
    if open_part is not None:
        check(open_part(text.encode()))
    assert [str(r["user"]) for r in records(path)] == EXPECTED["user"]


def test_an_object_of_lists_is_no_record():
    assert not is_record_a_line(['{"a": ["x"], "b": []}'])
    assert is_record_a_line(['{"item": "a", "tags": ["x"]}'])
    assert not is_record_a_line(["{"])
    assert not is_record_a_line(["[1, 2]"])


@pytest.mark.parametrize(
    "text", ["__import__('os').getcwd()", "{'a': print(1)}", "[1]", "{" * 10_000, "1"]
)
def test_what_is_no_record_is_refused_and_no_code_runs(tmp_path, text, capsys):
    path = tmp_path / "log"
    path.write_text('{"user": 1}\n' + text + "\n")
    with pytest.raises(InputError, match="line 2 is not a JSON object"):
        list(records(path))
    with pytest.raises(
        (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)
    ):
        parse(text)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["[1, 2]", '[{"a": 1}', "[" * 100_000, '{"a": 1}'])
def test_what_is_no_list_of_records(tmp_path, text):
    (tmp_path / "log").write_text(text)
    with pytest.raises(InputError, match="is not a JSON list like"):
        read_list(tmp_path / "log")


LATE = '{"user": "u", "item": "i", "time": 1}\n' * 2000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"user": "u", "item": "i", "time": NaN}', "NaN is not JSON"),
        ('{"user": "u", "item', "is not a JSON object"),
        ("{'user': 'u'}", "Expecting property name"),
    ],
)
def test_what_is_wrong_behind_the_sample_is_told_with_its_line(tmp_path, text, message):
    path = tmp_path / "log.jsonl"
    path.write_text(f"{LATE}{text}\n{LATE}")
    with pytest.raises(InputError, match=f"line 2001 .*{message}"):
        read_interactions(DataConfig(dataset="log", interactions=str(path)))


def test_what_python_writes_of_nan_says_nothing(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [
        {"user": "u", "item": "i", "time": 1},
        {"user": float("nan"), "item": "i", "time": 1},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    log = read_interactions(DataConfig(dataset="log", interactions=str(path)))
    assert log.actions.collect().rows() == [("u", "i", 1)]
    assert log.dropped.counts == {"no user": 1}


def lines_of(tmp_path, *lines, mark=b""):
    path = tmp_path / "log.json"
    path.write_bytes(mark + "\n".join(lines).encode())
    frame, _ = scan_records(path, lines)
    return frame.collect()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_numbers_are_the_same_on_every_way(tmp_path, mark):
    """A file with a mark is read by Python."""
    values = ["1", "1.0", "1e3", "0.5", "true", str(10**30)]
    lines = [json.dumps({"user": "u"})[:-1] + f', "item": {v}}}' for v in values]
    found = lines_of(tmp_path, *lines, mark=mark)["item"].to_list()
    assert found == ["1", "1", "1000", "0.5", "true", str(10**30)]
    path = tmp_path / "list.json"
    path.write_text(f"[{', '.join(lines)}]")
    assert read_list(path).collect()["item"].to_list() == found


def test_large_numbers_do_not_fall_together(tmp_path):
    floats = [f"{2**53 + n}.0" for n in range(4)]
    lines = [f'{{"user": "u", "item": {number}}}' for number in floats]
    assert lines_of(tmp_path, *lines)["item"].to_list() == floats
    digits = str(10**40 + 1)
    line = f'{{"user": "u", "item": {digits}}}'
    assert lines_of(tmp_path, line)["item"].to_list() == [digits]


def test_values_beside_lists_are_lists_of_one(tmp_path):
    lines = ['{"item": "x", "tags": "a"}', '{"item": "y", "tags": ["a", "b"]}']
    for each in (lines, lines[::-1]):
        found = lines_of(tmp_path, *each).sort("item")
        assert found["tags"].to_list() == [["a"], ["a", "b"]]


def test_half_a_character_is_told(tmp_path):
    lines = ['{"user": "u", "item": "x"}', '{"user": "u", "item": "\\ud83d"}']
    with pytest.raises(InputError, match="record 2 holds half of a character"):
        lines_of(tmp_path, *lines, mark=b"\xef\xbb\xbf")
