"""A run's settings as a file: whole, cut, and compared with others."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.errors import InputError
from emkd_tf.training.run_config import (
    MEMBERS,
    changed_settings,
    is_unfinished,
    read_config,
    same_inputs,
    write_config,
)


def test_what_is_written_is_read(tmp_path):
    config = from_flat({"interactions": "/some where/ünïcode " + "x" * 90 + ".csv"})
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config


def test_a_file_cut_anywhere_is_called_incomplete(tmp_path):
    write_config(tmp_path, from_flat({"interactions": "/log.csv", "name": "run"}))
    path = tmp_path / "config.yaml"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if whole[length:] == b"...\n":
            continue  # every setting is there
        with pytest.raises(InputError, match=r"config\.yaml is incomplete: ") as caught:
            read_config(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_setting_that_a_run_did_not_know_has_its_default(tmp_path):
    config = from_flat({"protocol": "all", "epochs": 3, "num_targets": 4})
    write_config(tmp_path, config)
    path = tmp_path / "config.yaml"
    text = path.read_text()
    assert text.endswith("\nk: 100\n...\n")
    older = text.replace("num_targets: 4\n", "").replace("l2: 0.0\n", "")
    path.write_text(older)
    expected = from_flat({"protocol": "all", "epochs": 3})
    assert read_config(tmp_path) == expected
    assert changed_settings(read_config(tmp_path), expected) == []


def test_an_unknown_setting_is_named(tmp_path):
    write_config(tmp_path, from_flat({}))
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("epochs:", "rounds:"))
    with pytest.raises(InputError, match="unknown key `rounds`"):
        read_config(tmp_path)


def test_no_run(tmp_path):
    with pytest.raises(InputError, match="is not a run directory"):
        read_config(tmp_path)


def test_where_a_log_lies_and_its_name_are_no_settings_of_a_training():
    def config(**values):
        return from_flat({"dataset": "log", "interactions": "/a/log.csv", **values})

    assert changed_settings(config(), config(interactions="/b/log.csv")) == []
    renamed = config(dataset="new", interactions="/a/new.csv")
    assert changed_settings(config(), renamed) == []
    assert not same_inputs(config(), renamed)
    assert same_inputs(config(), config(epochs=3))
    other = config(dataset="mine", epochs=3)
    assert changed_settings(config(), other) == [
        "`dataset` was log, is mine",
        "`epochs` was 250, is 3",
    ]


def test_nothing_is_trained_in_a_sum_of_runs_that_was_interrupted(tmp_path):
    assert not is_unfinished(tmp_path)
    write_config(tmp_path, from_flat({}))
    assert is_unfinished(tmp_path)
    (tmp_path / MEMBERS).mkdir()
    assert not is_unfinished(tmp_path)
