"""The export, reloaded in a process that has only TensorFlow."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.export import saved_model
from emkd_tf.export.saved_model import export_saved_model, next_version
from emkd_tf.retrieval.recommend import recommend
from emkd_tf.training.build import build_model


@pytest.fixture(params=[False, True], ids=["own weights", "tied"])
def trained(request, tiny_settings):
    config = from_flat({**tiny_settings, "tie_item_embeddings": request.param})
    histories = prepare(config.data)
    model = build_model(config, histories)
    for network in model.networks:
        network.item_bias.assign(np.random.default_rng(1).normal(size=41))
    return model, histories


def test_answers_like_the_live_model_without_any_code_of_ours(trained, tmp_path):
    model, histories = trained
    folder = export_saved_model(model, histories, tmp_path / "m", k=5)
    assert folder == tmp_path / "m" / "1"
    program = (
        "import sys, json, tensorflow as tf\n"
        "m = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "r = m(history=tf.constant(json.loads(sys.argv[2])))\n"
        "assert not any(n.startswith(('emkd_tf', 'tf_keras')) for n in sys.modules)\n"
        "ids = [[t.decode() for t in row] for row in r['item_ids'].numpy()]\n"
        "print(json.dumps([ids, r['scores'].numpy().tolist()]))\n"
    )
    names = histories.item_ids()
    question = [["", names[3], "unknown", names[39]], [names[7], "", "", ""], [""] * 4]
    process = subprocess.run(
        [sys.executable, "-c", program, str(folder), json.dumps(question)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    ids, scores = json.loads(process.stdout.splitlines()[-1])
    live_ids, live_scores, _ = recommend(
        model, histories, [[n for n in row if n] for row in question], k=5
    )
    assert ids == live_ids.tolist()
    np.testing.assert_allclose(scores, live_scores, rtol=1e-4)
    assert names[3] not in ids[0]


def test_versions_count_up_and_k_is_cut_to_the_catalogue(trained, tmp_path):
    model, histories = trained
    (tmp_path / "m" / "7").mkdir(parents=True)
    (tmp_path / "m" / "notes").mkdir()
    assert next_version(tmp_path / "m") == 8
    folder = export_saved_model(model, histories, tmp_path / "m", k=1000)
    loaded = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answer = loaded(history=tf.constant([["", histories.item_ids()[0]]]))
    assert answer["item_ids"].shape == (1, 40)
    assert np.isfinite(answer["scores"]).all()
    assert answer["item_ids"].numpy()[0, -1] == b""  # the item of the history itself


def test_holds_its_weights_once_and_the_vocabulary(trained, tmp_path):
    model, histories = trained
    folder = export_saved_model(model, histories, tmp_path / "m", k=5)
    weights = sum(
        w.numpy().nbytes for n in model.networks for w in n.serving_variables()
    )
    data = sum(p.stat().st_size for p in folder.glob("variables/*.data*"))
    assert weights <= data < 1.2 * weights + 20_000
    assert (folder / "assets" / "item_ids.txt").read_text().split("\n")[
        :-1
    ] == histories.item_ids()
    graph = (folder / "saved_model.pb").read_bytes()
    assert b"_tf_keras" not in graph


def test_a_difference_leaves_nothing_behind(trained, tmp_path, monkeypatch):
    model, histories = trained
    ask = saved_model._ask_fresh_process

    def disturbed(folder: Path, questions):
        answers = ask(folder, questions)
        answers["scores"][0][0] += 0.5
        return answers

    monkeypatch.setattr(saved_model, "_ask_fresh_process", disturbed)
    with pytest.raises(RuntimeError, match="differs from the live model"):
        export_saved_model(model, histories, tmp_path / "m", k=5)
    assert list((tmp_path / "m").iterdir()) == []


def test_a_target_that_is_a_file_is_one_line(trained, tmp_path):
    model, histories = trained
    (tmp_path / "m").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        export_saved_model(model, histories, tmp_path / "m", k=5)
