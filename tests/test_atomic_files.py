"""Files and folders that are whole or absent."""

import os

import pytest

from emkd_tf.atomic_files import (
    link_or_copy,
    new_folder,
    read_json,
    write_json,
    write_text,
    writes_to,
)
from emkd_tf.errors import InputError


def test_a_folder_appears_when_the_block_succeeds(tmp_path):
    target = tmp_path / "a" / "b"
    with new_folder(target) as unfinished:
        (unfinished / "x").write_text("1")
        assert not target.exists()
    assert [p.name for p in target.iterdir()] == ["x"]
    assert [p.name for p in target.parent.iterdir()] == ["b"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    def fail():
        with new_folder(tmp_path / "b") as unfinished:
            (unfinished / "x").write_text("1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_stays(tmp_path):
    target = tmp_path / "b"
    with new_folder(target) as unfinished:
        (unfinished / "mine").write_text("1")
        target.mkdir()
        (target / "theirs").write_text("2")
    assert [p.name for p in target.iterdir()] == ["theirs"]
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_text_and_json_replace_in_one_step(tmp_path):
    path = tmp_path / "x.json"
    write_text(path, "old")
    write_json(path, {"ü": [1.5, None]})
    assert read_json(path) == {"ü": [1.5, None]}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_file_is_linked(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("x")
    link_or_copy(source, target)
    assert target.samefile(source)


def test_a_file_is_copied_where_it_cannot_be_linked(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError

    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("x")
    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(source, target)
    assert target.read_text() == "x"
    assert not target.samefile(source)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    said = (
        rf"{tmp_path} cannot be written \(Is a directory\); choose another --output\."
    )
    with pytest.raises(InputError, match=said), writes_to(tmp_path, "--output"):
        tmp_path.write_text("")
