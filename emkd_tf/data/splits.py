"""Decides who is evaluated, on which action, and where training parts end."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from emkd_tf.errors import InputError

# Leave-one-out holds out this many actions at the end of a history; the first of them
# is the target.
HELD_OUT = {"validation": 2, "test": 1}
NO_TARGET = -1


@dataclasses.dataclass(frozen=True)
class Split:
    """Places in the flat array of items, for every user.

    Attributes:
        training_ends: [users] int64, the end of each history's training part; its start
            if there is none.
        targets: by "validation" and "test", [users] int64 places of the targets,
            NO_TARGET if the user is not evaluated.
    """

    training_ends: np.ndarray
    targets: dict[str, np.ndarray]

    def users(self, name: str) -> np.ndarray:
        """Returns [n] int64, the users that are evaluated in "validation" or "test"."""
        return np.flatnonzero(self.targets[name] != NO_TARGET)

    def to_array(self) -> np.ndarray:
        """Returns the whole split as [3, users] int64."""
        return np.stack([self.training_ends, *self.targets.values()])

    @classmethod
    def from_array(cls, array: np.ndarray) -> Split:
        training_ends, *targets = array
        return cls(training_ends, dict(zip(HELD_OUT, targets, strict=True)))

    def fits(self, offsets: np.ndarray) -> bool:
        """Returns whether all places lie in the histories of `offsets`, with at least
        one action of the user before each target."""
        starts, ends = offsets[:-1], offsets[1:]
        is_inside = (self.training_ends >= starts) & (self.training_ends <= ends)
        for places in self.targets.values():
            is_inside &= (places == NO_TARGET) | ((places > starts) & (places < ends))
        return bool(is_inside.all())


def leave_one_out(offsets: np.ndarray) -> Split:
    """The test target is a user's last action, the validation target the one before."""
    places = {name: offsets[1:] - count for name, count in HELD_OUT.items()}
    return Split(places["validation"], places)


def global_time(before: np.ndarray, offsets: np.ndarray) -> Split:
    """Cuts all histories at two times. Training sees what lies before the first cut; a
    user's first action between the cuts is the validation target, the first action
    after both the test target. Users without a target, or with nothing before it, are
    not evaluated.

    Args:
        before: [2, users] int64, see `before_cuts`.
        offsets: [users + 1] int64 bounds of the users.

    Source: Meng et al. 2020 (temporal global split). Departure: one target per user and
    part, as with leave-one-out.
    """
    starts, ends = offsets[:-1], offsets[1:]
    middle, last = starts + before
    targets = {
        "validation": np.where((middle > starts) & (middle < last), middle, NO_TARGET),
        "test": np.where((last > starts) & (last < ends), last, NO_TARGET),
    }
    return Split(middle, targets)


def before_cuts(times: np.ndarray, offsets: np.ndarray, share: float) -> np.ndarray:
    """Counts each user's actions before the two cuts of `global_time`.

    Args:
        times: [actions], grouped by user.
        offsets: [users + 1] int64 bounds of the users.
        share: of the actions between the cuts, and of those after both; an action at
            the time of a cut comes after it.

    Returns:
        [2, users] int64.
    """
    places = places_of_cuts(len(times), share)
    cuts = np.partition(times, places)[places]
    starts = offsets[:-1]
    return np.stack([np.add.reduceat(times < c, starts, dtype=np.int64) for c in cuts])


def places_of_cuts(actions: int, share: float) -> list[int]:
    """Returns the places of the two cuts among all sorted times."""
    behind = [round(parts * share * actions) for parts in (2, 1)]
    return [min(actions - count, actions - 1) for count in behind]


def by_user(offsets: np.ndarray, share: float) -> Split:
    """Holds out a share of the users for validation, and another for test. Their last
    action is the target, and none of their actions is trained on.

    Args:
        offsets: [users + 1] int64 bounds of the users.
        share: of the users, for validation and test each.

    Source: Liang et al. 2018 (strong generalization). Departure: the last action is the
    target, not a fifth of the actions.
    """
    starts, ends = offsets[:-1], offsets[1:]
    count = max(1, round(share * len(starts)))
    # The same users in every run.
    order = np.random.default_rng(0).permutation(len(starts))
    training_ends = ends.copy()
    targets = {}
    for place, name in enumerate(HELD_OUT):
        users = order[place * count : (place + 1) * count]
        training_ends[users] = starts[users]
        targets[name] = np.full(len(starts), NO_TARGET)
        targets[name][users] = ends[users] - 1
    return Split(training_ends, targets)


def make_split(
    name: str, share: float, offsets: np.ndarray, before: np.ndarray | None
) -> tuple[Split, dict[str, Any]]:
    """Splits histories by a rule other than leave-one-out.

    Args:
        name: "global_time" or "user".
        share: of the actions or users, for validation and test each.
        offsets: [users + 1] int64 bounds of the users.
        before: [2, users] int64, see `before_cuts`; None for "user".

    Returns:
        The split, and its summary for `dataset.json`.

    Raises:
        InputError: the split leaves nothing to train on, or nobody to evaluate.
    """
    split = by_user(offsets, share) if before is None else global_time(before, offsets)
    counts = {part: len(split.users(part)) for part in HELD_OUT}
    trained = split.training_ends - offsets[:-1]
    if (trained < 2).all() or 0 in counts.values():
        raise InputError(
            f"`split` {name} with a `test_share` of {share} leaves nothing to train "
            "on, or no user to validate or test on; choose another --test-share or "
            "--split."
        )
    summary = {
        "name": name,
        "test_share": share,
        "users": counts,
        "training_actions": int(trained.sum()),
    }
    if before is not None:
        summary["early_last_actions"] = float((before[0] == np.diff(offsets)).mean())
    return split, summary


def split_lines(summary: dict[str, Any] | None) -> list[str]:
    """Describes a split from its summary in `dataset.json`, None for leave-one-out."""
    if summary is None:
        return []
    trained_on, counts = summary["training_actions"], summary["users"]
    lines = [
        f"Split: {summary['name']}, {trained_on:,} actions to train on, "
        f"{counts['validation']:,} users to validate and {counts['test']:,} to test on"
    ]
    if "early_last_actions" in summary:
        lines.append(
            f"leave_one_out would have {100 * summary['early_last_actions']:.1f} % of "
            "its test targets before the end of this training part, and train on what "
            "came after them."
        )
    return lines
