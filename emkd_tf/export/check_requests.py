"""What an export is asked, and what the live model answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from emkd_tf.data.histories import Histories
from emkd_tf.retrieval.recommend import LOWEST, VectorRecommender

Request = dict[str, Any]

_NUM_USERS = 4
_MANY_ROWS = 257  # above any usual batch size, and odd
_LONG = 300


def check_requests(
    recommender: VectorRecommender, histories: Histories, k: int
) -> list[Request]:
    """Asks every signature about validation histories and edge cases.

    Returns:
        Requests {"signature", "inputs", "rows", "outputs"}: the inputs' rows are
        repeated up to `rows`, and so are those of the expected outputs. Those with
        `warm_up` contain only known items.
    """
    expected = _Expected(recommender, k)
    names = recommender.names.tolist()
    users = histories.evaluated("validation")[:_NUM_USERS]
    rows = histories.before_target("validation", users)
    known = [recommender.names[row[row > 0] - 1].tolist() for row in rows]
    first, unknown = known[0], _unknown(names)
    edge = _edge_cases(first, unknown)
    candidates = [first[0], names[-1], unknown, names[0], ""]

    def ask(signature: str, histories: list[list[str]], num_rows: int) -> Request:
        inputs: list = _padded(histories)
        if signature == "history_joined":
            inputs = [recommender.separator.join(row) for row in histories]
        request = {"history": inputs}
        if signature == "score":
            of_known = histories is known
            own = [c for c in candidates if c in names] if of_known else candidates
            request["candidates"] = [own] * len(histories)
        outputs = getattr(expected, signature)(histories, request)
        return {
            "signature": signature,
            "inputs": request,
            "rows": num_rows,
            "outputs": {name: rows[:num_rows] for name, rows in outputs.items()},
            "warm_up": histories is known,
        }

    requests = []
    for signature in ("serving_default", "history_joined", "score", "embed"):
        requests += [
            ask(signature, known, 1),
            ask(signature, known, len(known)),
            ask(signature, edge, len(edge)),
            ask(signature, [[]], 1),
            ask(signature, edge + known, _MANY_ROWS),
        ]
    items = first[:4]
    requests += _of_items(expected, items, len(items), is_known=True)
    others = [first[-1], unknown, ""]
    return requests + _of_items(expected, others, _MANY_ROWS, is_known=False)


def _unknown(names: list[str]) -> str:
    """Returns a name that no item has."""
    unknown = "no such item"
    while unknown in names:
        unknown += "?"
    return unknown


def _edge_cases(known: list[str], unknown: str) -> list[list[str]]:
    """Returns histories: empty, unknown in whole and in part, with repeats, long."""
    first, last = known[0], known[-1]
    return [
        [],
        [unknown],
        [first, unknown, last],
        [first, last, first, first],
        (known * _LONG)[:_LONG],
    ]


def _of_items(
    expected: _Expected, items: list[str], most_rows: int, *, is_known: bool
) -> list[Request]:
    """Asks for items like others, one and many."""
    return [
        {
            "signature": "similar_items",
            "inputs": {"item_id": items},
            "rows": num_rows,
            "outputs": expected.similar_items(items[:num_rows]),
            "warm_up": is_known,
        }
        for num_rows in (1, most_rows)
    ]


class _Expected:
    """The live model's answers, computed with numpy from its vectors."""

    def __init__(self, recommender: VectorRecommender, k: int):
        self._recommender, self._k = recommender, k
        self._number = {n: i for i, n in enumerate(recommender.names.tolist())}

    def serving_default(self, histories: list[list[str]], _: dict) -> dict[str, list]:
        answer = self._recommender.recommend(histories, self._k)
        return {
            "item_ids": answer.item_ids.tolist(),
            "scores": _short(answer.scores),
            **self._marks(histories),
        }

    history_joined = serving_default

    def embed(self, histories: list[list[str]], _: dict) -> dict[str, list]:
        queries = self._queries(histories)
        return {"query": _short(queries), **self._marks(histories)}

    def score(self, histories: list[list[str]], inputs: dict) -> dict[str, list]:
        scores = self._queries(histories) @ self._recommender.item_vectors.T
        places = [
            [self._number.get(c, -1) for c in row] for row in inputs["candidates"]
        ]
        chosen = np.take_along_axis(scores, np.array(places), axis=1)
        is_known = np.array(places) >= 0
        return {
            "scores": _short(np.where(is_known, chosen, LOWEST)),
            "is_known": is_known.tolist(),
            **self._marks(histories),
        }

    def similar_items(self, items: list[str]) -> dict[str, list]:
        vectors = self._recommender.item_vectors[:, :-2].astype(np.float64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        item_ids, scores = [], []
        k = min(self._k, len(vectors))
        for item in items:
            place = self._number.get(item)
            cosines = np.full(len(vectors), LOWEST)
            if place is not None:
                cosines = vectors @ vectors[place]
                cosines[place] = LOWEST
            best = np.argsort(-cosines, kind="stable")[:k]
            found = self._recommender.names[best]
            item_ids.append(np.where(cosines[best] > LOWEST, found, "").tolist())
            scores.append(cosines[best])
        is_known = [item in self._number for item in items]
        return {
            "item_ids": item_ids,
            "scores": _short(np.array(scores)),
            "is_known": is_known,
        }

    def _queries(self, histories: list[list[str]]) -> np.ndarray:
        return self._recommender.queries(self._recommender.numbers(histories))

    def _marks(self, histories: list[list[str]]) -> dict[str, list]:
        known = [[i for i in row if i in self._number] for row in histories]
        pairs = list(zip(histories, known, strict=True))
        return {
            "unknown_items": [len(row) - len(kept) for row, kept in pairs],
            "is_popular": [not kept for kept in known],
        }


def _padded(histories: list[list[str]]) -> list[list[str]]:
    width = max(1, *map(len, histories)) if histories else 1
    return [[""] * (width - len(row)) + row for row in histories]


def _short(values: np.ndarray) -> list:
    """Nine digits tell one float32 from every other."""
    return [[float(f"{x:.9g}") for x in row] for row in values]
