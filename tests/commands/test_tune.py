"""`emkd tune`: what it refuses; tests/experiments/test_tuning.py has searches."""

import importlib.util

import pytest

from emkd_tf.cli import main
from emkd_tf.config import BESIDE_TRAINING, to_flat
from emkd_tf.training.command_line import read_training
from emkd_tf.training.run_config import read_config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials=0"], "`trials` must be at least 1, got 0"),
        (["--trials=many"], "argument --trials: invalid int value: 'many'"),
        (["--jobs=0"], "`jobs` must be at least 1"),
        (["--budget=soon"], "`budget` must be a time such as 90m or 2h, got 'soon'"),
        (["--study=a/b"], "`study` must be a plain folder name"),
        (["--epocs=3"], "Unknown flag `--epocs`. Did you mean `--epochs`?"),
        (["--space=none.yaml"], "none.yaml does not exist"),
        (["--model=poprec"], "nothing to search for poprec; give --space FILE"),
        (["--interactions=none.csv"], "none.csv does not exist"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["tune", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_without_optuna_it_says_what_to_install(capsys, monkeypatch):
    found = importlib.util.find_spec
    hidden = lambda name: None if name == "optuna" else found(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    assert main(["tune"]) == 2
    assert "pip install 'emkd-tf[tune]'" in capsys.readouterr().err


def test_the_help_has_its_own_flags(capsys):
    with pytest.raises(SystemExit):
        main(["tune", "--help"])
    text = capsys.readouterr().out
    for flag in ("--space", "--trials", "--budget", "--jobs", "--study", "--preset"):
        assert flag in text


@pytest.mark.slow
def test_a_trial_has_the_settings_that_are_found(tiny_log, tmp_path):
    """Also those of the run to learn from, whose preset nobody named either."""
    log = [f"--interactions={tiny_log}", f"--cache-dir={tmp_path / 'cache'}"]
    log += ["--user-core=3", "--item-core=1"]
    small = ["--num-networks=1", "--hidden-units=8", "--max-length=6", "--steps=4"]
    teacher = [*log, *small, "--name=teacher", f"--runs-dir={tmp_path}"]
    assert main(["train", *teacher, "--export=false", "--test=false"]) == 0
    shared = [*log, "--model=distilled"]
    small = [f"--distill={tmp_path / 'teacher'}"]
    space = tmp_path / "space.yaml"
    space.write_text("learning_rate: [0.001, 0.01]\n")
    search = [f"--space={space}", "--trials=1", f"--output={tmp_path}", "--study=mine"]
    assert main(["tune", *shared, *small, *search]) == 0
    best = (tmp_path / "mine" / "best.yaml").read_text()
    trials = [
        to_flat(read_config(path.parent))
        for path in (tmp_path / "mine" / "runs").glob("*/config.yaml")
    ]
    assert {trial["hidden_units"] for trial in trials} == {8}
    assert {trial["encoder"] for trial in trials} == {"causal_post_norm"}
    (trial,) = [t for t in trials if f"learning_rate: {t['learning_rate']}\n" in best]
    flags = [*shared, f"--config={tmp_path / 'mine' / 'best.yaml'}"]
    found = to_flat(read_training("emkd train", "", flags).settings.config)
    decisive = set(found) - {*BESIDE_TRAINING, "interactions"}
    assert {k: found[k] for k in decisive} == {k: trial[k] for k in decisive}
