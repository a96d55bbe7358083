"""What a report reads of a run."""

import json
import shutil

import pytest

from emkd_tf.errors import InputError
from emkd_tf.report.run_files import read_files


def test_curves_are_those_of_the_history(finished_run, files):
    text = (finished_run[0] / "history.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert files.stages() == [None]
    total = [row["loss/total"] for row in rows]
    assert files.curve("loss/total") == ([1, 2], total)
    curves = files.validation_curves("NDCG@10")
    assert set(curves) == {"", "network_1", "network_2"}
    epochs, values = curves["network_2"]
    known = [row for row in rows if "network_2/NDCG@10" in row]
    assert epochs == [row["epoch"] for row in known]
    assert values == [row["network_2/NDCG@10"] for row in known]
    assert files.loss_terms(None)[0] == "total"
    assert "distillation" in files.loss_terms(None)


def test_a_counted_model_has_no_epochs_and_no_networks(saved_run):
    path = saved_run("counted", [1, 2, 3])
    (path / "environment.json").write_text("{}")
    run = read_files(path)
    assert (run.epochs, run.networks, run.stages()) == ([], {}, [])
    assert run.validation_curves("MRR") == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [("environment.json", "[]"), ("history.jsonl", '{"epoch": 1}\n{"epo')],
)
def test_damage_is_said(name, content, finished_run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run[0], copy, ignore=shutil.ignore_patterns("checkpoints"))
    (copy / name).write_text(content)
    with pytest.raises(InputError, match=f"{name} is (missing or )?damaged"):
        read_files(copy)
