"""What stands beside an export: read by TF Serving and by a person."""

import json
import re
import shlex

import pytest
from google.protobuf import text_format

from emkd_tf.export.serving_files import write_serving_files


@pytest.fixture
def beside(exported):
    return exported.folder.parent


def test_the_list_of_models_is_read_by_tensorflow_servings_message(beside):
    module = "tensorflow_serving.config.model_server_config_pb2"
    model_server_config_pb2 = pytest.importorskip(module)
    models = text_format.Parse(
        (beside / "models.config").read_text(),
        model_server_config_pb2.ModelServerConfig(),
    )
    (model,) = models.model_config_list.config
    assert (model.name, model.base_path) == ("m", "/models/m")


def test_batches_are_bounded_and_monitored(beside):
    text = (beside / "batching_parameters.txt").read_text()
    found = dict(re.findall(r"^(\w+) { value: (\d+) }$", text, re.MULTILINE))
    assert set(found) == {
        *("max_batch_size", "batch_timeout_micros"),
        *("max_enqueued_batches", "num_batch_threads"),
    }
    assert "enable: true" in (beside / "monitoring.config").read_text()


def test_the_readme_shows_calls_and_this_models_answers(exported, beside):
    readme = (beside / "README.md").read_text()
    calls = [line.strip() for line in readme.splitlines() if "    curl" in line]
    answers = [json.loads(a) for a in re.findall(r"^    (\{.*)$", readme, re.M)]
    bodies = [json.loads(shlex.split(call)[2]) for call in calls]
    (history,) = bodies[1]["inputs"]["history"]
    assert bodies[0] == {"instances": [{"history": history}]}
    assert all(call.endswith("/v1/models/m:predict") for call in calls)
    live = exported.recommender.recommend([history], 5)
    (row,) = answers[0]["predictions"]
    assert row["item_ids"] == live.item_ids[0, :3].tolist()
    assert row["scores"] == pytest.approx(live.scores[0, :3].tolist(), rel=1e-4)
    assert answers[1]["outputs"] == {name: [value] for name, value in row.items()}
    assert str([item.encode() for item in row["item_ids"]]) in readme


def test_quotes_in_ids_survive_the_shell(tmp_path):
    history = ["it's", 'a "b"', "$HOME"]
    outputs = {"item_ids": [["x"]], "scores": [[1.0]]}
    asked = {"rows": 1, "warm_up": True, "inputs": {"history": [history]}}
    requests = [
        {**asked, "signature": "serving_default", "outputs": outputs},
        {**asked, "signature": "embed", "outputs": {"query": [[0.0]]}},
    ]
    card = {
        **{"name": "m", "version": 1, "items": 9, "dataset": "d", "k": 1},
        **{"networks": ["network_1"], "separator": ",", "protocol": "window"},
        "history_length": 5,
    }
    write_serving_files(tmp_path, card, requests)
    (call, _) = re.findall(
        r"^    (curl .*)$", (tmp_path / "README.md").read_text(), re.M
    )
    assert json.loads(shlex.split(call)[2])["instances"] == [{"history": history}]
    text = (tmp_path / "README.md").read_text()
    assert "Of the history\nthe newest 5 items are not recommended." in text
