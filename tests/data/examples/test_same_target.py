"""Partners of rows against loops, and in a stream."""

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import Prefix
from emkd_tf.data.examples.same_target import SameTarget
from emkd_tf.data.examples.stream import Stream
from emkd_tf.data.histories import left_padded

L = 4
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 9, size=30)
ENDS = np.cumsum(LENGTHS)
STARTS = ENDS - LENGTHS
ITEMS = RNG.integers(1, 25, size=ENDS[-1]).astype(np.int32)
ITEMS[ENDS[np.argmax(LENGTHS > 1)] - 1] = 30  # a target that no other row has
ROWS = Prefix(STARTS, ENDS, L)
TARGETS = ITEMS[ROWS.bounds(np.arange(len(ROWS)))[1] - 1]


def test_every_other_row_of_the_target_comes_equally_often():
    pairs, draws = SameTarget(ROWS, ITEMS), np.arange(2520, dtype=np.int32)
    for row, target in enumerate(TARGETS):
        found = pairs.partners(np.full(len(draws), row), draws)
        others = [n for n in np.flatnonzero(target == TARGETS) if n != row]
        rows, counts = np.unique(found, return_counts=True)
        assert rows.tolist() == (others or [row])
        assert counts.max() - counts.min() <= 1


def stream(with_partners=True, seed=0, **which):
    pairs = SameTarget(ROWS, ITEMS) if with_partners else None
    examples = Examples(ROWS, [NextItem(only_last=True)], same_target=pairs)
    made = Stream(ITEMS, examples, batch_size=8, num_steps=40, seed=seed)
    return made, list(made.batches(**which).as_numpy_iterator())


def test_a_stream_adds_partners_and_changes_nothing_else():
    made, batches = stream()
    spans = left_padded(ITEMS, *ROWS.bounds(np.arange(len(ROWS))), L + 1)
    for step, (batch, plain) in enumerate(zip(batches, stream(False)[1], strict=True)):
        np.testing.assert_array_equal(
            batch["partner_ids"][:, -1], batch["labels"][:, -1]
        )
        for row, partner in zip(
            made.rows_of_step(step), batch["partner_ids"], strict=True
        ):
            same = np.flatnonzero(TARGETS[row] == TARGETS)
            others = same[same != row] if len(same) > 1 else same
            assert any((spans[n] == partner).all() for n in others)
        assert set(batch) - set(plain) == {"partner_ids"}
        for name, value in plain.items():
            np.testing.assert_array_equal(value, batch[name])


def test_partners_can_be_replayed_and_change_with_the_seed():
    whole = stream()[1]
    part = stream(first_step=11, part=(1, 2))[1]
    for batch, of_worker in zip(whole[11:], part, strict=True):
        np.testing.assert_array_equal(
            of_worker["partner_ids"], batch["partner_ids"][4:]
        )
    other = stream(seed=1)[1]
    assert (whole[0]["partner_ids"] != other[0]["partner_ids"]).any()


def test_a_seed_decides_a_draw():
    pairs = SameTarget(ROWS, ITEMS)
    seeds = [tf.constant([1, n], tf.int64) for n in (2, 2, 3)]
    one, same, other = (int(pairs.draw(seed)) for seed in seeds)
    assert one == same != other
