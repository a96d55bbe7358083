"""The item vectors beside an export, for your own index, or for faiss."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from emkd_tf.atomic_files import write_text
from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError
from emkd_tf.retrieval.recommend import VectorRecommender

_NEIGHBOURS, _BUILD_BEAM, _SEARCH_BEAM = 32, 200, 256  # of the graph (HNSW)
_NUM_QUERIES = 2_000


@dataclasses.dataclass(frozen=True)
class IndexQuality:
    """How an approximate index compares with the exact product.

    Attributes:
        recall: share of the exact top k that it finds.
        k: items per list.
        queries_per_second, exact_per_second: of one call with all queries.
    """

    recall: float
    k: int
    queries_per_second: float
    exact_per_second: float

    def __str__(self) -> str:
        return (
            f"faiss: recall@{self.k} {self.recall:.3f}, "
            f"{self.queries_per_second:,.0f} queries/s (exact "
            f"{self.exact_per_second:,.0f})"
        )


def write_vectors(folder: Path, recommender: VectorRecommender) -> None:
    """Writes `item_vectors.npy` [V, D] float32 and `item_ids.txt`, one id per row.

    Their inner product with the `query` of the signature `embed` is the score.
    """
    np.save(folder / "item_vectors.npy", recommender.item_vectors)
    write_text(folder / "item_ids.txt", "".join(f"{i}\n" for i in recommender.names))


def write_faiss_index(
    folder: Path, recommender: VectorRecommender, histories: Histories, k: int
) -> IndexQuality:
    """Writes `items.faiss`, a graph (HNSW) for the inner product, and measures it.

    Args:
        folder: to write it in.
        recommender: with the item vectors.
        histories: validation histories are the queries; nothing is excluded.
        k: items per list.

    Raises:
        InputError: faiss is not installed.
    """
    faiss = import_faiss()
    vectors = np.ascontiguousarray(recommender.item_vectors)
    index = faiss.IndexHNSWFlat(
        vectors.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT
    )
    index.hnsw.efConstruction = _BUILD_BEAM
    index.hnsw.efSearch = max(_SEARCH_BEAM, 2 * k)
    index.add(vectors)
    # Written by Python, whose errors report a full disk.
    (folder / "items.faiss").write_bytes(faiss.serialize_index(index))

    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(vectors)
    users = histories.evaluated("validation")[:_NUM_QUERIES]
    queries = recommender.queries(histories.before_target("validation", users))
    k = min(k, len(vectors))
    seconds, found = [], []
    for searched in (index, exact):
        searched.search(queries[:1], k)
        began = time.perf_counter()
        found.append(searched.search(queries, k)[1])
        seconds.append(time.perf_counter() - began)
    hits = [len(np.intersect1d(*rows)) for rows in zip(*found, strict=True)]
    speeds = [len(queries) / s for s in seconds]
    return IndexQuality(float(np.mean(hits)) / k, k, *speeds)


def import_faiss():
    """Returns the module faiss.

    Raises:
        InputError: it is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise InputError(
            "--index faiss needs faiss: pip install 'emkd-tf[ann]'."
        ) from None
    return faiss
