"""Run directories by their names."""

from pathlib import Path

import pytest

from emkd_tf.config.run_names import no_run, run_path


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in ("runs/shop", "elsewhere/shop", "both", "runs/both"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "config.yaml").touch()


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("shop", "runs/shop"),
        ("elsewhere/shop", "elsewhere/shop"),
        ("both", "both"),
        ("none", "none"),
    ],
)
def test_a_name_is_looked_for_in_runs_where_it_is_no_path(run, found):
    assert run_path(run) == Path(found)


def test_what_is_no_run_is_one_line_with_the_nearest_name():
    assert str(no_run(Path("shap"))) == (
        "shap is not a run directory: it has no config.yaml. runs/shap is not one "
        "either. "
        "Did you mean `shop`?"
    )
    assert str(no_run(Path("a/b"))).endswith("it has no config.yaml.")
