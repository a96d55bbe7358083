"""The stream of batches: coverage, order and replay."""

import collections
import dataclasses
import hashlib

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.candidates import Candidates
from emkd_tf.data.examples.cloze import Cloze
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.negatives import Negatives
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.reads import HostReads
from emkd_tf.data.examples.rows import Shift, Windows
from emkd_tf.data.examples.same_target import SameTarget
from emkd_tf.data.examples.stream import Stream
from emkd_tf.data.histories import left_padded

L, V, N = 5, 99, 10
GOLDEN = "9cbde6b75b665206de56943dba907a642106e1d3d646efe174d4fe132cf06fcf"
ITEMS = np.arange(1, 100, dtype=np.int32)  # no two windows are the same
STARTS = np.arange(0, 80, 8)
ENDS = STARTS + np.array([1, 2, 3, 4, 5, 5, 5, 5, 3, 1])


MASKED = Examples(Windows(STARTS, ENDS, L, 1), [Cloze(V, L, 3, 0.4)])


def make_stream(batch_size=4, num_steps=10, seed=0, examples=MASKED):
    return Stream(
        ITEMS, examples, batch_size=batch_size, num_steps=num_steps, seed=seed
    )


def stream(
    batch_size=4, num_steps=10, seed=0, candidates=None, examples=MASKED, **which
):
    examples = dataclasses.replace(examples, candidates=candidates)
    made = make_stream(batch_size, num_steps, seed, examples)
    return list(made.batches(**which).as_numpy_iterator())


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


def test_a_batch_names_its_rows_also_where_it_has_them_repeatedly():
    made = make_stream(batch_size=3 * N, num_steps=2)
    for step, batch in enumerate(made.batches().as_numpy_iterator()):
        assert batch["row"].tolist() == made.rows_of_step(step).tolist()
        assert collections.Counter(batch["row"].tolist()) == dict.fromkeys(range(N), 3)


def test_the_rows_of_a_step_are_those_of_its_batch():
    made = make_stream(batch_size=4, seed=3)
    for step, batch in enumerate(stream(batch_size=4, seed=3)):
        bounds = MASKED.rows.bounds(made.rows_of_step(step))
        np.testing.assert_array_equal(batch["item_ids"], left_padded(ITEMS, *bounds, L))


@pytest.mark.parametrize("examples", [MASKED, Examples(MASKED.rows, [])])
def test_a_batch_made_alone_is_that_of_the_stream(examples):
    examples = dataclasses.replace(
        examples,
        candidates=Candidates(np.arange(V), 16),
        same_target=SameTarget(MASKED.rows, ITEMS),
    )
    made = make_stream(batch_size=4, examples=examples)
    reads = HostReads(ITEMS, examples)
    for step, batch in enumerate(made.batches(2), start=2):
        numbers = tf.range(4 * step, 4 * step + 4, dtype=tf.int64)
        alone = made.batch(tf.constant(made.rows_of_step(step)), numbers, reads)
        assert set(alone) == set(batch)
        for name, value in batch.items():
            np.testing.assert_array_equal(value, alone[name], name)


def test_transforms_draw_apart_and_follow_one_another():
    """What one draws does not change with the others, and all of it can be replayed."""
    negatives = Negatives(V, 7, L, num_views=3)
    both = Examples(MASKED.rows, [*MASKED.transforms, negatives])
    whole = stream(examples=both, batch_size=8)
    for batch, plain in zip(whole, stream(batch_size=8), strict=True):
        assert batch["negatives"].shape == (8, 3, L, 7)
        for name, value in plain.items():
            np.testing.assert_array_equal(value, batch[name])
    parts = stream(examples=both, batch_size=8, first_step=4, part=(1, 2))
    for batch, part in zip(whole[4:], parts, strict=True):
        for name, value in part.items():
            np.testing.assert_array_equal(value, batch[name][4:])


def test_a_transform_may_draw_nothing():
    examples = Examples(Shift(STARTS, ENDS, L), [NextItem()])
    batches = stream(examples=examples, num_steps=4)  # of eight rows, two are too short
    assert len(rows(batches)) == 16
    for item_ids, labels in zip(rows(batches), rows(batches, "labels"), strict=True):
        np.testing.assert_array_equal(labels[item_ids > 0], item_ids[item_ids > 0] + 1)
    found = {tuple(row) for row in rows(batches[:2])}
    long = ENDS - STARTS > 1
    expected = left_padded(ITEMS, STARTS[long], ENDS[long] - 1, L)
    assert found == {tuple(row) for row in expected}


def test_the_numbers_stay_what_they_were():
    """A run that was begun with an older version goes on with the same batches."""
    digest = hashlib.sha256()
    for batch in stream(seed=7, candidates=Candidates(np.arange(V), 16)):
        for name in ("item_ids", "views", "labels", "candidates"):
            digest.update(batch[name].astype("<i4").tobytes())
    assert digest.hexdigest() == GOLDEN
