"""The tables of a report, from ranks."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from emkd_tf.experiments.report import findings
from emkd_tf.experiments.report_tables import frame, table

METRICS = {
    "NDCG@10": lambda r: np.where(r <= 10, 1 / np.log2(r + 1), 0.0),
    "HR@10": lambda r: (r <= 10).astype(float),
}


@pytest.fixture
def found(grid, planned, finished):
    return findings(grid, "sample", planned)


def test_every_number_is_a_mean_over_users_and_seeds(found, finished):
    for row in frame(found).iter_rows(named=True):
        value = METRICS[row["metric"]]
        of_seeds = [value(finished[row["row"], seed]).mean() for seed in (0, 1)]
        np.testing.assert_allclose(row["value"], np.mean(of_seeds), rtol=1e-9)
        assert row["users_low"] < row["value"] < row["users_high"]
        assert row["seeds_low"] < row["value"] < row["seeds_high"]
        assert (row["seeds"], row["seconds"], row["parameters"]) == (2, 10.5, 123)
        assert row["processor_seconds"] == 21.0  # of the last epochs: 20 and 22
        if (row["row"], row["metric"]) != ("small", "NDCG@10"):  # the tested one
            assert (row["difference"], row["p_users"], row["p_seeds"]) == (None,) * 3
            continue
        both = [
            [value(finished[label, seed]).mean() for seed in (0, 1)]
            for label in ("small", "large")
        ]
        np.testing.assert_allclose(
            row["difference"], np.mean(both[0]) - np.mean(both[1])
        )
        assert row["p_users"] < 1e-4
        assert row["p_seeds"] == pytest.approx(
            stats.ttest_ind(*both, equal_var=False).pvalue
        )


def test_the_table_has_the_published_values_beside_ours(grid, found, finished):
    text = table(grid, found)
    small, large = ({**dict(zip(text.header, r, strict=True))} for r in text.rows)
    assert small["NDCG@10 published"] == "0.2500"
    assert large["NDCG@10 published"] == ""
    own = np.mean([METRICS["NDCG@10"](finished["large", s]).mean() for s in (0, 1)])
    assert large["NDCG@10"].startswith(f"{own:.4f} ±")
    assert large["NDCG@10"].endswith(" **")
    assert small["p"] == "<0.0001"
    assert 0 < float(small["p over seeds"].lstrip("<")) < 0.05
    assert float(small["NDCG@10 to large"]) < 0


def test_a_column_of_published_values_is_there_for_metrics_that_have_some(
    grid, planned, finished
):
    header = table(grid, findings(grid, "sample", planned)).header
    assert ("NDCG@10 published" in header, "HR@10 published" in header) == (True, False)
    grid = dataclasses.replace(grid, published={})
    text = table(grid, findings(grid, "sample", planned))
    assert text.header[:3] == ["row", "NDCG@10", "HR@10"]
    assert text.rows[1][1].endswith(" **")
    assert {len(row) for row in text.rows} == {len(text.header)}


def test_what_is_missing_is_said(grid, planned, finish):
    finish(planned[0], np.arange(1, 21))
    found = findings(grid, "sample", planned)
    text = table(grid, found)
    assert [row[2] for row in text.rows][1] == "not run"
    assert found.reference is None
    assert frame(found)["value"].null_count() == 2


def test_rows_of_one_seed_have_no_chance_over_seeds(grid, planned, finish):
    for cell in planned:
        if cell.seed == 0:
            finish(cell, np.arange(1, 21) + (cell.label == "small"))
    found = findings(grid, "sample", planned)
    assert "p over seeds" not in table(grid, found).header
    assert frame(found)["p_seeds"].null_count() == 4


def test_nothing_is_finished(grid, planned):
    assert len(table(grid, findings(grid, "sample", planned)).rows) == 2
