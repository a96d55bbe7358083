"""Item vectors as the projector of TensorBoard reads them."""

import numpy as np
import polars as pl
import pytest
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

from emkd_tf.board import projector
from emkd_tf.training.run_model import open_run


@pytest.fixture(scope="module")
def opened(finished_run):
    _, histories, model = open_run(finished_run[0])
    return histories, model


def read(folder):
    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((folder / "projector_config.pbtxt").read_text(), config)
    tables = {
        each.tensor_name: np.fromfile(folder / each.tensor_path, np.float32).reshape(
            each.tensor_shape
        )
        for each in config.embeddings
    }
    (labels,) = {each.metadata_path for each in config.embeddings}
    path = folder / labels
    text = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
    return tables, text


def test_one_table_a_network_and_one_of_all(opened, tmp_path):
    histories, model = opened
    projector.write_projector(tmp_path, model, histories, {"a|b": "An\tA and B"})
    tables, labels = read(tmp_path)
    counts = histories.training_item_counts()
    order = np.argsort(-counts, kind="stable")
    every = [tower.item_table().numpy()[1:][order] for tower in model.towers]
    np.testing.assert_array_equal(tables["network_1"], every[0])
    np.testing.assert_array_equal(tables["network_2"], every[1])
    np.testing.assert_array_equal(tables["all networks"], np.hstack(every))
    assert labels.columns == ["id", "title", "main_attribute", "training_actions"]
    names = np.array(histories.item_ids())[order].tolist()
    assert labels["id"].to_list() == names
    assert labels["training_actions"].cast(int).to_list() == counts[order].tolist()
    assert labels["title"][names.index("a|b")] == "An A and B"


def test_of_many_items_the_most_popular_are_taken(opened, tmp_path, monkeypatch):
    histories, model = opened
    monkeypatch.setattr(projector, "_MOST_ITEMS", 5)
    projector.write_projector(tmp_path, model, histories)
    tables, labels = read(tmp_path)
    assert {len(table) for table in tables.values()} == {5}
    counts = np.sort(histories.training_item_counts())[::-1][:5]
    assert labels["training_actions"].cast(int).to_list() == counts.tolist()


def test_a_single_network_has_one_table(opened, tmp_path):
    histories, model = opened
    projector.write_projector(tmp_path, model.ensemble.alone(1), histories)
    assert set(read(tmp_path)[0]) == {"all networks"}
