"""What a search leaves: a preset that trains alike, a table, and HParams."""

import math

import optuna
import polars as pl
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from emkd_tf.config import BESIDE_TRAINING, to_flat
from emkd_tf.config.flags import as_flags, read_settings
from emkd_tf.experiments.tuning_results import best_table, preset, write_results

SETTINGS = [
    {"learning_rate": 0.01, "tie_item_embeddings": True},
    {"learning_rate": 0.02, "tie_item_embeddings": False},
    {"learning_rate": 0.03, "tie_item_embeddings": True},
]
CURVES = [[0.1, 0.3, 0.2], [0.1, 0.4, 0.3], [0.05]]
COMMAND = ["emkd", "tune", "--model=sasrec", "--preset=paper"]


def config_of(*flags):
    return read_settings("emkd train", "", ["--model=sasrec", *flags]).config


@pytest.fixture
def study():
    """Two trials that came to their end, and one that was pruned, and a failed one."""
    made = optuna.create_study(direction="maximize")
    for settings, curve in zip(SETTINGS, CURVES, strict=True):
        trial = made.ask()
        trial.set_user_attr("settings", settings)
        trial.set_user_attr("run", f"run {trial.number}")
        for epoch, value in enumerate(curve, 1):
            trial.report(value, epoch)
        if len(curve) == 3:
            trial.set_user_attr("seconds", 7.0)
            made.tell(trial, max(curve))
        else:
            made.tell(trial, state=optuna.trial.TrialState.PRUNED)
    failed = made.ask()
    failed.set_user_attr("settings", SETTINGS[0])
    failed.set_user_attr("run", "run 3")
    failed.set_user_attr("failure", "no such file")
    made.tell(failed, state=optuna.trial.TrialState.FAIL)
    return made


def test_the_preset_trains_as_the_best_trial_did(study, tmp_path):
    flags = ("--dataset=toys", "--preset=paper", "--epochs=7", "--num_networks=2")
    write_results(study, config_of(*flags), tmp_path, COMMAND)
    trial = to_flat(config_of(*flags, *as_flags(SETTINGS[1])))
    file = f"--config={tmp_path / 'best.yaml'}"
    found = to_flat(read_settings("emkd train", "", ["--dataset=toys", file]).config)
    for key in set(trial) - BESIDE_TRAINING:
        assert found[key] == trial[key], key
    heading = (tmp_path / "best.yaml").read_text().splitlines()[:3]
    assert "0.4000, the best of 3 trials" in heading[0]
    assert heading[1] == "#   emkd tune --model=sasrec --preset=paper"
    assert heading[2] == f"#   emkd train --dataset=toys {file}"


def test_a_preset_holds_what_differs_alone(tiny_log):
    plain = config_of(f"--interactions={tiny_log}")
    assert preset(plain, {"dropout": 0.35}) == {"model": "sasrec", "dropout": 0.35}


def test_the_table_has_every_trial(study, tmp_path):
    write_results(study, config_of(), tmp_path, COMMAND)
    trials = pl.read_csv(tmp_path / "trials.csv")
    assert trials["state"].to_list() == ["complete", "complete", "pruned", "fail"]
    assert trials["validation/NDCG@10"].to_list() == [0.3, 0.4, 0.05, None]
    assert trials["epochs"].to_list() == [3, 3, 1, None]
    assert trials["failure"].to_list() == [None, None, None, "no such file"]
    assert trials["learning_rate"].to_list() == [0.01, 0.02, 0.03, 0.01]
    shown = best_table(study)
    assert [row[:3] for row in shown.rows] == [
        ["1", "0.4000", "0.02"],
        ["0", "0.3000", "0.01"],
    ]


def test_tensorboard_reads_the_settings_and_the_curve_of_each_trial(study, tmp_path):
    for _ in range(2):  # what is written again takes the place of the first
        write_results(study, config_of(), tmp_path, COMMAND)
    folders = sorted((tmp_path / "hparams").iterdir())
    assert [folder.name for folder in folders] == [
        "trial-000",
        "trial-001",
        "trial-002",
    ]
    bests = [0.3, 0.4, 0.05]
    for folder, settings, curve, best in zip(
        folders, SETTINGS, CURVES, bests, strict=True
    ):
        events = EventAccumulator(str(folder)).Reload()
        content = events.summary_metadata["_hparams_/session_start_info"]
        data = HParamsPluginData.FromString(content.plugin_data.content)
        found = data.session_start_info.hparams
        assert found["learning_rate"].number_value == settings["learning_rate"]
        tied = found["tie_item_embeddings"].bool_value
        assert tied == settings["tie_item_embeddings"]
        points = events.Tensors("validation/NDCG@10")
        assert [point.step for point in points] == [*range(1, len(curve) + 1)]
        values = [float(tf.make_ndarray(point.tensor_proto)) for point in points]
        for value, expected in zip(values, [*curve[:-1], best], strict=True):
            assert math.isclose(value, expected, rel_tol=1e-6)


def test_a_search_without_a_whole_trial_has_no_preset(tmp_path):
    found = write_results(optuna.create_study(), config_of(), tmp_path, COMMAND)
    assert [path.name for path in found] == ["trials.csv", "hparams"]
    assert not (tmp_path / "best.yaml").exists()


def test_the_command_of_the_preset_names_all_files(study, tmp_path, tiny_log):
    paths = (f"--interactions={tiny_log}", "--attributes=titles.csv")
    write_results(study, config_of(*paths, "--cache-dir=c"), tmp_path, COMMAND)
    heading = (tmp_path / "best.yaml").read_text().splitlines()[2]
    file = f"--config={tmp_path / 'best.yaml'}"
    assert heading == f"#   emkd train {' '.join(paths)} --cache_dir=c {file}"
