"""Splits against one user, and one action, at a time."""

import collections

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.histories import Histories
from emkd_tf.data.own_files import read_lines
from emkd_tf.data.prepare import prepare
from emkd_tf.data.splits import (
    NO_TARGET,
    before_cuts,
    by_user,
    global_time,
    leave_one_out,
    make_split,
)
from emkd_tf.errors import InputError

SHARE = 0.15


@pytest.fixture
def log():
    """Rows user, item, time, with many ties in time."""
    rng = np.random.default_rng(3)
    return [
        (f"u{user}", f"i{rng.integers(30)}", int(first + time))
        for user, first in enumerate(rng.integers(60, size=50))
        for time in np.cumsum(rng.integers(0, 9, size=rng.integers(4, 12)))
    ]


@pytest.fixture
def make(log, tmp_path, cache):
    path = tmp_path / "log.csv"
    pl.DataFrame(log, schema=["user", "item", "time"], orient="row").write_csv(path)

    def prepared(split, **more):
        settings = {"test_share": SHARE, "user_core": 3, "item_core": 1, **more}
        return prepare(
            DataConfig(interactions=str(path), cache_dir=cache, split=split, **settings)
        )

    return prepared


def by_hand(log, cuts):
    """By user what is trained on, and what comes before each target and the target."""
    histories = collections.defaultdict(list)
    for user, item, time in dict.fromkeys(log):  # equal rows are one action
        histories[user].append((time, item))
    found = {}
    for user, actions in histories.items():
        actions.sort(key=lambda action: action[0])  # stable: the file's order on ties
        times, items = zip(*actions, strict=True)
        of_user = {"training": [i for t, i in actions if t < cuts[0]]}
        for name, low, high in (
            ("validation", cuts[0], cuts[1]),
            ("test", cuts[1], np.inf),
        ):
            behind = [place for place, t in enumerate(times) if low <= t < high]
            first = behind[0] if behind else 0  # with nothing before it: no target
            of_user[name] = (items[:first], items[first]) if first else None
        found[user] = of_user
    return found


def test_global_time_equals_one_action_at_a_time(make, log):
    histories = make("global_time")
    times = sorted(time for _, _, time in dict.fromkeys(log))
    cuts = [times[len(times) - round(k * SHARE * len(times))] for k in (2, 1)]
    expected = by_hand(log, cuts)
    names, users = histories.item_ids(), histories.user_ids()
    starts, ends = histories.training_bounds()
    counter = collections.Counter()
    for user, start, end in zip(users, starts, ends, strict=True):
        items = [names[i - 1] for i in histories.items[start:end]]
        assert items == expected[user]["training"]
        counter.update(items)
    assert histories.training_item_counts().tolist() == [counter[n] for n in names]
    for split in ("validation", "test"):
        known = {user: e[split] for user, e in expected.items() if e[split]}
        evaluated = histories.evaluated(split)
        assert [users[u] for u in evaluated] == [u for u in users if u in known]
        assert 0 < len(evaluated) < len(users)
        rows = histories.before_target(split, evaluated)
        targets = histories.targets(split)
        lengths = histories.known_lengths(split)
        for user, row, target, length in zip(
            evaluated, rows, targets, lengths, strict=True
        ):
            before = tuple(names[i - 1] for i in row if i)
            assert (before, names[target - 1]) == known[users[user]]
            assert length == len(before)


def test_global_time_says_how_far_leave_one_out_looks_ahead(make, log):
    histories = make("global_time")
    times = sorted(time for _, _, time in dict.fromkeys(log))
    cut = times[len(times) - round(2 * SHARE * len(times))]
    last = collections.defaultdict(int)
    for user, _, time in log:
        last[user] = max(last[user], time)
    share = np.mean([time < cut for time in last.values()])
    assert 0 < share < 1
    told = histories.description["split"]
    assert told["early_last_actions"] == pytest.approx(share)
    first, second = read_lines(histories.description)[-2:]
    assert first.startswith(f"Split: global_time, {told['training_actions']:,} actions")
    assert f"{100 * share:.1f} % of its test targets" in second


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3])
def test_the_cuts_leave_about_the_share_behind(share):
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 1001, 10)
    times = np.sort(rng.random((100, 10)), axis=1).ravel()
    split = global_time(before_cuts(times, offsets, share), offsets)
    trained = (split.training_ends - offsets[:-1]).sum()
    assert trained == round((1 - 2 * share) * 1000)
    ends = np.where(split.targets["test"] == NO_TARGET, offsets[1:], 0)
    ends = np.maximum(ends, split.targets["test"])
    behind = (offsets[1:] - ends).sum()  # of users who did something before
    assert behind == pytest.approx(share * 1000, abs=30)


def test_by_user_holds_out_whole_users(make):
    histories = make("user")
    starts, ends = histories.training_bounds()
    held_out = {split: histories.evaluated(split) for split in ("validation", "test")}
    count = round(SHARE * histories.num_users)
    assert [len(users) for users in held_out.values()] == [count, count]
    users = np.concatenate(list(held_out.values()))
    assert len(set(users.tolist())) == 2 * count
    is_trained = np.ones(histories.num_users, bool)
    is_trained[users] = False
    np.testing.assert_array_equal(ends == starts, ~is_trained)
    np.testing.assert_array_equal(ends[is_trained], histories.offsets[1:][is_trained])
    for split, of_split in held_out.items():
        last = histories.items[histories.offsets[of_split + 1] - 1]
        np.testing.assert_array_equal(histories.targets(split), last)
        np.testing.assert_array_equal(
            histories.known_lengths(split), np.diff(histories.offsets)[of_split] - 1
        )
    again = by_user(histories.offsets, SHARE)
    np.testing.assert_array_equal(again.to_array(), histories.split.to_array())


def test_leave_one_out_is_prepared_as_if_there_were_no_other(make):
    histories = make("leave_one_out")
    assert "split" not in histories.description
    assert not (histories.folder / "split.npy").exists()
    np.testing.assert_array_equal(
        histories.split.to_array(), leave_one_out(histories.offsets).to_array()
    )
    for split, count in (("validation", 2), ("test", 1)):
        assert histories.evaluated(split).tolist() == list(range(histories.num_users))
        np.testing.assert_array_equal(
            histories.split.targets[split], histories.offsets[1:] - count
        )


def test_a_log_without_times_has_no_global_time(tmp_path, cache):
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "".join(f"u{n % 5},i{n % 6}\n" for n in range(60)))
    config = DataConfig(interactions=str(path), cache_dir=cache, split="global_time")
    with pytest.raises(InputError, match="needs times, but `sample` has none") as one:
        prepare(config)
    assert "\n" not in str(one.value)


def test_a_split_that_leaves_nobody_is_one_line():
    offsets, times = np.array([0, 4, 8]), np.zeros(8)
    before = before_cuts(times, offsets, SHARE)
    with pytest.raises(InputError, match="leaves nothing to train on") as caught:
        make_split("global_time", SHARE, offsets, before)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no user to validate or test on"):
        make_split("user", SHARE, offsets[:2], None)


@pytest.mark.parametrize("split", ["global_time", "user"])
def test_a_damaged_split_is_one_line(make, split):
    folder = make(split).folder
    file = folder / "split.npy"
    values = np.load(file)
    values[1, 0] = 10**6
    file.unlink()
    np.save(file, values)
    with pytest.raises(InputError, match="its split does not fit its histories"):
        Histories.open(folder)
    np.save(file, values[:, 1:])
    with pytest.raises(InputError, match="is damaged"):
        Histories.open(folder)
