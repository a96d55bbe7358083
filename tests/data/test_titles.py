"""Titles of items."""

import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.titles import find_titles, read_titles
from emkd_tf.errors import InputError


def test_the_first_title_of_each_item(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id,brand,Title\n07,A,Soap\n8,B,\n07,A,Other\nx,C,Tea ☕\n")
    assert read_titles(path) == {"07": "Soap", "x": "Tea ☕"}


def test_a_column_that_the_run_names_comes_first(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id;code;name\n1;a;One\n2;b;Two\n")
    assert read_titles(path, ["code"]) == {"a": "One", "b": "Two"}


def test_movielens(tmp_path):
    path = tmp_path / "movies.dat"
    path.write_bytes("1::Toy Story (1995)::Animation\n2::Amélie::Drama\n".encode())
    assert read_titles(path) == {"1": "Toy Story (1995)", "2": "Amélie"}


def test_what_is_missing_is_said(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item,brand\n1,A\n")
    with pytest.raises(InputError, match="no column of titles, it has item, brand"):
        read_titles(path)


def test_attributes_of_a_run_serve_where_they_have_titles(tmp_path):
    path = tmp_path / "items.csv"
    data = DataConfig(interactions="log.csv", attributes=str(path))
    assert find_titles(data) == {}  # the file is gone
    path.write_text("item,brand\n1,A\n")
    assert find_titles(data) == {}
    path.write_text("item,title\n1,Soap\n")
    assert find_titles(data) == {"1": "Soap"}
    other = tmp_path / "other.csv"
    other.write_text("item,title\n1,Tea\n")
    assert find_titles(data, str(other)) == {"1": "Tea"}
    assert find_titles(DataConfig()) == {}
    with pytest.raises(InputError, match="does not exist"):
        find_titles(data, str(tmp_path / "none.csv"))
