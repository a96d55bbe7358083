"""What stands beside an export: read by TF Serving and by a person."""

import ast
import json
import re
import shlex
import subprocess
from urllib.parse import unquote, urlsplit

import pytest
from google.protobuf import text_format

from emkd_tf.export.serving_files import write_serving_files
from emkd_tf.serving.rest_client import RestClient


@pytest.fixture
def beside(exported):
    return exported.folder.parent


def test_the_list_of_models_is_read_by_tensorflow_servings_message(beside):
    model = served_model(beside)
    assert (model.name, model.base_path) == ("m", "/models/m")


def served_model(folder):
    module = "tensorflow_serving.config.model_server_config_pb2"
    model_server_config_pb2 = pytest.importorskip(module)
    models = text_format.Parse(
        (folder / "models.config").read_text(encoding="utf-8"),
        model_server_config_pb2.ModelServerConfig(),
    )
    (model,) = models.model_config_list.config
    return model


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


HISTORY = ["it's", 'a "b"', "$HOME"]


def written(folder, name):
    """Writes the files of a model of any name; returns its README."""
    outputs = {"item_ids": [["x"]], "scores": [[1.0]]}
    asked = {"rows": 1, "warm_up": True, "inputs": {"history": [HISTORY]}}
    requests = [
        {**asked, "signature": "serving_default", "outputs": outputs},
        {**asked, "signature": "embed", "outputs": {"query": [[0.0]]}},
    ]
    card = {
        **{"name": name, "version": 1, "items": 9, "dataset": "d", "k": 1},
        **{"networks": ["network_1"], "separator": ",", "protocol": "window"},
        "history_length": 5,
    }
    write_serving_files(folder, card, requests)
    return (folder / "README.md").read_text(encoding="utf-8")


def test_quotes_in_ids_survive_the_shell(tmp_path):
    readme = written(tmp_path, "m")
    (call, _) = re.findall(r"^    (curl .*)$", readme, re.M)
    assert json.loads(shlex.split(call)[2])["instances"] == [{"history": HISTORY}]
    assert "Of the history\nthe newest 5 items are not recommended." in readme


NAMES = ['a"b $(x) ü', "it's `x`", "a\\b%20", "{name}", "tab\tend\x7f"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_one_word_wherever_it_is_read(tmp_path, name):
    readme, at = written(tmp_path, name), f"/models/{name}"
    (call, _) = re.findall(r"^    (curl .*)$", readme, re.M)
    url = shlex.split(call)[3]
    path = urlsplit(url).path
    assert unquote(path) == f"/v1/models/{name}:predict"
    assert shlex.quote(url) == url
    assert RestClient("localhost:8501", name)._url == url

    (run,) = re.findall(r"^    (docker run (?:.*\\\n)*.*)$", readme, re.M)
    words = shlex.split(run.replace("\\\n", ""))
    assert words[words.index("-v") + 1] == f"$PWD:{at}"
    assert f"--model_config_file={at}/models.config" in words
    assert len(words) == 12

    (python,) = re.findall(r"^request.model_spec.name = (.*)$", readme, re.M)
    assert ast.literal_eval(python) == name
    model = served_model(tmp_path)
    assert (model.name, model.base_path) == (name, at)


def test_a_shell_executes_nothing_of_a_name(tmp_path):
    readme = written(tmp_path, "a$(touch x) `touch y`; touch z'")
    (run,) = re.findall(r"^    (docker run (?:.*\\\n)*.*)$", readme, re.M)
    (call, _) = re.findall(r"^    (curl .*)$", readme, re.M)
    script = f"docker() {{ :; }}; curl() {{ :; }}\n{run}\n{call}\n"
    subprocess.run(["sh", "-c", script], check=True, cwd=tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.name in "xyz"]
