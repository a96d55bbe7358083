"""The worked examples of docs/architecture.md: a model and an encoder as that page
writes them, through the whole life of a run."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import tensorflow as tf
from command_line import flags
from encoder_contract import check_contract, check_seeds

import emkd_tf.encoders
import emkd_tf.models
from emkd_tf.atomic_files import read_json
from emkd_tf.cli import main
from emkd_tf.config import encoder_table, model_table
from emkd_tf.training.interrupts import Interrupts

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text()


def write(title, folder):
    """Writes a section's first code block as the file that the line before it names;
    returns the file and the second block."""
    section = re.split(r"^## ", PAGE.partition(f"## {title}\n")[2], flags=re.M)[0]
    file, entry = re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)
    (path,) = re.findall(r"^`emkd_tf/\w+/(\w+\.py)`:$", section, re.M)
    (folder / path).write_text(file)
    return folder / path, entry


def install(title, folder, package, table, entries, monkeypatch):
    """Puts a section's file into a package and its entry into a table; returns the
    entry's name."""
    _, entry = write(title, folder)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    ((name, value),) = eval(f"{{{entry}}}", dict(vars(table))).items()
    monkeypatch.setitem(entries, name, value)
    return name


@pytest.fixture
def model(tmp_path_factory, monkeypatch):
    folder, table = tmp_path_factory.mktemp("models"), model_table
    title, package = "How to add a model", emkd_tf.models
    return install(title, folder, package, table, table.MODELS, monkeypatch)


@pytest.fixture
def encoder(tmp_path_factory, monkeypatch):
    folder, table = tmp_path_factory.mktemp("encoders"), encoder_table
    title, package = "How to add an encoder", emkd_tf.encoders
    return install(title, folder, package, table, table.ENCODERS, monkeypatch)


@pytest.mark.slow
def test_both_pass_the_type_checker(tmp_path):
    titles = ("How to add a model", "How to add an encoder")
    files = [str(write(title, tmp_path)[0]) for title in titles]
    check = [sys.executable, "-m", "mypy", *files]  # quick after `make type`
    found = subprocess.run(check, cwd=REPOSITORY, capture_output=True)
    assert found.returncode == 0, found.stdout.decode()


class StopsAt(Interrupts):
    """Asks to stop at the n-th step."""

    left = 5

    @property
    def requested(self):
        StopsAt.left -= 1
        return StopsAt.left == 0

    @requested.setter
    def requested(self, value):
        pass


@pytest.mark.slow
def test_the_model_and_the_encoder_go_through_the_life_of_a_run(
    model, encoder, tiny_settings, capsys, monkeypatch
):
    settings = {
        **{k: v for k, v in tiny_settings.items() if k != "num_views"},
        **{"model": model, "encoder": f"causal,{encoder}", "decay": 0.8, "epochs": 4},
        "export": False,
    }
    run, exports = (
        f"{tiny_settings[folder]}/tiny" for folder in ("runs_dir", "saved_models_dir")
    )
    with monkeypatch.context() as patched:
        patched.setattr("emkd_tf.training.run.Interrupts", StopsAt)
        assert main(["train", *flags(settings)]) == 130
    assert "interrupted and saved at step" in capsys.readouterr().err
    assert main(["train", *flags(settings)]) == 0
    assert "Continuing" in capsys.readouterr().err
    rows = pl.read_ndjson(f"{run}/history.jsonl")
    assert rows["epoch"].to_list() == [1, 2, 3, 4]
    assert rows["loss/next_item"][-1] < rows["loss/next_item"][0]
    assert read_json(Path(run, "metrics.json"))["model"] == model

    assert main(["evaluate", f"--run={run}"]) == 0
    assert "Recency" in capsys.readouterr().out
    assert main(["recommend", f"--run={run}", "--user=user7", "--k=3"]) == 0
    assert main(["export", f"--run={run}", f"--saved-models-dir={exports}"]) == 0
    (exported,) = Path(exports).rglob("saved_model.pb")
    tf.saved_model.load(str(exported.parent))


def test_a_setting_that_the_model_does_not_read_is_refused(model, capsys):
    assert main(["train", f"--model={model}", "--num-views=3"]) == 2
    assert f"`num_views` is not a setting of {model}" in capsys.readouterr().err


def test_the_encoder_keeps_its_contract(encoder):
    kind = encoder_table.encoder_class(encoder)
    check_contract(kind(hidden_units=8, seed=1))
    check_seeds(lambda seed: kind(hidden_units=8, seed=seed))
