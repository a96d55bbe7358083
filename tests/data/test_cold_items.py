"""Items beside a catalogue, by hand."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.cold_items import find_cold_items, with_cold_items
from emkd_tf.data.prepare import prepare

RED, BLUE = "colour=red", "colour=blue"
PAIRS = [
    *[("10.0", RED), ("x", RED), ("y", BLUE)],  # of the catalogue
    *[("new", BLUE), ("new", RED), ("new", RED), ("later", BLUE)],
    *[("later", "colour=green"), ("strange", "colour=green"), ("two\nlines", RED)],
    ("back\rwards", RED),  # which TensorFlow takes for the end of a line
]


@pytest.fixture
def histories(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "user,item,time\n"
        + "".join(f"{u},{i},{t}\n" for u in "abc" for t, i in enumerate(["10", *"xyz"]))
    )
    attributes = tmp_path / "attributes.csv"
    attributes.write_text("item,colour\n10,red\nx,red\ny,blue\n")
    settings = {"interactions": str(log), "attributes": str(attributes)}
    settings |= {"user_core": 1, "item_core": 1, "cache_dir": str(tmp_path / "cache")}
    return prepare(from_flat(settings).data)


@pytest.fixture
def cold(histories):
    table = pl.DataFrame(PAIRS, schema=["item", "attribute"], orient="row")
    return find_cold_items(table, histories)


def test_what_the_catalogue_has_or_nothing_is_known_of_is_left_out(cold):
    assert cold.ids == ["new", "later"]
    assert cold.offsets.tolist() == [0, 2, 3]
    red, blue = 0, 1
    assert cold.values.tolist() == [red, blue, blue]


def test_they_stand_behind_the_catalogue(histories, cold, tmp_path):
    folder = tmp_path / "cold"
    folder.mkdir()
    grown = with_cold_items(histories, cold, folder)
    assert grown.item_ids() == [*histories.item_ids(), "new", "later"]
    assert grown.user_ids() == histories.user_ids()
    assert grown.num_items == histories.num_items + 2
    counts = grown.training_item_counts()
    np.testing.assert_array_equal(counts[:-2], histories.training_item_counts())
    assert counts[-2:].tolist() == [0, 0]
    first, last = grown.attribute_offsets[-3:-1]
    assert grown.attribute_values[first:last].tolist() == [0, 1]
    np.testing.assert_array_equal(
        grown.attribute_values[:first], histories.attribute_values
    )
