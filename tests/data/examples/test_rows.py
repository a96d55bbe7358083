"""Rows against loops, and the published numbers of windows."""

import numpy as np
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.examples.rows import Prefix, Shift, Whole, Windows
from emkd_tf.data.prepare import prepare


def by_loop(start, end, length, step):
    if start == end:
        return []
    if end - start <= length:
        return [(start, end)]
    windows, last = [], end
    while last - length >= start:
        windows.append((last - length, last))
        last -= step
    if windows[-1][0] != start:
        windows.append((start, start + length))
    return windows


@pytest.mark.parametrize("step", [1, 2, 5, 1000])
@pytest.mark.parametrize("length", [2, 7])
def test_equal_a_loop(length, step):
    rng = np.random.default_rng(step)
    lengths = rng.integers(0, 40, size=60)
    lengths[[0, 7, -1]] = 0  # of users who are held out
    ends = np.cumsum(lengths)
    starts = ends - lengths
    expected = [
        window
        for start, end in zip(starts, ends, strict=True)
        for window in by_loop(start, end, length, step)
    ]
    windows = Windows(starts, ends, length, step)
    found = windows.bounds(np.arange(len(windows)))
    assert list(zip(*found, strict=True)) == expected
    of_sequence = windows.sequences(np.arange(len(windows)))
    assert ((found[0] >= starts[of_sequence]) & (found[1] <= ends[of_sequence])).all()
    some = rng.integers(len(windows), size=20)
    assert list(zip(*windows.bounds(some), strict=True)) == [expected[n] for n in some]


@pytest.mark.parametrize(
    ("dataset", "min_item", "length", "step", "windows"),
    [
        ("beauty", 5, 15, 1, 43_793),
        ("toys", 5, 20, 1, 31_506),
        ("ml-1m", 0, 40, 10, 84_548),
    ],
)
def test_published_numbers(
    shared_data, cache, dataset, min_item, length, step, windows
):
    config = DataConfig(
        dataset=dataset,
        data_dir=str(shared_data),
        cache_dir=cache,
        item_core=min_item,
    )
    found = Windows(*prepare(config).training_bounds(), length, step)
    assert len(found) == windows


LENGTHS = np.array([1, 5, 0, 2, 9, 3, 1])
ENDS = np.cumsum(LENGTHS) + 4
STARTS = ENDS - LENGTHS


def spans(rows):
    numbers = np.arange(len(rows))
    return [
        (*span, user)
        for *span, user in zip(
            *rows.bounds(numbers), rows.sequences(numbers), strict=True
        )
    ]


@pytest.mark.parametrize("history_length", [1, 3, 20])
def test_shift_is_the_end_of_each_sequence(history_length):
    rows = Shift(STARTS, ENDS, history_length)
    assert rows.length == history_length + 1
    assert spans(rows) == [
        (max(start, end - history_length - 1), end, user)
        for user, (start, end) in enumerate(zip(STARTS, ENDS, strict=True))
        if end - start >= 2
    ]
    assert [int(rows.bounds(np.array([n]))[0][0]) for n in (3, 1)] == [
        spans(rows)[n][0] for n in (3, 1)
    ]


@pytest.mark.parametrize("history_length", [1, 3, 20])
def test_whole_predicts_every_item_but_the_first_once(history_length):
    rows = Whole(STARTS, ENDS, history_length)
    assert rows.length == history_length + 1
    targets = [at for start, end, _ in spans(rows) for at in range(start + 1, end)]
    expected = [
        at
        for start, end in zip(STARTS, ENDS, strict=True)
        for at in range(start + 1, end)
    ]
    assert sorted(targets) == expected
    assert all(2 <= end - start <= rows.length for start, end, _ in spans(rows))
    newest = {}
    for start, end, user in spans(rows):
        newest.setdefault(user, (start, end, user))
    assert list(newest.values()) == spans(Shift(STARTS, ENDS, history_length))


@pytest.mark.parametrize("history_length", [1, 3, 20])
def test_prefix_has_every_item_but_the_first_as_its_last(history_length):
    rows = Prefix(STARTS, ENDS, history_length)
    assert rows.length == history_length + 1
    assert spans(rows) == [
        (max(start, target - history_length), target + 1, user)
        for user, (start, end) in enumerate(zip(STARTS, ENDS, strict=True))
        for target in range(start + 1, end)
    ]


def test_prefix_may_begin_with_the_first_item():
    rows = Prefix(STARTS, ENDS, 3, shortest=1)
    assert spans(rows) == [
        (max(start, target - 3), target + 1, user)
        for user, (start, end) in enumerate(zip(STARTS, ENDS, strict=True))
        for target in range(start, end)
    ]


@pytest.mark.parametrize("kind", [Shift, Whole, Prefix])
def test_sequences_of_one_item_give_no_row(kind):
    assert len(kind(np.arange(3), np.arange(3) + 1, 5)) == 0
