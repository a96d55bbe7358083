"""S3-Rec's files."""

import gzip
import json

import pytest

from emkd_tf.data.delimited_rows import scan_lines
from emkd_tf.data.s3rec import is_sequences, read_s3rec_attributes, scan_sequences
from emkd_tf.errors import InputError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_line_is_a_user(tmp_path):
    path = write(tmp_path / "s.txt", "1 10 11 10\n2 7\n\n")
    found = scan_sequences(scan_lines(path)).collect()
    assert found.rows() == [("1", "10"), ("1", "11"), ("1", "10"), ("2", "7")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["1 2 3", "2 5"], True),
        (["u1 a b c", "u2 a"], True),
        (["1 2", "1 3"], False),  # pairs
        (["1,2 3", "2,5"], False),
        (["1 2 3", "2"], False),
        (["1 7 8 9 4", "2 7 5 3 1"], True),  # as wide as no log without names
        (["1 7 8 9 4", "1 7 5 3 1"], False),
        (["1 7 5 978", "2 7 3 979"], False),
        (["1 7 8 9 4"], False),
    ],
)
def test_lines_of_sequences(lines, expected):
    assert is_sequences(lines) is expected


def test_an_object_of_lists(tmp_path):
    path = write(tmp_path / "a.json", json.dumps({"a": [1, 1, "z"], "b": []}))
    assert read_s3rec_attributes(path).rows() == [("a", "1"), ("a", "z")]
    path = write(path, '\ufeff{"a": ["x", null, "", "None", 1], "b": []}')
    assert read_s3rec_attributes(path).rows() == [("a", "x"), ("a", "1")]
    path = write(path, '{"a": "x", "b": 2, "c": null}')
    assert read_s3rec_attributes(path).rows() == [("a", "x"), ("b", "2")]


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": {"b": 3}}', '{"a": [1', "\x00"])
def test_anything_else_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r'JSON object like \{"item"'):
        read_s3rec_attributes(write(tmp_path / "a.json", text))


def test_ids_are_as_in_tables(tmp_path):
    content = {"": ["a"], " blank ": ["a"], "i1 ": ["a"], "i1": ["a"], "nan": ["a"]}
    path = write(tmp_path / "a.json", json.dumps(content))
    assert read_s3rec_attributes(path).rows() == [("blank", "a"), ("i1", "a")]


def test_it_may_be_compressed(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"x": ["a", "b"]}'))
    assert read_s3rec_attributes(path).rows() == [("x", "a"), ("x", "b")]
