"""The stream of batches: coverage, order and replay."""

import collections

import numpy as np
import pytest

from emkd_tf.data.candidates import Candidates
from emkd_tf.data.histories import left_padded
from emkd_tf.data.pipeline import training_batches, windows_of_step
from emkd_tf.data.windows import Windows

L, V, N = 5, 99, 10
ITEMS = np.arange(1, 100, dtype=np.int32)  # no two windows are the same
STARTS = np.arange(0, 80, 8)
ENDS = STARTS + np.array([1, 2, 3, 4, 5, 5, 5, 5, 3, 1])


def stream(batch_size=4, num_steps=10, seed=0, **options):
    settings = {
        "num_items": V,
        "length": L,
        "num_views": 3,
        "mask_probability": 0.4,
        "mask_at_least_one": False,
        **options,
    }
    dataset = training_batches(
        ITEMS,
        Windows(STARTS, ENDS, L, 1),
        batch_size=batch_size,
        num_steps=num_steps,
        seed=seed,
        **settings,
    )
    return list(dataset.as_numpy_iterator())


def rows(batches, name="item_ids"):
    return np.concatenate([batch[name] for batch in batches])


def test_shapes_and_types():
    batch = stream()[0]
    assert {name: value.shape for name, value in batch.items()} == {
        "item_ids": (4, L),
        "views": (4, 3, L),
        "labels": (4, 3, L),
        "row": (4,),
    }
    assert all(value.dtype == np.int32 for value in batch.values())
    assert batch["row"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("batch_size", [4, 10, 16])
def test_every_pass_has_every_window_once(batch_size):
    steps = -(-5 * N // batch_size)
    found = [tuple(row) for row in rows(stream(batch_size, steps))][: 5 * N]
    windows = {tuple(row) for row in left_padded(ITEMS, STARTS, ENDS, L)}
    orders = [found[first : first + N] for first in range(0, 5 * N, N)]
    assert all(collections.Counter(o) == collections.Counter(windows) for o in orders)
    assert len(set(map(tuple, orders))) > 1


def test_labels_belong_to_their_sequence():
    for batch in stream():
        original = np.where(batch["labels"] > 0, batch["labels"], batch["views"])
        expected = np.broadcast_to(batch["item_ids"][:, None], original.shape)
        np.testing.assert_array_equal(original, expected)


def test_seeds_decide():
    for name in ("item_ids", "views", "labels"):
        np.testing.assert_array_equal(rows(stream(), name), rows(stream(), name))
        assert (rows(stream(), name) != rows(stream(seed=1), name)).any()


@pytest.mark.parametrize("first_step", [1, 4, 9])
def test_a_stream_can_begin_anywhere(first_step):
    whole, rest = stream(), stream(first_step=first_step)
    assert len(rest) == len(whole) - first_step
    for a, b in zip(whole[first_step:], rest, strict=True):
        for name, value in a.items():
            np.testing.assert_array_equal(value, b[name])


def test_views_depend_on_pass_and_example_not_on_the_batch():
    small, large = stream(batch_size=2, num_steps=20), stream(batch_size=8, num_steps=5)
    np.testing.assert_array_equal(rows(small, "views"), rows(large, "views"))
    by_example = collections.defaultdict(set)
    for batch in stream(batch_size=N, num_steps=6):
        for item_ids, views in zip(batch["item_ids"], batch["views"], strict=True):
            by_example[tuple(item_ids)].add(views.tobytes())
    assert all(len(v) > 1 for k, v in by_example.items() if sum(i > 0 for i in k) > 3)


def test_workers_and_their_replicas_get_parts_of_the_same_batches():
    whole = stream(batch_size=8)
    pieces = [stream(batch_size=8, part=(w, 2), parts_of_part=2) for w in range(2)]
    for step, batch in enumerate(whole):
        of_step = [piece[2 * step + r] for piece in pieces for r in range(2)]
        for name, values in batch.items():
            joined = np.concatenate([part[name] for part in of_step])
            np.testing.assert_array_equal(joined, values)


def test_candidates_depend_on_seed_and_step_alone():
    """Workers, replicas and a training that continues get the same."""
    options = {"candidates": Candidates(np.arange(V), 16), "batch_size": 8}
    whole = stream(**options)
    assert whole[0]["candidates"].shape == whole[0]["log_expected"].shape == (16,)
    drawn = [tuple(batch["candidates"]) for batch in whole]
    assert len(set(drawn)) == len(whole)
    for w in range(2):
        parts = stream(**options, part=(w, 2), parts_of_part=2, first_step=3)
        of_part = [tuple(part["candidates"]) for part in parts]
        assert of_part == [of_step for of_step in drawn[3:] for _ in range(2)]
    assert tuple(stream(**options, seed=1)[0]["candidates"]) != drawn[0]
    # Nothing else is drawn differently for them.
    for batch, plain in zip(whole, stream(batch_size=8), strict=True):
        for name, value in plain.items():
            np.testing.assert_array_equal(value, batch[name])


def test_the_windows_of_a_step_are_those_of_its_batch():
    windows = Windows(STARTS, ENDS, L, 1)
    for step, batch in enumerate(stream(batch_size=4, seed=3)):
        found = windows_of_step(step, num_windows=N, batch_size=4, seed=3)
        expected = left_padded(ITEMS, *windows.bounds(found), L)
        np.testing.assert_array_equal(batch["item_ids"], expected)
