"""`emkd ensemble`: what it refuses; tests/training/test_run_sum.py adds runs up."""

import pytest

from emkd_tf.cli import main


@pytest.mark.parametrize("arguments", [[], ["--run=a"], ["--run=a", "--run=a"]])
def test_it_takes_two_runs(arguments, capsys):
    assert main(["ensemble", *arguments]) == 2
    error = capsys.readouterr().err
    assert "needs --run RUN twice or more" in error
    assert error.count("\n") == 1


def test_a_run_that_is_none_is_one_line(finished_run, capsys):
    assert main(["ensemble", f"--run={finished_run[0]}", "--run=nowhere"]) == 2
    assert "nowhere is not a run directory" in capsys.readouterr().err
