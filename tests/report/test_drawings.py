"""What pictures show is what was measured: read back from the drawn text."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from emkd_tf.evaluation.comparison_report import compare
from emkd_tf.report import drawings
from emkd_tf.report.pictures import drawing


def texts(picture):
    root = ET.fromstring(picture.svg)
    return [text for text in map(str.strip, root.itertext()) if text]


@pytest.fixture(autouse=True)
def style():
    with drawing():
        yield


def test_bars_say_the_metrics_of_networks(files):
    found = texts(drawings.networks_picture(files, "HR@10"))
    assert f"{files.metrics['test']['HR@10']:.4f}" in found
    for name, metrics in files.metrics["test_by_network"].items():
        assert name in found
        assert f"{metrics['HR@10']:.4f}" in found


def test_one_run_shows_its_networks_and_several_only_themselves(files):
    one = texts(drawings.validation_picture([files], "NDCG@10"))
    assert {"all networks", "network_1", "network_2", "epoch"} <= set(one)
    two = texts(drawings.validation_picture([files, files], "NDCG@10"))
    assert "network_1" not in two
    assert two.count(files.name) == 2


def test_a_metric_that_was_not_logged_is_not_drawn(files):
    bare = dataclasses.replace(files, epochs=[])
    assert drawings.validation_picture([bare], "NDCG@10") is None


def test_every_term_of_the_loss_has_a_panel(files):
    picture = drawings.loss_picture(files, None)
    terms = files.loss_terms(None)
    assert {term.replace("_", " ") for term in terms} <= set(texts(picture))
    assert picture.name == "loss-tiny"


def test_parts_are_named_with_their_users(files):
    _, rows = compare({"tiny": [files.ranks]}, "MRR")
    picture = drawings.parts_picture(rows, "history length")
    own = [row for row in rows if row.parted_by == "history length"]
    found = texts(picture)
    for row in own:
        assert row.part in found
        assert str(row.users) in found
    assert picture.name == "by-history-length"


def test_shares_and_concentration():
    shares = {"catalogue": {"tail": 0.75, "head": 0.25}, "lists": {"head": 1.0}}
    found = texts(drawings.shares_picture(shares, ["tail", "head"]))
    assert {"catalogue", "lists", "tail", "head", "100%"} <= set(found)
    picture = drawings.concentration_picture({"training": np.array([3, 0, 1])})
    assert "training" in texts(picture)


def test_histories_of_one_length_are_drawn():
    picture = drawings.data_picture(np.full(9, 5), np.array([0, 3, 42]))
    assert "actions of a history" in texts(picture)
