"""Checking an export again, whole and damaged."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf

from emkd_tf.atomic_files import read_json
from emkd_tf.errors import CheckFailedError, InputError
from emkd_tf.export.checks import (
    QUESTIONS_FILE,
    difference,
    operations,
    read_saved_model,
    signatures,
    verify,
)


@pytest.fixture
def copy(exported, tmp_path):
    folder = tmp_path / "copy" / "1"
    shutil.copytree(exported.folder, folder)
    return folder


@pytest.mark.slow
def test_a_moved_export_answers_as_before(copy):
    assert verify(copy) == len(read_json(copy / QUESTIONS_FILE))


def test_a_folder_of_versions_names_the_newest(tmp_path):
    for version in ("9", "10"):
        (tmp_path / version).mkdir()
        (tmp_path / version / QUESTIONS_FILE).touch()
    with pytest.raises(InputError, match=f"Its versions are: check {tmp_path}/10"):
        verify(tmp_path)


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_program(folder):
    shutil.rmtree(folder)
    tf.saved_model.save(tf.Module(), str(folder))


DAMAGES = {
    "no vocabulary": (
        lambda folder: (folder / "assets" / "item_ids.txt").unlink(),
        "cannot load and ask",
    ),
    "half of the weights": (
        lambda folder: halve(next(folder.glob("variables/*.data*"))),
        "cannot load and ask",
    ),
    "no weights": (
        lambda folder: shutil.rmtree(folder / "variables"),
        "cannot load and ask",
    ),
    "half of the graph": (
        lambda folder: halve(folder / "saved_model.pb"),
        "saved_model.pb cannot be read: it is damaged",
    ),
    "no graph": (
        lambda folder: (folder / "saved_model.pb").unlink(),
        "saved_model.pb cannot be read: No such file",
    ),
    "half of the requests": (
        lambda folder: halve(folder / QUESTIONS_FILE),
        "is not an export of emkd",
    ),
    "another program's": (of_another_program, "is not an export of emkd"),
    "nothing there": (shutil.rmtree, "is not an export of emkd"),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_line(damage, copy):
    change, message = DAMAGES[damage]
    change(copy)
    with pytest.raises(InputError, match=message) as caught:
        verify(copy)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_other_answers_are_told(copy):
    path = copy / QUESTIONS_FILE
    requests = read_json(path)
    is_known = requests[-1]["outputs"]["is_known"]
    is_known[0] = not is_known[0]
    path.write_text(json.dumps(requests))
    with pytest.raises(
        CheckFailedError, match=r"similar_items differs .*`is_known` at"
    ):
        verify(copy)


@pytest.mark.slow
def test_a_signature_that_is_missing_is_told(copy):
    path = copy / QUESTIONS_FILE
    requests = read_json(path)
    requests[0]["signature"] = "classify"
    path.write_text(json.dumps(requests))
    with pytest.raises(CheckFailedError, match="offers the signatures"):
        verify(copy)


def test_operations_of_graph_and_functions(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def inner(x):
        return tf.atan2(x, x)

    module = tf.Module()
    module.f = tf.function(lambda x: inner(x), input_signature=inner.input_signature)
    tf.saved_model.save(module, str(tmp_path), signatures=module.f)
    found = operations(read_saved_model(tmp_path))
    assert "Atan2" in found
    assert "TopKV2" not in found


@pytest.mark.slow
def test_signatures_are_those_that_saved_model_cli_shows(copy):
    module = "tensorflow.python.tools.saved_model_cli"
    options = ["show", "--dir", str(copy), "--tag_set", "serve"]
    shown = subprocess.run(
        [sys.executable, "-m", module, *options],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    keys = set(re.findall(r'SignatureDef key: "(\w+)"', shown))
    assert keys == signatures(read_saved_model(copy))


def request(scores, items):
    outputs = {"scores": scores, "item_ids": items}
    return {"rows": len(scores), "outputs": outputs}


def test_differences():
    asked = request([[3.0, 2.0, 1.0]], [["a", "b", "c"]])
    assert difference(asked, asked["outputs"]) is None
    near = {"scores": [[3.0, 2.00001, 1.0]], "item_ids": [["a", "b", "c"]]}
    assert difference(asked, near) is None
    far = {"scores": [[3.0, 2.1, 1.0]], "item_ids": [["a", "b", "c"]]}
    assert difference(asked, far) == "`scores` at [0, 1] is 2.1, not 2.0"
    swapped = {"scores": [[3.0, 2.0, 1.0]], "item_ids": [["b", "a", "c"]]}
    assert difference(asked, swapped) == "`item_ids` at [0, 0] is b, not a"
    assert difference(asked, {"scores": [[3.0]]}) == "its outputs are ['scores']"
    short = {"scores": [[3.0, 2.0]], "item_ids": [["a", "b"]]}
    assert difference(asked, short) == "`scores` has the shape (1, 2)"


def test_a_small_score_beside_large_ones_is_as_uncertain_as_they_are():
    asked = request([[3e9, 2e4, -5.0]], [["a", "b", "c"]])
    near = {"scores": [[3e9, 1e4, -9.0]], "item_ids": [["a", "c", "b"]]}
    assert difference(asked, near) is None
    far = {"scores": [[3e9, 2e6, -5.0]], "item_ids": [["a", "b", "c"]]}
    assert difference(asked, far) == "`scores` at [0, 1] is 2000000.0, not 20000.0"
    lowest = -3.4028234663852886e38  # where there is no item: no size of a score
    asked = request([[3.0, lowest]], [["a", ""]])
    far = {"scores": [[3.1, lowest]], "item_ids": [["a", ""]]}
    assert difference(asked, far) == "`scores` at [0, 0] is 3.1, not 3.0"


def test_items_that_all_but_tie_may_change_places():
    asked = request([[3.0, 2.99999, 1.0]], [["a", "b", "c"]])
    answer = {"scores": [[3.0, 2.99999, 1.0]], "item_ids": [["b", "a", "d"]]}
    assert difference(asked, answer) is None  # what follows the last is not known
