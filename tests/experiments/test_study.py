"""A study's folder: its first trial, what it keeps, and its time."""

import time

import optuna
import pytest
import yaml

from emkd_tf.atomic_files import read_json
from emkd_tf.config.flags import read_settings
from emkd_tf.errors import InputError
from emkd_tf.experiments.search_space import Range, as_yaml, suggest
from emkd_tf.experiments.study import Clock, open_study

SPACE = {"dropout": Range(0.0, 0.5), "num_heads": (1, 2)}


@pytest.fixture
def study(tmp_path):
    return open_study(tmp_path, config(), SPACE)


def config(*flags):
    return read_settings("emkd train", "", ["--model=sasrec", *flags]).config


def test_the_first_trial_has_the_settings_as_given(study):
    assert suggest(study.ask(), SPACE) == {"dropout": 0.2, "num_heads": 1}
    assert suggest(study.ask(), SPACE) != {"dropout": 0.2, "num_heads": 1}


def test_the_folder_holds_what_is_searched_and_how(study, tmp_path):
    assert read_json(tmp_path / "space.json") == as_yaml(SPACE)
    kept = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert kept["model"] == "sasrec"
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    assert optuna.get_all_study_names(storage) == [tmp_path.name]


def test_a_study_that_is_opened_again_draws_other_trials(tmp_path):
    first = open_study(tmp_path, config(), SPACE)
    drawn = [suggest(first.ask(), SPACE) for _ in range(4)]
    again = open_study(tmp_path, config(), SPACE)
    assert len(again.trials) == 4
    drawn += [suggest(again.ask(), SPACE) for _ in range(4)]
    assert len({each["dropout"] for each in drawn}) == 8


def test_a_study_of_another_log_is_refused(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("a log")
    mine = config(f"--interactions={log}")
    for _ in range(2):
        open_study(tmp_path, mine, SPACE)
    log.write_text("another log")
    with pytest.raises(InputError, match="other settings: what the log holds"):
        open_study(tmp_path, mine, SPACE)


def test_a_clock_counts_over_processes_and_notes_at_its_end(study):
    for total in (0.2, 0.4):
        with Clock(study) as clock:
            time.sleep(0.2)
            clock.tick()
        assert total <= clock.seconds < total + 5
        assert study.user_attrs["seconds"] == clock.seconds
