"""Sums of finished runs: their scores added up by hand, opened again, and refused."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.cli import main
from emkd_tf.config import from_flat
from emkd_tf.config.model_table import unread
from emkd_tf.errors import InputError
from emkd_tf.training.run import train
from emkd_tf.training.run_model import open_run
from emkd_tf.training.run_sum import add_up


@pytest.fixture
def runs(tiny_settings):
    """Of models that differ in width, length, table rows and bias."""
    own = {
        "gru": {"model": "gru4rec", "max_length": 9, "hidden_units": 4},
        "emkd": {"model": "emkd", "num_views": 1, "max_length": 5},
    }
    shared = {**tiny_settings, "epochs": 1, "export": False, "num_networks": 1}
    of_model = {
        "gru": {"tie_item_embeddings": True, "distillation": False},
        "emkd": {"tie_item_embeddings": False},
    }
    return [
        train(from_flat({**shared, **changes, **of_model[name], "name": name})).run_dir
        for name, changes in own.items()
    ]


@pytest.mark.slow
def test_the_sum_is_a_run_of_its_own(runs, tmp_path, capsys):
    item_ids = tf.constant([[0, 0, 3, 9, 1], [0, 0, 0, 0, 2]])
    parts = [open_run(path)[2].score_items(item_ids).numpy() for path in runs]
    arguments = [f"--run={path}" for path in runs]
    assert main(["ensemble", *arguments, "--name=sum"]) == 0
    assert "Ensemble" in capsys.readouterr().out
    path = tmp_path / "runs" / "sum"
    assert (tmp_path / "saved_models" / "sum" / "1" / "saved_model.pb").exists()
    metrics = json.loads((path / "metrics.json").read_text())
    assert metrics["model"] == "gru4rec + emkd"
    assert list(metrics["test_by_network"]) == ["gru", "emkd"]
    alone = [json.loads((run / "metrics.json").read_text()) for run in runs]
    assert metrics["parameters"] == sum(each["parameters"] for each in alone)

    for run in runs:  # it needs them no more
        shutil.rmtree(run)
    config, _, model = open_run(path)
    assert config.data.max_length == 9
    scores = model.user_vectors(item_ids) @ tf.transpose(model.item_vectors())
    np.testing.assert_allclose(scores, sum(parts), rtol=1e-4, atol=1e-5)
    assert main(["evaluate", f"--run={path}"]) == 0
    assert f"{metrics['test']['NDCG@10']:.4f}" in capsys.readouterr().out
    assert main(["recommend", f"--run={path}", "--user=user1"]) == 0
    assert main(["export", f"--run={path}", "--network=2"]) == 0
    assert (tmp_path / "saved_models" / "sum-emkd" / "1").is_dir()


@pytest.mark.slow
def test_runs_of_one_name_keep_their_networks_apart(runs, tmp_path, capsys):
    again = tmp_path / "elsewhere" / "gru"
    shutil.copytree(runs[1], again)
    add = ["ensemble", f"--run={runs[0]}", f"--run={again}", "--name=sum"]
    assert main([*add, "--export=false"]) == 0
    path = tmp_path / "runs" / "sum"
    metrics = json.loads((path / "metrics.json").read_text())
    assert list(metrics["test_by_network"]) == ["01-gru", "02-gru"]
    own = [json.loads((run / "metrics.json").read_text()) for run in runs]
    for of_network, alone in zip(metrics["test_by_network"].values(), own, strict=True):
        assert of_network == pytest.approx(alone["test"])
    assert open_run(path)[2].names == ["01-gru", "02-gru"]
    capsys.readouterr()
    assert main(["export", f"--run={path}", "--network=best"]) == 0
    best = max((0, 1), key=lambda n: own[n]["validation"]["NDCG@10"])
    assert f"Network: {best + 1:02}-gru" in capsys.readouterr().out
    (card,) = (tmp_path / "saved_models").rglob("card.json")
    assert json.loads(card.read_text())["test"] == pytest.approx(own[best]["test"])


@pytest.mark.slow
def test_runs_whose_test_was_left_unread_are_added_up(tiny_settings, capsys):
    shared = {**tiny_settings, "model": "gru4rec", "epochs": 1, "export": False}
    shared = {k: v for k, v in shared.items() if k not in unread("gru4rec")}
    paths = [
        train(from_flat({**shared, "test": False, "seed": n, "name": str(n)})).run_dir
        for n in (0, 1)
    ]
    arguments = [f"--run={path}" for path in paths]
    assert main(["ensemble", *arguments, "--name=sum", "--export=false"]) == 0
    said = capsys.readouterr().out
    assert "validation, protocol" in said
    assert "validation NDCG@10" in said


def test_what_cannot_be_added_up_is_one_line(runs, tiny_settings, tmp_path):
    with pytest.raises(InputError, match="exists already"):
        add_up(runs, {"name": "gru"})
    counted = {**tiny_settings, "model": "markov", "name": "markov"}
    markov = train(from_flat(counted)).run_dir
    with pytest.raises(InputError, match="Markov is counted, not trained"):
        add_up([runs[0], markov], {"name": "x"})
    copy = tmp_path / "copy"
    shutil.copytree(runs[1], copy)
    dataset = json.loads((copy / "dataset.json").read_text())
    changed = {**dataset, "fingerprint": "another"}
    (copy / "dataset.json").write_text(json.dumps(changed))
    with pytest.raises(InputError, match="their data differ"):
        add_up([runs[0], copy], {"name": "x"})
    shutil.copy(runs[1] / "dataset.json", copy)
    config = (copy / "config.yaml").read_text()
    shuffled = config.replace("history_order: time", "history_order: random")
    (copy / "config.yaml").write_text(shuffled)
    with pytest.raises(InputError, match="`history_order` time and random"):
        add_up([runs[0], copy], {"name": "x"})
    (copy / "metrics.json").unlink()
    with pytest.raises(InputError, match="is not finished"):
        add_up([runs[0], copy], {"name": "x"})
    assert not (tmp_path / "runs" / "x").exists()
