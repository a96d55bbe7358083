"""The tables of a report against the files that they tell of."""

import dataclasses

import numpy as np
import pytest

from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.report import sections
from emkd_tf.report.lists import lists_of_test_users
from emkd_tf.report.pictures import drawing


@pytest.fixture(autouse=True)
def style():
    with drawing():
        yield


def row(table, name):
    (found,) = [cells for cells in table.rows if cells[0] == name]
    return found[1:]


def shown(metrics):
    return [f"{metrics[metric]:.4f}" for metric in METRICS]


def test_metrics_are_those_of_the_run(files):
    metrics, parts = sections.metrics_sections([files], "NDCG@10")
    compared, beside = metrics.tables
    cells = row(compared, "tiny")
    assert [cell.split()[0] for cell in cells] == shown(files.metrics["test"])
    assert row(beside, "validation") == shown(files.metrics["validation"])
    all_items = files.metrics["test_by_protocol"]["all"]
    assert row(beside, "test, protocol all") == shown(all_items)
    assert row(beside, "PopRec, test") == shown(files.metrics["poprec"])
    kinds = ["history length", "popularity of the target", "target"]
    assert [t.title.partition(" (")[0] for t in parts.tables] == [
        f"NDCG@10 by {kind}" for kind in kinds
    ]
    assert len(parts.pictures) == 3


def test_the_gain_is_over_the_best_network(files):
    networks = {"a": dict.fromkeys(METRICS, 0.2), "b": dict.fromkeys(METRICS, 0.25)}
    metrics = {
        **files.metrics,
        "test": dict.fromkeys(METRICS, 0.3),
        "test_by_network": networks,
    }
    run = dataclasses.replace(files, metrics=metrics)
    (table,) = sections.networks_section([run], "MRR").tables
    assert row(table, "gain over the best network") == ["+20.0%"] * len(METRICS)
    assert row(table, "b") == ["0.2500"] * len(METRICS)


def test_a_single_network_gains_nothing(files):
    alone = {"test_by_network": {"network_1": {}}}
    run = dataclasses.replace(files, metrics={**files.metrics, **alone})
    assert sections.networks_section([run], "MRR") is None


def test_training_tells_the_best_epoch(files):
    section = sections.curves_section([files], "NDCG@10")
    assert f"tiny {files.metrics['best_epoch']} of 2" in section.text
    bare = dataclasses.replace(files, epochs=[])
    assert sections.curves_section([bare], "MRR") is None


def test_lists_beside_the_targets(opened):
    histories, model = opened
    lists = lists_of_test_users(model, histories, "unseen", 5)
    (table,) = sections.lists_section({"tiny": lists}, histories, 5).tables
    covered = len(set(lists.ravel().tolist()) - {0}) / histories.num_items
    assert row(table, "tiny")[0] == f"{covered:.1%}"
    targets = np.unique(histories.targets("test")).size / histories.num_items
    assert row(table, "test targets")[0] == f"{targets:.1%}"
    shares = [float(cell.rstrip("%")) for cell in row(table, "test targets")[2:]]
    assert sum(shares) == pytest.approx(100.0, abs=0.2)
