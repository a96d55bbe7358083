"""`emkd export` of a finished run."""

import json
from pathlib import Path

import pytest

from emkd_tf.cli import main


@pytest.mark.slow
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
    assert "requests are answered as when exported" in capsys.readouterr().out


@pytest.mark.slow
def test_export_of_one_network(finished_run, tmp_path, capsys):
    arguments = ["export", f"--run={finished_run[0]}", "--network=2"]
    assert main([*arguments, f"--saved-models-dir={tmp_path}"]) == 0
    path = tmp_path / "tiny-network_2" / "1"
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[-1]] == ["Network: network_2", f"Export: {path}"]
    card = json.loads((path / "card.json").read_text())
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    assert card["networks"] == ["network_2"]
    assert card["test"] == metrics["test_by_network"]["network_2"]
    one, both = (of["NDCG@10"] for of in (card["test"], metrics["test"]))
    assert lines[1].startswith("NDCG@10 against the ensemble: validation ")
    assert f"test {one:.4f} of {both:.4f} ({one / both - 1:+.1%})" in lines[1]
    whole = finished_run[1]["saved_models_dir"] / "tiny" / "1"
    sizes = [next(f.glob("variables/*.data*")).stat().st_size for f in (path, whole)]
    assert sizes[0] < 0.6 * sizes[1]


@pytest.mark.slow
def test_export_of_the_network_that_the_validation_prefers(
    finished_run, tmp_path, capsys
):
    arguments = ["export", f"--run={finished_run[0]}", "--network=best"]
    assert main([*arguments, f"--saved-models-dir={tmp_path}"]) == 0
    lines = [json.loads(x) for x in (finished_run[0] / "history.jsonl").open()]
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    of_best = lines[metrics["best_epoch"] - 1]
    names = ("network_1", "network_2")
    best = max(names, key=lambda name: of_best[f"{name}/NDCG@10"])
    said = capsys.readouterr().out
    assert said.startswith(f"Network: {best}\n")
    own, whole = of_best[f"{best}/NDCG@10"], of_best["validation/NDCG@10"]
    assert f"validation {own:.4f} of {whole:.4f} ({own / whole - 1:+.1%})" in said
    assert (tmp_path / f"tiny-{best}" / "1" / "card.json").exists()


def test_a_network_that_is_none_is_refused(finished_run, capsys):
    assert main(["export", f"--run={finished_run[0]}", "--network=worst"]) == 2
    assert "`network` must be a number or best, got 'worst'" in capsys.readouterr().err
