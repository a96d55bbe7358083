"""The commands on a finished run, as a user meets them."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl

from emkd_tf.cli import main


def test_evaluate_prints_the_metrics_of_the_run(finished_run, capsys):
    assert main(["evaluate", f"--run={finished_run[0]}"]) == 0
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    table = capsys.readouterr().out
    for of_protocol in metrics["test_by_protocol"].values():
        assert f"{of_protocol['NDCG@20']:.4f}" in table


def test_recommend_prints_unseen_items_with_awkward_ids(finished_run, capsys):
    arguments = ["recommend", f"--run={finished_run[0]}"]
    known = 'naïve café ☕,the "quoted",a|b'
    assert main([*arguments, f"--history={known},never seen", "--k=40"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "Not in the training data, dropped: never seen\n"
    assert "item 3" in printed.out
    assert "café" not in printed.out
    assert "quoted" not in printed.out
    assert main([*arguments, "--history=item 1", "--k=40"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert 'the "quoted"' in printed.out
    assert "naïve café ☕" in printed.out


def test_recommend_from_file_to_file(finished_run, tmp_path, capfd):
    run_dir = finished_run[0]
    source, output = tmp_path / "histories.csv", tmp_path / "lists.parquet"
    source.write_text('user,history\nnew,"item 1,?,item 2"\nnobody,\n')
    arguments = ["recommend", f"--run={run_dir}", f"--output={output}", "--k=4"]
    assert main([*arguments, f"--input={source}"]) == 0
    printed = capfd.readouterr()
    assert printed.out.startswith(
        f"{output}: 2 histories, 1 without a known item (popular items), 1 unknown"
    )
    assert "2 histories" in printed.err
    table = pl.read_parquet(output)
    assert table["user"].to_list() == ["new"] * 4 + ["nobody"] * 4
    assert main(arguments) == 0
    table = pl.read_parquet(output)
    assert table["user"].n_unique() == 60
    assert not table.join(
        pl.read_csv(finished_run[1]["interactions"]), on=["user", "item"]
    ).height


def test_export_adds_a_version(finished_run, capsys):
    assert main(["export", f"--run={finished_run[0]}", "--k=3"]) == 0
    path = Path(capsys.readouterr().out.removeprefix("Export: ").strip())
    assert path.name != "1"
    card = json.loads((path / "card.json").read_text())
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    assert card["k"] == 3
    assert card["version"] == int(path.name)
    assert card["protocol"] == "unseen"
    assert card["test"] == metrics["test"]
    assert main(["export", f"--verify={path}"]) == 0
    assert "questions are answered as when exported" in capsys.readouterr().out


def test_export_of_one_network(finished_run, tmp_path, capsys):
    arguments = ["export", f"--run={finished_run[0]}", "--network=2"]
    assert main([*arguments, f"--saved-models-dir={tmp_path}"]) == 0
    path = tmp_path / "tiny-network_2" / "1"
    assert capsys.readouterr().out == f"Export: {path}\n"
    card = json.loads((path / "card.json").read_text())
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    assert card["networks"] == ["network_2"]
    assert card["test"] == metrics["test_by_network"]["network_2"]
    whole = finished_run[1]["saved_models_dir"] / "tiny" / "1"
    sizes = [next(f.glob("variables/*.data*")).stat().st_size for f in (path, whole)]
    assert sizes[0] < 0.6 * sizes[1]


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
