"""Item vectors for other indexes, and the approximate one."""

import sys

import numpy as np
import pytest

from emkd_tf.errors import InputError
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.export.vectors import write_faiss_index, write_vectors


def test_vectors_and_ids_are_row_by_row(exported, tmp_path):
    write_vectors(tmp_path, exported.recommender)
    vectors = np.load(tmp_path / "item_vectors.npy", allow_pickle=False)
    ids = (tmp_path / "item_ids.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert ids == exported.names
    assert vectors.dtype == np.float32
    live = exported.model.item_vectors().numpy()
    np.testing.assert_array_equal(vectors[:, :-1], live)


def test_the_index_is_measured_against_the_exact_product(exported, tmp_path):
    faiss = pytest.importorskip("faiss")
    quality = write_faiss_index(tmp_path, exported.recommender, exported.histories, 5)
    index = faiss.read_index(str(tmp_path / "items.faiss"))
    index.hnsw.efSearch = 256
    histories = exported.histories.before_target("validation", np.arange(60))
    queries = exported.recommender.queries(histories)
    exact = np.argsort(-queries @ exported.recommender.item_vectors.T, axis=1)[:, :5]
    found = index.search(queries, 5)[1]
    hits = [len({*a} & {*b}) for a, b in zip(exact, found, strict=True)]
    assert quality.recall == pytest.approx(np.mean(hits) / 5, abs=0.01)
    assert quality.recall > 0.95  # 40 items: the graph reaches all
    assert quality.k == 5
    assert quality.queries_per_second > 0
    assert "recall@5" in str(quality)


def test_without_faiss_nothing_is_written(exported, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match=r"pip install 'emkd-tf\[ann\]'"):
        export_saved_model(
            exported.model.ensemble,
            exported.histories,
            tmp_path / "m",
            index="faiss",
        )
    assert not (tmp_path / "m").exists()
