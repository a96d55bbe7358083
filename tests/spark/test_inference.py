"""What executors run, in a process that has TensorFlow and what Spark needs alone."""

import json
import subprocess
import sys

import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import build_model

pytest.importorskip("pandas")
pytestmark = pytest.mark.slow

EXECUTOR = """
import json, sys
for name in ("polars", "tf_keras", "tensorflow_recommenders", "rich", "scipy"):
    sys.modules[name] = None  # importing it fails
import pandas as pd
from emkd_tf.spark.inference import lists_of_parts
counted = {}
def adder(name):
    counted[name] = 0
    def add(number):
        counted[name] += number
    return add
names = ("histories", "popular", "unknown_items", "short")
lists = lists_of_parts([sys.argv[1]], sys.argv[2], 2, {n: adder(n) for n in names})
frames = list(lists(iter([pd.DataFrame({"id": [0]})])))
frame = pd.concat(frames)
rows = [[u, int(r), i, float(s)] for u, r, i, s in frame.itertuples(index=False)]
print(json.dumps([len(frames), rows, counted]))
"""


def test_an_executor_needs_tensorflow_alone(tiny_settings, tmp_path):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    ensemble = build_model(config, histories).ensemble
    version, _ = export_saved_model(ensemble, histories, tmp_path / "model", k=4)
    names = histories.item_ids()
    questions = [names[:3], ["?", names[5], "!"], [], names[:38], [names[9]]]
    users = ["ü", "b", "c", "d", "e"]
    part = tmp_path / "part.parquet"
    schema = {"user": pl.String, "history": pl.List(pl.String)}
    pl.DataFrame({"user": users, "history": questions}, schema=schema).write_parquet(
        part
    )
    process = subprocess.run(
        [sys.executable, "-c", EXECUTOR, str(part), str(version)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    count, rows, counted = json.loads(process.stdout.splitlines()[-1])
    assert count == 3  # two histories at a time
    assert counted == {"histories": 5, "popular": 1, "unknown_items": 2, "short": 1}
    expected = VectorRecommender(ensemble, histories).recommend(questions, 4)
    places = iter(rows)
    for user, items, scores in zip(
        users, expected.item_ids, expected.scores, strict=True
    ):
        for rank, (item, score) in enumerate(zip(items, scores, strict=True), 1):
            if item:
                assert next(places) == [
                    user,
                    rank,
                    item,
                    pytest.approx(score, rel=1e-4),
                ]
    assert next(places, None) is None
