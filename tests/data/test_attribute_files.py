"""Attribute files by their layout."""

import json

from emkd_tf.data.attribute_files import read_attributes


def test_an_object_of_lists_and_a_table(tmp_path):
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"a": ["x", "y"], "b": []}))
    assert read_attributes(path).pairs.rows() == [("a", "x"), ("a", "y")]
    path = tmp_path / "items.csv"
    path.write_text("item,kind\na,x|y\n")
    assert read_attributes(path).pairs.rows() == [("a", "kind=x"), ("a", "kind=y")]
