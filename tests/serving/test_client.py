"""Both clients against a server process, compared with the live model."""

import pickle
import socket

import numpy as np
import pytest

from emkd_tf.errors import InputError, ServingError
from emkd_tf.serving.grpc_client import GrpcClient
from emkd_tf.serving.rest_client import RestClient


def test_recommends_like_the_live_model(served, connect):
    names = served.live.names.tolist()
    histories = [
        [names[3], "never sold", names[39], names[38], names[37]],
        [names[7]],
        [],
        ["never sold", "nor this ☕"],
        names[:38],  # leaves two items
    ]
    for k in (1, 3, 5):
        answer = connect().recommend(histories, k)
        live = served.live.recommend(histories, k)
        assert answer.item_ids == [[i for i in row if i] for row in live.item_ids]
        assert [len(row) for row in answer.item_ids] == [k] * 4 + [min(k, 2)]
        for row, expected in zip(answer.scores, live.scores, strict=True):
            np.testing.assert_allclose(row, expected[: len(row)], rtol=1e-4, atol=1e-6)
        assert [len(row) for row in answer.scores] == [k] * 4 + [min(k, 2)]
        assert answer.unknown_items == [len(row) for row in live.unknown]
        assert answer.unknown_items == [1, 0, 0, 2, 0]
        assert answer.is_popular == live.is_popular.tolist()
        assert answer.is_popular == [False, False, True, True, False]


def test_both_protocols_give_the_same_numbers(served):
    names = served.live.names.tolist()
    histories = [names[2:9], [names[5]], []]
    with (
        RestClient(served.addresses["rest"], "tiny") as rest,
        GrpcClient(served.addresses["grpc"], "tiny", version=3) as grpc,
    ):
        over_rest, over_grpc = (c.recommend(histories, 5) for c in (rest, grpc))
    assert over_rest.item_ids == over_grpc.item_ids
    numbers = [np.float32(answer.scores) for answer in (over_rest, over_grpc)]
    assert (numbers[0] == numbers[1]).all()


def test_joined_histories_give_the_same_answer(served, connect):
    names = served.live.names.tolist()
    histories = [names[2:9], ["never sold", names[20]], [], [names[4], ""]]
    padded = connect().recommend(histories, 4)
    assert connect(separator=served.separator).recommend(histories, 4) == padded
    split = [names[0], f"a{served.separator}b"]
    with pytest.raises(InputError, match="holds the separator"):
        connect(separator=served.separator).recommend([split], 4)


def test_other_signatures(served, connect):
    names = served.live.names.tolist()
    inputs = {"history": [[names[1]]], "candidates": [[names[0], "never sold"]]}
    answer = connect().predict(inputs, "score")
    assert answer["is_known"] == [[True, False]]
    embedded = connect().predict({"history": [[names[1]]]}, "embed")
    expected = np.dot(embedded["query"], served.live.item_vectors[0])
    np.testing.assert_allclose(answer["scores"][0][0], expected, rtol=1e-4, atol=1e-6)
    similar = connect().predict({"item_id": [names[6], names[7]]}, "similar_items")
    assert np.shape(similar["item_ids"]) == np.shape(similar["scores"]) == (2, 5)
    none = connect().predict({"history": [[]], "candidates": [[]]}, "score")
    assert none["scores"] == [[]]


def test_no_histories_no_request():
    with RestClient("127.0.0.1:1", "tiny") as client:
        assert client.recommend([], 3).item_ids == []


@pytest.mark.parametrize(
    ("histories", "k", "message"),
    [
        ([["a"]], 0, "`k` must be a whole number, at least 1, got 0"),
        ([["a"]], 6, "exported with lists of 5: ask for at most 5"),
        (["abc"], 1, "one list a history; history 0 holds 'abc'"),
        ([["a"], ["b", 7]], 1, "history 1 holds 7"),
        (None, 5, "one list a history; got None"),
        ([None], 5, "history 0 holds None"),
        ([["a", "\ud83d"]], 5, r"history 0 holds '\\ud83d'"),
    ],
)
def test_a_wrong_question_is_one_clear_line(connect, histories, k, message):
    with pytest.raises(InputError, match=message):
        connect().recommend(histories, k)


@pytest.mark.parametrize("separator", [None, ","])
def test_arrays_of_ids_are_lists_of_them(served, connect, separator):
    names = served.live.names
    histories = names[:6].reshape(2, 3)
    client = connect(separator=separator)
    expected = client.recommend(histories.tolist(), 4)
    assert client.recommend(histories, 4) == expected
    assert client.recommend(histories.astype(object), np.int64(4)) == expected
    assert client.recommend(histories[:0], 4).item_ids == []
    answer = client.predict({"item_id": names[6:8]}, "similar_items")
    assert answer["is_known"] == [True, True]


