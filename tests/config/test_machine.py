"""The preset of a machine without a GPU."""

import pytest

from emkd_tf.cli import main
from emkd_tf.config import machine
from emkd_tf.config.files import layered
from emkd_tf.config.flags import read_settings
from emkd_tf.config.flat import to_flat
from emkd_tf.config.model_table import MODELS


@pytest.fixture(params=[True, False], ids=["gpu", "no gpu"])
def has_gpu(request, monkeypatch):
    monkeypatch.setattr(machine, "has_gpu", lambda: request.param)
    return request.param


def chosen(*arguments):
    return read_settings("emkd train", "", arguments, suits_machine=True)


def test_the_default_training_suits_the_machine(has_gpu):
    expected = layered("beauty", None if has_gpu else "quick", [])
    flat = to_flat(chosen("--dataset=beauty").config)
    assert {key: flat[key] for key in expected} == expected
    assert chosen("--dataset=beauty").unasked == (None if has_gpu else "quick")
    assert chosen("--interactions=mine.csv", "--epochs=3").config.training.epochs == 3


def test_what_was_asked_for_is_taken_on_any_machine(has_gpu, tmp_path):
    paper = to_flat(read_settings("emkd train", "", ["--dataset=beauty"]).config)
    for preset in ("paper", "none"):
        asked = chosen("--dataset=beauty", f"--preset={preset}")
        assert (to_flat(asked.config), asked.unasked) == (paper, None)
    file = tmp_path / "own.yaml"
    file.write_text("epochs: 7\n")
    assert chosen("--dataset=beauty", f"--config={file}").unasked is None
    assert chosen("--dataset=beauty", "--model=sasrec").unasked is None


def test_every_such_preset_exists():
    for model, entry in MODELS.items():
        layered("own", entry.without_gpu, [], model)


def test_it_is_said_on_standard_output(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(machine, "has_gpu", lambda: False)
    assert main(["train", "--interactions", str(tmp_path / "none.csv")]) == 2
    out, error = capsys.readouterr()
    assert out.startswith("Preset quick, as this machine has no GPU; --preset none")
    assert error.count("\n") == 1


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_devices_are_none(monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert not machine.has_gpu()
