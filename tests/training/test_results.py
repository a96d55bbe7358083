"""What a run writes of a model that is counted: ranks by brute force."""

import json

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.evaluation.evaluator import rank_users
from emkd_tf.evaluation.metrics import NEVER, summarize
from emkd_tf.training import results
from emkd_tf.training.run import train
from emkd_tf.training.run_model import open_run


@pytest.mark.parametrize("model", ["poprec", "markov", "itemknn"])
def test_a_counted_model_is_ranked_by_its_scores(tiny_settings, model):
    settings = {**tiny_settings, "model": model, "num_last": 3}
    result = train(from_flat(settings))
    metrics = json.loads((result.run_dir / "metrics.json").read_text())
    assert metrics == result.metrics
    assert result.export is None
    assert metrics["model"] == model
    assert metrics["seconds"] >= 0
    assert not (result.run_dir / "checkpoints").exists()
    ranks = pl.read_parquet(result.run_dir / "per_user.parquet")

    _, histories, opened = open_run(result.run_dir)
    expected = {"unseen": [], "window": [], "all": []}
    for user, target in enumerate(histories.targets("test")):
        first, last = histories.offsets[user : user + 2]
        history = np.asarray(histories.items[first : last - 1])
        scores = opened.score_items(history[np.newaxis])[0]
        excluded = {"unseen": history, "window": history[-6:], "all": history[:0]}
        for protocol, items in excluded.items():
            others = np.setdiff1d(np.arange(1, histories.num_items + 1), items)
            rank = (scores[others - 1] >= scores[target - 1]).sum()
            expected[protocol].append(NEVER if target in items else rank)
    for protocol, of_users in expected.items():
        found = ranks[f"test_{protocol}"].to_numpy()
        np.testing.assert_array_equal(found, of_users)
        summary = summarize(np.array(of_users))
        assert metrics["test_by_protocol"][protocol] == pytest.approx(summary)
    if model == "poprec":
        assert metrics["test"] == pytest.approx(metrics["poprec"])


def test_a_run_may_leave_the_test_unread(tiny_settings, monkeypatch):
    ranked = []

    def watched(model, histories, split, **options):
        ranked.append(split)
        return rank_users(model, histories, split, **options)

    monkeypatch.setattr(results, "rank_users", watched)
    settings = {**tiny_settings, "model": "markov", "test": False}
    result = train(from_flat(settings))
    assert ranked == ["validation"]
    assert not [key for key in result.metrics if "test" in key or key == "poprec"]
    assert list(result.metrics["repeats"]) == ["validation"]
    ranks = pl.read_parquet(result.run_dir / "per_user.parquet")
    assert not [name for name in ranks.columns if name.startswith("test")]
    expected = summarize(ranks["validation_unseen"].to_numpy())
    assert result.metrics["validation"] == pytest.approx(expected)