def test_inputs_that_cannot_be_sent_are_one_line(connect):
    for wrong in ([["a", object()]], [["a", 1 + 2j]]):
        with pytest.raises(InputError) as caught:
            connect().predict({"history": wrong})
        assert "\n" not in str(caught.value)


def test_a_time_that_nobody_can_wait_is_refused_before_any_call(connect):
    with pytest.raises(InputError, match="`timeout_seconds` must be above 0"):
        connect(timeout_seconds=0)


REFUSALS = {
    "unknown model": (
        {"model": "none"},
        {"history": [["a"]]},
        "serving_default",
        "NOT_FOUND",
        r"Model `none` at .*: NOT_FOUND: Servable not found for request: Latest\(none\)"
        ". Check the model's name and version",
    ),
    "unknown version": (
        {"version": 7},
        {"history": [["a"]]},
        "serving_default",
        "NOT_FOUND",
        r"Model `tiny` version 7 at .*: Servable not found .* Specific\(tiny, 7\)",
    ),
    "missing input": (
        {},
        {"history": [["a"]]},
        "score",
        "INVALID_ARGUMENT",
        "(Missing named input: candidates|Missing but required: {candidates})",
    ),
    "oversized batch": (
        {"model": "batched"},
        {"history": [["a"]] * 5},
        "serving_default",
        "INVALID_ARGUMENT",
        "Task size 5 is larger than maximum input batch size 4. .*max_batch_size",
    ),
    "wrong rank": (
        {},
        {"history": ["a"]},
        "serving_default",
        "INVALID_ARGUMENT",
        "Model `tiny` at",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_has_status_reason_and_remedy(connect, case):
    options, inputs, signature, status, message = REFUSALS[case]
    with pytest.raises(ServingError, match=message) as caught:
        connect(**options).predict(inputs, signature)
    assert caught.value.status == status
    assert "\n" not in str(caught.value)


def test_a_batch_that_the_server_takes(connect):
    assert len(connect("batched").recommend([["a"], [], ["b", "c"]], 2).item_ids) == 3


def test_a_model_of_another_program(connect):
    client = connect("echo")
    client.predict = lambda inputs: {"item_ids": [], "unknown_items": []}
    with pytest.raises(ServingError, match="answers without is_popular, scores"):
        client.recommend([["a"]], 1)


ONE = {
    "item_ids": [["a", "b"]],
    "scores": [[2.0, 1.0]],
    "unknown_items": [0],
    "is_popular": [False],
}


@pytest.mark.parametrize(
    "changes",
    [
        {name: [] for name in ONE},
        {"item_ids": [[]], "scores": [[]]},
        {"item_ids": [["a"]]},
        {"item_ids": [["a", "b"], ["a", "b"]]},
        {"item_ids": [[1, 2]]},
        {"scores": [None]},
        {"unknown_items": 0},
        {"is_popular": []},
    ],
    ids=str,
)
def test_an_answer_that_is_no_recommendations(connect, changes):
    client = connect("echo")
    client.predict = lambda inputs: ONE
    assert client.recommend([["x"]], 1).item_ids == [["a"]]
    client.predict = lambda inputs: {**ONE, **changes}
    with pytest.raises(ServingError, match="it does not answer 1 histories") as caught:
        client.recommend([["x"]], 1)
    assert caught.value.status == "UNKNOWN"


def test_an_answer_to_fewer_histories(connect):
    client = connect("echo")
    client.predict = lambda inputs: ONE
    with pytest.raises(ServingError, match="it does not answer 2 histories"):
        client.recommend([["x"], ["y"]], 1)


def test_nobody_listens(connect):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = connect(address=f"127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ServingError, match="Start the server") as caught:
            client.recommend([["a"]], 1)
    assert caught.value.status == "UNAVAILABLE"


def test_a_server_that_never_answers(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        client = connect(address=address, timeout_seconds=0.2)
        with pytest.raises(ServingError, match="Raise `timeout_seconds`") as caught:
            client.recommend([["a"]], 1)
    assert caught.value.status == "DEADLINE_EXCEEDED"


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(ServingError("gone", "UNAVAILABLE")))
    assert (str(error), error.status) == ("gone", "UNAVAILABLE")
