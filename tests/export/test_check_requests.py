"""What an export is asked: every signature, every edge."""

import numpy as np
import pytest

from emkd_tf.export.check_requests import check_requests


@pytest.fixture(scope="module")
def requests(exported):
    return check_requests(exported.recommender, exported.histories, k=5)


def of(requests, signature):
    return [q for q in requests if q["signature"] == signature]


@pytest.mark.parametrize(
    "signature",
    ["serving_default", "history_joined", "score", "embed", "similar_items"],
)
def test_rows_are_one_few_and_many(requests, signature):
    rows = {request["rows"] for request in of(requests, signature)}
    assert {1, 257} <= rows
    for request in of(requests, signature):
        for values in [*request["inputs"].values(), *request["outputs"].values()]:
            assert 1 <= len(values) <= request["rows"] or request["rows"] == 1


def test_histories_are_empty_unknown_mixed_repeated_and_long(exported, requests):
    asked = of(requests, "serving_default")
    rows = [row for q in asked for row in q["inputs"]["history"]]
    rows = [[item for item in row if item] for row in rows]
    unknown = [[item for item in row if item not in exported.names] for row in rows]
    assert [] in rows
    assert any(row and row == bad for row, bad in zip(rows, unknown, strict=True))
    assert any(bad and row != bad for row, bad in zip(rows, unknown, strict=True))
    assert any(len(set(row)) < len(row) < 10 for row in rows)
    assert max(map(len, rows)) == 300
    marks = next(q["outputs"] for q in asked if q["rows"] > 4)
    assert marks["unknown_items"][:4] == [0, 1, 1, 0]
    assert marks["is_popular"][:4] == [True, True, False, False]


def test_answers_are_those_of_validation_histories(exported, requests):
    request = of(requests, "serving_default")[1]
    for user, row in enumerate(request["inputs"]["history"]):
        numbers = exported.histories.before_target("validation", np.array([user]))[0]
        own = [exported.names[n - 1] for n in numbers if n]
        assert [item for item in row if item] == own
        answer = exported.recommender.recommend([own], 5)
        assert request["outputs"]["item_ids"][user] == answer.item_ids[0].tolist()


def test_only_known_items_warm_up(exported, requests):
    for request in requests:
        if request["warm_up"] and request["signature"] != "history_joined":
            for rows in request["inputs"].values():
                flat = [i for r in rows for i in (r if isinstance(r, list) else [r])]
                assert set(flat) <= {*exported.names, ""}
