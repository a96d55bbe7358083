"""Windows against a loop, and the published numbers of them."""

import numpy as np
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare
from emkd_tf.data.windows import Windows


def by_loop(start, end, length, step):
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
    lengths = rng.integers(1, 40, size=60)
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
        min_item_actions=min_item,
    )
    found = Windows(*prepare(config).training_bounds(), length, step)
    assert len(found) == windows
