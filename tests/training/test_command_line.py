"""What the command line of a training asks for, also where it learns from a run."""

import os

import pytest

from emkd_tf.config import to_flat
from emkd_tf.config.flags import read_settings
from emkd_tf.training.command_line import read_training
from emkd_tf.training.run_config import write_config


@pytest.fixture
def taken(tmp_path):
    """Reads the settings of a student of a run with such settings."""

    def read(of_run, *flags):
        teacher = read_settings("emkd train", "", of_run, is_training=True).config
        write_config(tmp_path, teacher)
        own = ["--model=distilled", f"--distill={tmp_path}", *flags]
        return to_flat(read_training("emkd train", "", own).settings.config)

    return read


QUICK = ["--dataset=beauty", "--seed=7", "--hidden-units=48"]


def test_a_student_is_like_a_network_of_its_teacher_but_twice_as_wide(taken):
    found = taken(QUICK)
    like = {
        **{"dataset": "beauty", "encoder": "causal_post_norm", "hidden_units": 96},
        **{"item_loss": "sampled", "attribute_embeddings": True, "rows": "whole"},
        **{"epochs": 0, "steps": 2000, "learning_rate": 0.003, "patience": 8},
    }
    own = {
        **{"model": "distilled", "num_networks": 1, "distillation": False, "seed": 0},
        **{"distillation_weight": 4.0, "temperature": 3.0},
    }
    assert {key: found[key] for key in (*like, *own)} == {**like, **own}


def test_a_student_of_one_network_is_as_wide(taken):
    assert taken([*QUICK, "--num-networks=1"])["hidden_units"] == 48


def test_what_is_given_counts(taken):
    found = taken(QUICK, "--hidden-units=16", "--dataset=toys", "--steps=100")
    assert (found["hidden_units"], found["dataset"]) == (16, "toys")
    assert (found["epochs"], found["steps"]) == (0, 100)


def test_a_preset_or_a_file_takes_the_place_of_the_teachers_settings(taken, tmp_path):
    (tmp_path / "own.yaml").write_text("dropout: 0.1\n")
    for flag in ("--preset=fair", f"--config={tmp_path / 'own.yaml'}"):
        found = taken(QUICK, flag)
        assert (found["encoder"], found["hidden_units"]) == (None, 64)
        assert found["dataset"] == "beauty"


@pytest.mark.parametrize("model", ["--preset=masked", "--model=gru4rec"])
def test_other_networks_teach_one_of_the_students_own(taken, model):
    found = taken(["--dataset=beauty", model])
    assert (found["encoder"], found["learning_rate"]) == (None, 0.001)
    assert (found["item_loss"], found["epochs"]) == ("full", 30)


def test_a_preset_that_nobody_asked_for_is_the_models():
    found = read_training("emkd train", "", ["--dataset=beauty"]).settings
    assert found.unasked == "quick"
    assert found.config.objective.task == "next_item"


def test_the_run_may_be_given_by_its_name(taken, tmp_path, monkeypatch):
    taken(QUICK)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    os.symlink(tmp_path, tmp_path / "runs" / "mine")
    arguments = ["--model=distilled", "--distill=mine"]
    found, is_like_teacher = read_training("emkd train", "", arguments)
    assert found.config.objective.distill == str(tmp_path / "runs" / "mine")
    assert found.config.model.hidden_units == 96
    assert is_like_teacher
