"""Settings and metrics of finished runs as TensorBoard reads them."""

import events
import pytest
from tensorboard.plugins.hparams import plugin_data_pb2

from emkd_tf.board.outcome import settings_card, write_outcome
from emkd_tf.config import Config, to_flat
from emkd_tf.evaluation.metrics import METRICS

METRICS_FILE = {
    "best_epoch": 4,
    "validation": dict.fromkeys(METRICS, 0.25),
    "test": {name: at / 8 for at, name in enumerate(METRICS)},
}


def plugin_data(folder, tag):
    (found,) = [value for _, value in events.summaries(folder) if value.tag == tag]
    content = found.metadata.plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def test_hparams_have_the_settings_and_the_metrics(tmp_path):
    folder = tmp_path / "shop-1" / "logs"
    write_outcome(folder, {**to_flat(Config()), "name": "shop-1"}, METRICS_FILE)
    experiment = plugin_data(folder, "_hparams_/experiment").experiment
    shown = {info.display_name: info.name.tag for info in experiment.metric_infos}
    assert {"test NDCG@10", "validation HR@5"} <= set(shown)
    scalars = events.scalars(folder)
    assert scalars[shown["test MRR"]] == {4: pytest.approx(6 / 8)}
    assert set(shown.values()) == set(scalars)
    session = plugin_data(folder, "_hparams_/session_start_info").session_start_info
    assert session.group_name == "shop-1"
    hparams = session.hparams
    assert hparams["learning_rate"].number_value == pytest.approx(0.001)
    assert hparams["fuse"].bool_value is False
    assert {info.name for info in experiment.hparam_infos} == set(hparams)
    # Neither places nor what other models read.
    assert not {"runs_dir", "name", "shrinkage"} & set(hparams)


def test_the_card_is_two_tables():
    data = {"name": "shop", "users": 5, "licence": None}
    lines = settings_card(to_flat(Config()), data).splitlines()
    assert lines[:4] == [
        "| data | |",
        "|---|---|",
        "| dataset | shop |",
        "| users | 5 |",
    ]
    assert "| licence | not known |" in lines
    assert "| batch_size | 256 |" in lines
    assert not [line for line in lines if "shrinkage" in line]
