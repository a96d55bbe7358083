"""Shuffled histories against the sets and the targets of the ordered ones."""

import dataclasses

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.data.shuffled import _shuffled, in_random_order
from emkd_tf.data.splits import make_split


@pytest.fixture
def ordered():
    return prepare(from_flat({"dataset": "sample"}).data)


def parts(histories):
    bounds = zip(*histories.training_bounds(), strict=True)
    return [histories.items[start:end].tolist() for start, end in bounds]


def test_training_parts_have_the_same_items_in_another_order(ordered):
    before, after = parts(ordered), parts(in_random_order(ordered))
    assert [sorted(part) for part in after] == [sorted(part) for part in before]
    moved = [a != b for a, b in zip(after, before, strict=True) if len(set(b)) > 3]
    assert np.mean(moved) > 0.8


@pytest.mark.parametrize("split", ["validation", "test"])
def test_splits_have_the_same_targets_behind_the_same_items(ordered, split):
    shuffled = in_random_order(ordered)
    users = ordered.evaluated(split)
    assert (shuffled.targets(split) == ordered.targets(split)).all()
    seen = [h.before_target(split, users) for h in (ordered, shuffled)]
    assert (np.sort(seen[0]) == np.sort(seen[1])).all()
    assert ((seen[0] == 0) == (seen[1] == 0)).all()


def test_the_newest_item_before_the_test_is_at_any_place(ordered):
    """Else the test would know more of the order than the training."""
    users = ordered.evaluated("test")
    newest = ordered.before_target("test", users)[:, -1]
    shuffled = in_random_order(ordered).before_target("test", users)
    share = (shuffled[:, -1] == newest).mean()
    lengths = (shuffled != 0).sum(axis=1)
    assert share == pytest.approx((1 / lengths).mean(), abs=0.03)


def test_every_order_is_equally_likely():
    rng = np.random.default_rng(0)
    items = np.tile([1, 2, 3], 6000).astype(np.int32)
    starts = np.arange(0, len(items), 3)
    rows = _shuffled(items, starts, starts + 3, rng).reshape(-1, 3)
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert counts == pytest.approx(np.full(6, 1000), rel=0.12)


def test_the_order_is_the_same_in_every_run(ordered):
    first, second = in_random_order(ordered), in_random_order(ordered)
    assert (first.items == second.items).all()
    config = from_flat({"dataset": "sample", "history_order": "random"})
    assert (prepare(config.data).items == first.items).all()


def test_whole_histories_are_shuffled_to_their_end(ordered):
    """Else the newest items of a list's history would be in order of time."""
    assert ordered.whole is ordered.items
    whole = in_random_order(ordered).whole
    bounds = ordered.offsets[1:-1]
    before, after = (np.split(items, bounds) for items in (ordered.items, whole))
    assert [sorted(part) for part in after] == [sorted(part) for part in before]
    is_last = np.mean([a[-1] == b[-1] for a, b in zip(after, before, strict=True)])
    shares = [np.mean(part == part[-1]) for part in before]
    assert is_last == pytest.approx(np.mean(shares), abs=0.03)


@pytest.mark.parametrize("name", ["global_time", "user"])
def test_other_splits_keep_their_targets(ordered, name):
    before = None
    if name == "global_time":
        lengths = np.diff(ordered.offsets)
        before = np.stack([lengths * 6 // 10, lengths * 8 // 10])
    split, _ = make_split(name, 0.1, ordered.offsets, before)
    of_split = dataclasses.replace(ordered, split=split)
    shuffled = in_random_order(of_split)
    assert [sorted(p) for p in parts(shuffled)] == [sorted(p) for p in parts(of_split)]
    for part in ("validation", "test"):
        users = of_split.evaluated(part)
        assert (shuffled.targets(part) == of_split.targets(part)).all()
        seen = [h.before_target(part, users) for h in (of_split, shuffled)]
        assert (np.sort(seen[0]) == np.sort(seen[1])).all()
