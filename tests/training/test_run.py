"""Whole runs: determinism, what the directory holds, and the sample's promise."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tensorflow as tf
from command_line import flags

from emkd_tf.cli import main
from emkd_tf.config import from_flat
from emkd_tf.config.model_table import unread
from emkd_tf.errors import InputError, NonFiniteLossError
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.training.run import train

HAS_ADDONS = tf.__version__.startswith("2.15.")
TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def run_process(*arguments):
    return subprocess.run(
        [sys.executable, str(TRAIN), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_metrics_follow_from_the_ranks_of_the_users(tiny_settings):
    result = train(from_flat({**tiny_settings, "validation_every": 2}))
    metrics = json.loads((result.run_dir / "metrics.json").read_text())
    assert metrics == result.metrics
    ranks = pl.read_parquet(result.run_dir / "per_user.parquet")
    assert len(ranks) == 60
    for split in ("validation", "test"):
        summary = summarize(ranks[f"{split}_unseen"].to_numpy())
        assert metrics[split] == pytest.approx(summary)
    assert metrics["tfrs"]["HR@10"] == pytest.approx(metrics["test"]["HR@10"])
    for protocol in ("unseen", "window", "all"):
        expected = summarize(ranks[f"test_{protocol}"].to_numpy())
        assert metrics["test_by_protocol"][protocol] == pytest.approx(expected)
    history = [
        json.loads(line)
        for line in (result.run_dir / "history.jsonl").read_text().splitlines()
    ]
    assert [line["epoch"] for line in history] == [1, 2]
    assert "validation/NDCG@10" not in history[0]
    assert history[1]["validation/NDCG@10"] == pytest.approx(
        metrics["validation"]["NDCG@10"]
    )
    assert metrics["best_epoch"] == 2
    assert result.export.is_dir()


@pytest.mark.slow
def test_equal_seeds_give_equal_metrics_and_other_seeds_do_not(tiny_settings, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        settings = {
            **tiny_settings,
            "name": name,
            "seed": seed,
            "deterministic": "true",
            "export": "false",
        }
        process = run_process(*flags(settings))
        assert process.returncode == 0, process.stderr[-2000:]
        folder = tmp_path / "runs" / name
        metrics = json.loads((folder / "metrics.json").read_text())
        metrics.pop("seconds")
        lines = (folder / "history.jsonl").read_text().splitlines()
        losses = [json.loads(line)["loss/total"] for line in lines]
        ranks = pl.read_parquet(folder / "per_user.parquet")
        found.append((metrics, losses, ranks))
    (metrics, losses, ranks), (metrics_b, losses_b, ranks_b), (_, losses_c, _) = found
    assert metrics == metrics_b
    assert losses == losses_b
    assert ranks.equals(ranks_b)
    assert losses != losses_c


def test_a_loss_that_is_not_finite_stops_with_every_term(tiny_settings):
    # Adam moves every weight by about the learning rate: the second step overflows.
    config = from_flat({**tiny_settings, "learning_rate": 1e30})
    with pytest.raises(NonFiniteLossError) as caught:
        train(config)
    message = str(caught.value)
    for name in ("masked_item", "icl", "ccl", "distillation", "step"):
        assert name in message
    assert "nan" in message or "inf" in message
    assert "\n" not in message


@pytest.mark.slow
def test_patience_stops_the_training(tiny_settings):
    settings = {**tiny_settings, "epochs": 40, "patience": 2, "export": False}
    # So small a rate that no validation can be better than the first.
    result = train(from_flat({**settings, "learning_rate": 1e-12}))
    lines = (result.run_dir / "history.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert result.metrics["best_epoch"] == 1


@pytest.mark.slow
def test_the_compiled_step_trains_to_similar_losses(tiny_settings):
    losses = {}
    for name in ("plain", "compiled"):
        settings = {**tiny_settings, "name": name, "export": False, "dropout": 0.0}
        result = train(from_flat({**settings, "jit_compile": name == "compiled"}))
        lines = (result.run_dir / "history.jsonl").read_text().splitlines()
        losses[name] = [json.loads(line)["loss/total"] for line in lines]
    np.testing.assert_allclose(losses["plain"], losses["compiled"], rtol=1e-2)


@pytest.mark.parametrize("optimizer", ["adam", "lazy_adam", "Addons>LazyAdam"])
def test_a_sampled_item_loss_trains_with_any_optimizer(tiny_settings, optimizer):
    changes = {
        "item_loss": "sampled",
        "num_sampled": 16,
        "optimizer": optimizer,
        "export": False,
    }
    config = from_flat({**tiny_settings, **changes})
    if optimizer.startswith("Addons") and not HAS_ADDONS:
        with pytest.raises(InputError, match="needs TensorFlow Addons"):
            train(config)
        assert not Path(tiny_settings["runs_dir"]).exists()
        return
    result = train(config)
    lines = (result.run_dir / "history.jsonl").read_text().splitlines()
    first, last = (json.loads(lines[i])["loss/masked_item"] for i in (0, -1))
    assert last < first


@pytest.mark.slow
@pytest.mark.skipif(HAS_ADDONS, reason="TensorFlow Addons may be there")
def test_addons_without_its_package_is_one_line(tiny_settings):
    process = run_process(*flags(tiny_settings), "--optimizer", "Addons>LazyAdam")
    assert process.returncode == 2
    line = process.stderr.strip().splitlines()[-1]
    assert line.startswith("emkd: `optimizer` Addons>LazyAdam needs TensorFlow Addons")
    assert "Traceback" not in process.stderr


@pytest.mark.slow
def test_the_sample_learns_its_order(tmp_path, cache):
    """The README's first command, with the preset of machines without a GPU: many times
    PopRec, and no worse than its networks."""
    process = run_process(
        "--preset=quick",
        f"--cache-dir={cache}",
        f"--runs-dir={tmp_path / 'runs'}",
        f"--saved-models-dir={tmp_path / 'saved_models'}",
        "--name=sample",
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert "Export: " in process.stdout
    metrics = json.loads((tmp_path / "runs" / "sample" / "metrics.json").read_text())
    ensemble = metrics["test"]["NDCG@10"]
    assert ensemble >= 10 * metrics["poprec"]["NDCG@10"]
    networks = [each["NDCG@10"] for each in metrics["test_by_network"].values()]
    assert ensemble >= np.mean(networks)
    assert (tmp_path / "saved_models" / "sample" / "1" / "saved_model.pb").exists()


@pytest.mark.slow
@pytest.mark.parametrize("split", ["global_time", "user"])
def test_runs_of_other_splits_are_measured_listed_and_compared(
    tiny_settings, split, capsys
):
    runs = []
    for model in ("emkd", "sasrec"):
        own = {"model": model, "name": model, "split": split, "epochs": 1}
        settings = {k: v for k, v in tiny_settings.items() if k not in unread(model)}
        result = train(from_flat({**settings, **own, "export": False}))
        runs.append(str(result.run_dir))
    found = pl.read_parquet(result.run_dir / "per_user.parquet")
    told = json.loads((result.run_dir / "dataset.json").read_text())["split"]["users"]
    for part in ("validation", "test"):
        known = found.drop_nulls(f"{part}_target")
        assert 0 < len(known) == told[part] < len(found) == 60
        assert found[f"{part}_unseen"].null_count() == 60 - told[part]
        expected = summarize(known[f"{part}_unseen"].to_numpy())
        assert result.metrics[part] == pytest.approx(expected)
    assert result.metrics["tfrs"]["contradictions"] == 0
    assert main(["compare", *runs, "--split=validation"]) == 0
    assert f"{told['validation']} users" in capsys.readouterr().out
    assert main(["evaluate", f"--run={runs[0]}"]) == 0
    assert main(["recommend", f"--run={runs[1]}", "--user=user7", "--k=3"]) == 0
