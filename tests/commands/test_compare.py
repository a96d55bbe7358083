"""`emkd compare` as a user meets it."""

import json
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from emkd_tf.cli import main
from emkd_tf.evaluation.metrics import METRICS, NEVER, summarize

USERS = 500


@pytest.fixture
def shop(saved_run):
    """Two models of two seeds each, the second one better, and their ranks."""
    rng = np.random.default_rng(0)
    known = {
        "target": [f"i{at % 7}" for at in range(USERS)],
        "history_length": rng.integers(1, 30, USERS),
        "target_count": rng.integers(0, 50, USERS),
        "is_repeat": np.arange(USERS) < 20,
    }
    paths, ranks = {}, {}
    for model, worst in (("poor", 60), ("good", 20)):
        for seed in range(2):
            name = f"{model}-seed{seed}"
            ranks[name] = rng.integers(1, worst, USERS)
            ranks[name][:20] = NEVER
            settings = {"seed": seed, "epochs": worst}
            paths[name] = saved_run(name, ranks[name], settings=settings, **known)
    return paths, ranks


def test_the_tables(shop, capsys):
    paths, ranks = shop
    assert main(["compare", *map(str, paths.values())]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    words = " ".join(printed.out.split())
    assert "shop, test, protocol unseen, 500 users, of them 20 whose target" in words
    assert "NDCG@10 beside good, the best; p corrected by Holm, pairs: 1" in words
    for text in ("over seeds", "by history length", "up to 5", "tail up to"):
        assert text in words
    assert "in the history (20)" in words
    reachable = np.minimum(
        np.concatenate([ranks["good-seed0"], ranks["good-seed1"]]), 99
    )
    assert f"{summarize(reachable)['HR@10']:.4f}" in words


def test_a_chosen_baseline_need_not_be_named_twice(shop, capsys):
    paths, _ = shop
    runs = [str(path) for path in paths.values()]
    arguments = [*runs[1:], f"--baseline={runs[0]}", "--metric=MRR"]
    assert main(["compare", *arguments, "--split=validation"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "shop, validation" in words
    assert "MRR beside poor; p corrected by Holm, comparisons: 1" in words


def test_csv_markdown_and_latex_tell_the_same(shop, tmp_path, capsys):
    paths, ranks = shop
    files = [tmp_path / f"table{ending}" for ending in (".csv", ".md", ".tex")]
    outputs = [f"--output={file}" for file in files]
    assert main(["compare", *map(str, paths.values()), *outputs]) == 0
    assert capsys.readouterr().out.endswith("\n".join([*map(str, files), ""]))
    frame = pl.read_csv(files[0])
    of_all = frame.filter(pl.col("parted_by").is_null())
    for name in ("poor", "good"):
        own = of_all.filter(pl.col("run") == name)
        assert own["metric"].to_list() == list(METRICS)
        both = [np.clip(ranks[f"{name}-seed{seed}"], 1, 10**9) for seed in range(2)]
        expected = np.mean([list(summarize(r).values()) for r in both], axis=0)
        np.testing.assert_allclose(own["value"], expected, atol=1e-9)
        line = " | ".join(f"{value:.4f}" for value in expected[:1])
        assert f"| {name} (2 seeds) | {line} ±" in files[1].read_text()
        assert f"\n{name} (2 seeds) & {line} $\\pm$" in files[2].read_text()
    (difference,) = frame["difference"].drop_nulls()
    for file in files[1:]:
        assert f"{difference:+.4f}" in file.read_text()
    assert files[1].read_text().count("**") == files[2].read_text().count("caption") * 2


def test_older_runs_say_what_they_cannot_tell(saved_run, capsys):
    ranks = np.arange(1, 100)
    runs = [str(saved_run(name, ranks)) for name in "ab"]
    assert main(["compare", *runs]) == 0
    out = capsys.readouterr().out
    assert "by history length and popularity are not available" in out
    assert "NDCG@10 beside a, the best" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs run directories"),
        (["nowhere"], "nowhere is not a run directory"),
        (["{a}", "{a}"], "is given twice; give every run once"),
        (["{a}", "--baseline=nowhere"], "nowhere is not a run directory"),
        (["{a}", "{bar}"], "their data differ, `shop` f0 and `bar` f1"),
        (["{a}", "{all}"], "protocols are unseen and all; choose one with --protocol"),
        (["{a}", "--split=train"], "`split` must be one of test, validation, got"),
        (["{a}", "--metric=AUC"], "`metric` must be one of HR@5, HR@10"),
        (["{a}", "--protocol=mine"], "has no column `test_mine` of ranks"),
        (["{a}", "--output=x.pdf"], "must end in .csv, .md, .tex"),
        (["{a}", "--output={a}/no/x.md"], "cannot be written (No such file"),
        (["{a}", "--splt=test"], "Unknown flag `--splt`. Did you mean `--split`?"),
    ],
)
def test_mistakes_are_one_line(arguments, message, saved_run, capsys):
    runs = {
        "a": saved_run("a", [1, 2]),
        "bar": saved_run("bar", [1, 2], own={"name": "bar", "fingerprint": "f1"}),
        "all": saved_run("all", [1, 2], own={"protocol": "all"}),
    }
    assert main(["compare", *(text.format(**runs) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("emkd: ")
    assert message in error
    assert error.count("\n") == 1


def test_protocols_that_differ_are_compared_under_a_chosen_one(saved_run, capsys):
    runs = [
        str(saved_run("a", [1, 2])),
        str(saved_run("b", [1, 2], own={"protocol": "all"})),
    ]
    assert main(["compare", *runs, "--protocol=window"]) == 0
    assert "protocol window" in capsys.readouterr().out


def test_a_real_run_beside_its_copy_without_tensorflow(finished_run, tmp_path):
    run, copy = finished_run[0], tmp_path / "copy"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("checkpoints", "logs"))
    code = (
        "import sys; from emkd_tf.cli import main; code = main(sys.argv[1:]);"
        "assert not {'tensorflow', 'keras', 'tf_keras'} & set(sys.modules); exit(code)"
    )
    output = tmp_path / "both.csv"
    command = [sys.executable, "-c", code, "compare", str(run), str(copy)]
    done = subprocess.run(
        [*command, f"--output={output}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    metrics = json.loads((run / "metrics.json").read_text())["test"]
    own = pl.read_csv(output).filter(pl.col("parted_by").is_null())
    for name in ("tiny", "copy"):
        values = own.filter(pl.col("run") == name)
        assert dict(zip(values["metric"], values["value"], strict=True)) == (
            pytest.approx(metrics, abs=1e-9)
        )
    assert own["p_users"].drop_nulls().to_list() == [1.0]


def test_runs_by_name_and_home_by_a_tilde(shop, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs").mkdir()
    for path in shop[0].values():
        path.rename(tmp_path / "runs" / path.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = ["poor-seed0", "~/runs/good-seed0", "--output=~/table.md"]
    assert main(["compare", *arguments]) == 0
    assert (tmp_path / "table.md").exists()
    assert main(["compare", "runs/good-seed0", "good-seed0"]) == 2
    assert "good-seed0 is given twice" in capsys.readouterr().err
    assert main(["compare", "good-seed0", "--baseline=poor-seed0"]) == 0


def test_the_help_page_names_the_runs(capsys):
    with pytest.raises(SystemExit):
        main(["help", "compare"])
    shown = capsys.readouterr().out
    assert "usage: emkd compare RUN RUN ... [--SETTING VALUE] ...\n" in shown
    assert "\n  RUN RUN ... " in shown
    assert "  --baseline TEXT " in shown
