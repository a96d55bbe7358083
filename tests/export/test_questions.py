"""What an export is asked: every signature, every edge."""

import numpy as np
import pytest

from emkd_tf.export.questions import questions_of


@pytest.fixture(scope="module")
def questions(exported):
    return questions_of(exported.recommender, exported.histories, k=5)


def of(questions, signature):
    return [q for q in questions if q["signature"] == signature]


@pytest.mark.parametrize(
    "signature",
    ["serving_default", "history_joined", "score", "embed", "similar_items"],
)
def test_rows_are_one_few_and_many(questions, signature):
    rows = {question["rows"] for question in of(questions, signature)}
    assert {1, 257} <= rows
    for question in of(questions, signature):
        for values in [*question["inputs"].values(), *question["outputs"].values()]:
            assert 1 <= len(values) <= question["rows"] or question["rows"] == 1


def test_histories_are_empty_unknown_mixed_repeated_and_long(exported, questions):
    asked = of(questions, "serving_default")
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


def test_answers_are_those_of_validation_histories(exported, questions):
    question = of(questions, "serving_default")[1]
    for user, row in enumerate(question["inputs"]["history"]):
        numbers = exported.histories.before_target("validation", np.array([user]))[0]
        own = [exported.names[n - 1] for n in numbers if n]
        assert [item for item in row if item] == own
        answer = exported.recommender.recommend([own], 5)
        assert question["outputs"]["item_ids"][user] == answer.item_ids[0].tolist()


def test_only_known_items_warm_up(exported, questions):
    for question in questions:
        if question["warm_up"] and question["signature"] != "history_joined":
            for rows in question["inputs"].values():
                flat = [i for r in rows for i in (r if isinstance(r, list) else [r])]
                assert set(flat) <= {*exported.names, ""}
