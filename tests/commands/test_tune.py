"""`emkd tune`: what it refuses; tests/experiments/test_tuning.py has searches."""

import importlib.util

import pytest

from emkd_tf.cli import main


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
