"""What may be asked, without a server."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.errors import InputError
from emkd_tf.serving import request

ROWS = [["a", "b"], ["naïve ☕", ""]]


@pytest.mark.parametrize(
    "histories",
    [
        ROWS,
        tuple(map(tuple, ROWS)),
        np.array(ROWS),
        np.array(ROWS, object),
        [np.array(row) for row in ROWS],
        pl.Series(ROWS),
        (iter(row) for row in ROWS),
    ],
    ids=lambda histories: type(histories).__name__,
)
def test_what_holds_ids_is_a_list_of_them(histories):
    assert request.lists_of_ids(histories) == ROWS


def test_nothing_is_no_history():
    assert request.lists_of_ids(np.zeros([0, 3], str)) == []
    assert request.lists_of_ids([[], ()]) == [[], []]


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (None, "got None"),
        (7, "got 7"),
        ("abc", "got 'abc'"),
        (np.array("abc"), "got array"),
        ([None], "history 0 holds None"),
        ([["a"], "abc"], "history 1 holds 'abc'"),
        (np.array(["abc"]), "history 0 holds .*'abc'"),
        ([["a", None]], "history 0 holds None"),
        (np.array([[1, 2]]), "history 0 holds .*1"),
        ([[b"a"]], "history 0 holds b'a'"),
        ([["a"], [chr(0xD83D)]], r"history 1 holds '\\ud83d'"),
        ([[["a"] * 100]], r"history 0 holds \['a', .*\.\.\."),
        (np.array([[["a"], ["b"]]]), "history 0 holds array"),
    ],
)
def test_anything_else_is_one_line_with_the_rule(histories, message):
    with pytest.raises(InputError, match=f"must be lists of .*{message}") as caught:
        request.lists_of_ids(histories)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("k", [0, -1, 2.0, "5", None, float("nan")])
def test_a_length_is_a_whole_number(k):
    with pytest.raises(InputError, match="`k` must be a whole number, at least 1, got"):
        request.require_length(k)
    request.require_length(np.int64(3))


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf"), "5", None])
def test_a_time_to_wait_is_above_zero_and_ends(seconds):
    with pytest.raises(InputError, match="`timeout_seconds` must be above 0 and at"):
        request.require_seconds(seconds)
    request.require_seconds(np.float32(0.5))


def test_padded_in_front_and_joined():
    assert request.padded([[], ["a", "b"]]) == [["", ""], ["a", "b"]]
    assert request.padded([[]]) == [[""]]
    assert request.joined([[], ["a", "b"]], "|") == ["", "a|b"]
    with pytest.raises(InputError, match="holds the separator"):
        request.joined([["a|b"]], "|")
