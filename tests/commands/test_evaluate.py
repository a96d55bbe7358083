"""`emkd evaluate`, and runs that no command can open."""

import json
import shutil

import numpy as np

from emkd_tf.cli import main


def test_evaluate_prints_the_metrics_of_the_run(finished_run, capsys):
    assert main(["evaluate", f"--run={finished_run[0]}"]) == 0
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    table = capsys.readouterr().out
    for of_protocol in metrics["test_by_protocol"].values():
        assert f"{of_protocol['NDCG@20']:.4f}" in table


def test_a_checkpoint_of_another_dataset_is_refused(finished_run, tmp_path, capsys):
    log = tmp_path / "log.csv"
    rows = [f"u{u},i{(u + t) % 9},{t}" for u in range(20) for t in range(6)]
    log.write_text("\n".join(["user,item,time", *rows]))
    arguments = [f"--run={finished_run[0]}", f"--interactions={log}"]
    assert main(["evaluate", *arguments, f"--cache-dir={tmp_path}"]) == 2
    error = capsys.readouterr().err
    assert "was trained on" in error
    assert error.count("\n") == 1


def test_a_damaged_or_missing_checkpoint_is_one_line(finished_run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run[0], copy)
    (data,) = (copy / "checkpoints" / "best").glob("*.data*")
    data.write_bytes(np.random.default_rng(0).bytes(100))
    assert main(["evaluate", f"--run={copy}"]) == 2
    error = capsys.readouterr().err
    assert "is damaged or of another model" in error
    assert error.count("\n") == 1
    shutil.rmtree(copy / "checkpoints" / "best")
    assert main(["evaluate", f"--run={copy}"]) == 2
    assert "holds no checkpoint" in capsys.readouterr().err
