"""What an export writes, and that nothing half-written stays."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import c_runtime
from emkd_tf.atomic_files import read_json
from emkd_tf.errors import CheckFailedError, InputError
from emkd_tf.export import checks, saved_model
from emkd_tf.export.saved_model import export_saved_model, next_version


def test_no_code_of_ours_is_needed(exported, tmp_path):
    program = (
        "import sys, json, tensorflow as tf\n"
        "m = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "r = m(history=tf.constant(json.loads(sys.argv[2])))\n"
        "assert not any(n.startswith(('emkd_tf', 'tf_keras')) for n in sys.modules)\n"
        "ids = [[t.decode() for t in row] for row in r['item_ids'].numpy()]\n"
        "print(json.dumps([ids, r['scores'].numpy().tolist()]))\n"
    )
    names = exported.names
    request = [["", names[3], "unknown", names[39]], [names[7], "", "", ""], [""] * 4]
    process = subprocess.run(
        [sys.executable, "-c", program, str(exported.folder), json.dumps(request)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    ids, scores = json.loads(process.stdout.splitlines()[-1])
    live = exported.recommender.recommend([[n for n in r if n] for r in request], k=5)
    assert ids == live.item_ids.tolist()
    np.testing.assert_allclose(scores, live.scores, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(c_runtime.COMPILER is None, reason="there is no C compiler `cc`")
def test_the_c_runtime_answers_every_request_alike(each_export, tmp_path):
    requests = read_json(each_export.folder / checks.QUESTIONS_FILE)
    for request in requests:
        for name, rows in request["inputs"].items():
            rows = [rows[i % len(rows)] for i in range(request["rows"])]
            request["inputs"][name] = rows
    program = c_runtime.build(tmp_path)
    answers, _ = c_runtime.ask(program, each_export.folder, requests)
    assert len(answers) == len(requests) > 20
    for request, answer in zip(requests, answers, strict=True):
        assert checks.difference(request, answer) is None


@pytest.mark.slow
def test_versions_count_up_and_k_is_cut_to_the_catalogue(exported, tmp_path):
    (tmp_path / "m" / "7").mkdir(parents=True)
    (tmp_path / "m" / "notes").mkdir()
    assert next_version(tmp_path / "m") == 8
    card = {"protocol": "unseen"}
    folder, quality = export_saved_model(
        exported.model.ensemble, exported.histories, tmp_path / "m", k=1000, card=card
    )
    assert quality is None
    assert folder == tmp_path / "m" / "8"
    loaded = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answer = loaded(history=tf.constant([["", exported.names[0]]]))
    assert answer["item_ids"].shape == (1, 40)
    assert answer["item_ids"].numpy()[0, -1] == b""  # the item of the history itself
    card = read_json(folder / "card.json")
    assert card["fingerprint"] == exported.histories.fingerprint
    assert (card["name"], card["version"], card["k"]) == ("m", 8, 40)
    assert card["networks"] == ["network_1", "network_2"]
    assert card["protocol"] == "unseen"


def test_holds_its_weights_once_and_the_vocabulary(each_export):
    folder = each_export.folder
    weights = sum(
        w.numpy().nbytes
        for tower in each_export.model.towers
        for w in tower.serving_variables
    )
    data = sum(p.stat().st_size for p in folder.glob("variables/*.data*"))
    assert weights <= data < 1.2 * weights + 20_000
    vocabulary = (folder / "assets" / "item_ids.txt").read_text()
    assert vocabulary.split("\n")[:-1] == each_export.names
    assert b"_tf_keras" not in (folder / "saved_model.pb").read_bytes()


def test_attributes_are_folded_into_one_table_a_network(exported_attributes):
    """Untied histories have a table of their own; FDSA reads attributes by themselves,
    its lists of them are the one large constant."""
    towers, folder = exported_attributes.model.towers, exported_attributes.folder
    expected = 3 * min(t.serving_table().shape[0] for t in towers)  # bias and others
    for tower in towers:
        of_items = tower.embedding
        replaced = [of_items.items, *of_items.attributes.trainable_variables]
        if hasattr(of_items, "encoder"):
            replaced += of_items.encoder.trainable_variables
        expected += sum(elements(w) for w in tower.serving_variables)
        expected += elements(of_items.table(42)) - sum(map(elements, replaced))
    names = tf.train.list_variables(str(folder / "variables" / "variables"))
    shapes = [shape for name, shape in names if "OBJECT_GRAPH" not in name]
    assert sum(map(math.prod, shapes)) == expected

    model = checks.read_saved_model(folder)
    of_attributes = getattr(towers[0], "attributes", None)
    lists = 0 if of_attributes is None else elements(of_attributes._attribute_ids)
    assert lists == max((n for n in constants(model) if n >= 40), default=0)


def test_folded_items_answer_like_the_live_model(exported_attributes):
    names = exported_attributes.names
    served = tf.saved_model.load(str(exported_attributes.folder)).signatures
    history = [names[3], names[39], names[7], names[3]]
    answer = served["serving_default"](history=tf.constant([history]))
    live = exported_attributes.recommender.recommend([history], 5)
    np.testing.assert_allclose(answer["scores"], live.scores, rtol=1e-4, atol=1e-5)
    assert [i.decode() for i in answer["item_ids"].numpy()[0]] == live.item_ids[
        0
    ].tolist()
    for tower in exported_attributes.model.towers:
        assert tower.embedding.folding.table is None
        assert not [w for w in tower.weights if "item_table" in w.name]


def elements(weight):
    return int(tf.size(weight))


def constants(model):
    """The number of elements of each constant of a SavedModel that is no text."""
    graphs = [graph.graph_def for graph in model.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [n for g in graphs for f in g.library.function for n in f.node_def]
    return [
        math.prod(dim.size for dim in node.attr["value"].tensor.tensor_shape.dim)
        for node in nodes
        if node.op == "Const" and node.attr["dtype"].type != tf.string.as_datatype_enum
    ]


def test_a_difference_leaves_nothing_behind(exported, tmp_path, monkeypatch):
    ask = checks._ask_fresh_process

    def disturbed(folder, requests):
        answers = ask(folder, requests)
        answers[0]["scores"][0][0] += 0.5
        return answers

    monkeypatch.setattr(checks, "_ask_fresh_process", disturbed)
    with pytest.raises(CheckFailedError, match="serving_default differs from the live"):
        export_saved_model(
            exported.model.ensemble, exported.histories, tmp_path / "m", k=5
        )
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_an_operation_that_is_not_on_the_list_is_refused(
    exported, tmp_path, monkeypatch
):
    fewer = checks.ALLOWED_OPS - {"TopKV2", "Tanh"}
    monkeypatch.setattr(checks, "ALLOWED_OPS", fewer)
    with pytest.raises(CheckFailedError, match=r"not on the list .*: Tanh, TopKV2"):
        export_saved_model(
            exported.model.ensemble, exported.histories, tmp_path / "m", k=5
        )
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_target_that_is_a_file_is_one_line(exported, tmp_path):
    (tmp_path / "m").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        export_saved_model(
            exported.model.ensemble, exported.histories, tmp_path / "m", k=5
        )


def test_a_target_that_is_read_only_is_one_line(exported, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InputError, match=r"cannot be written .Read-only"):
        export_saved_model(
            exported.model.ensemble, exported.histories, small_disk / "m", k=5
        )


def test_a_full_disk_is_one_line_and_leaves_nothing(exported, small_disk):
    (small_disk / "much").write_bytes(bytes(230_000))
    with pytest.raises(InputError, match="cannot be written") as caught:
        export_saved_model(
            exported.model.ensemble, exported.histories, small_disk / "m", k=5
        )
    assert "\n" not in str(caught.value)
    files = [p.name for p in small_disk.rglob("*") if p.is_file()]
    assert files == ["much"]
    assert saved_model.next_version(small_disk / "m") == 1
