"""The histories of a prepared dataset: memory-mapped arrays and their splits."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.atomic_files import read_json
from emkd_tf.data.splits import Split, leave_one_out
from emkd_tf.errors import InputError
from emkd_tf.special_ids import PAD_ID

WHOLE = "whole"
_COUNTED_AT_ONCE = 3_000_000  # counting makes three copies in 64 bits


@dataclasses.dataclass(frozen=True)
class Histories:
    """Every user's items in time order, and which of them are held out.

    Attributes:
        items: [actions] int32 item ids, grouped by user.
        offsets: [users + 1] int64; user u has items[offsets[u] : offsets[u + 1]].
        attribute_offsets, attribute_values: the items' attributes as compressed rows.
        split: where training parts end, and the targets of "validation" and "test".
        description: the content of `dataset.json`.
        folder: where the arrays and the texts of the ids are.
        known: by split, a version of `items` in which what the split sees before its
            targets is in a different order, if it is; likewise WHOLE histories.
    """

    items: np.ndarray
    offsets: np.ndarray
    attribute_offsets: np.ndarray
    attribute_values: np.ndarray
    split: Split
    description: dict[str, Any]
    folder: Path
    known: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Histories:
        """Opens a prepared folder by memory map.

        Raises:
            InputError: a file of the folder is missing or damaged.
        """
        names = ("items", "offsets", "attribute_offsets", "attribute_values")
        try:
            arrays: dict[str, Any] = {n: _load(folder / f"{n}.npy") for n in names}
            description = read_json(folder / "dataset.json")
            if "split" in description:
                split = Split.from_array(_load(folder / "split.npy"))
            else:
                split = leave_one_out(arrays["offsets"])
            histories = cls(
                **arrays, split=split, description=description, folder=folder
            )
            histories._check_sizes()
            histories._check_numbers()
        except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
            raise _damaged(folder, error) from None
        return histories

    def _check_sizes(self) -> None:
        found = {
            "users": self.num_users,
            "items": self.num_items,
            "actions": len(self.items),
        }
        ends = (self.offsets[-1], self.attribute_offsets[-1])
        if (
            found != {key: self.description[key] for key in found}
            or ends != (len(self.items), len(self.attribute_values))
            or {self.items.dtype, self.attribute_values.dtype} != {np.dtype(np.int32)}
            or len(self.split.training_ends) != self.num_users
        ):
            raise ValueError("its files do not fit together")

    def _check_numbers(self) -> None:
        """Damaged numbers would otherwise index outside an array."""
        for name, values, low, high in (
            ("items", self.items, 1, self.num_items),
            ("attribute_values", self.attribute_values, 0, self.num_attributes - 1),
        ):
            if values.size and not low <= values.min() <= values.max() <= high:
                raise ValueError(f"{name}.npy has numbers outside {low} to {high}")
        for name, offsets, least in (
            ("offsets", self.offsets, 1),
            ("attribute_offsets", self.attribute_offsets, 0),
        ):
            if offsets[0] != 0 or (np.diff(offsets) < least).any():
                raise ValueError(f"{name}.npy has bounds in no order")
        if not self.split.fits(self.offsets):
            raise ValueError("its split does not fit its histories")

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_items(self) -> int:
        return len(self.attribute_offsets) - 1

    @property
    def num_attributes(self) -> int:
        return self.description["attributes"]

    @property
    def fingerprint(self) -> str:
        return self.description["fingerprint"]

    def item_ids(self) -> list[str]:
        """Returns the raw ids of items 1..V."""
        return self._lines("item_ids.txt", self.num_items)

    def user_ids(self) -> list[str]:
        """Returns the raw ids of users 0, 1, ..."""
        return self._lines("user_ids.txt", self.num_users)

    def user_id_pieces(self, count: int) -> Iterator[list[str]]:
        """Yields the raw ids of users 0, 1, ..., `count` at a time."""
        path, left = self.folder / "user_ids.txt", self.num_users
        try:
            with path.open(encoding="utf-8", newline="\n") as lines:
                while piece := [i.rstrip("\n") for i in itertools.islice(lines, count)]:
                    left -= len(piece)
                    yield piece
        except (OSError, ValueError) as error:
            raise _damaged(self.folder, error) from None
        if left:
            raise _damaged(self.folder, f"user_ids.txt lacks {left} lines")

    def _lines(self, name: str, count: int) -> list[str]:
        try:
            text = (self.folder / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise _damaged(self.folder, error) from None
        lines = text.split("\n")[:-1]
        if len(lines) != count:
            raise _damaged(self.folder, f"{name} has {len(lines)} lines of {count}")
        return lines

    def training_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the starts and ends [users] int64 of the training parts."""
        return self.offsets[:-1], self.split.training_ends

    def evaluated(self, split: str) -> np.ndarray:
        """Returns [n] int64, the users with a target in "validation" or "test"; with
        leave-one-out, all users."""
        return self.split.users(split)

    def targets(self, split: str) -> np.ndarray:
        """Returns the held-out item of each evaluated user: [n] int32."""
        return self.items[self.split.targets[split][self.evaluated(split)]]

    def known_lengths(self, split: str) -> np.ndarray:
        """Returns how many actions precede each evaluated user's target: [n] int64."""
        users = self.evaluated(split)
        return self.split.targets[split][users] - self.offsets[users]

    def before_target(
        self, split: str, users: np.ndarray, length: int | None = None
    ) -> np.ndarray:
        """Returns what a split sees of the given users.

        Args:
            split: "validation" or "test".
            users: [n] numbers of users that it evaluates.
            length: how many of the newest items to keep; None keeps the longest history
                of `users`.

        Returns:
            [n, length] int32, left-padded with PAD_ID.
        """
        ends = self.split.targets[split][users]
        starts = self.offsets[users]
        if length is None:
            length = int((ends - starts).max())
        return left_padded(self.known.get(split, self.items), starts, ends, length)

    @property
    def whole(self) -> np.ndarray:
        """[actions] int32: `items` as models see them if nothing is held out."""
        return self.known.get(WHOLE, self.items)

    def training_item_counts(self) -> np.ndarray:
        """Returns [V] int64: how often each item 1..V is in the training parts."""
        size = self.num_items + 1
        counts = np.zeros(size, np.int64)
        for users in self.user_pieces(_COUNTED_AT_ONCE):
            bounds = self.offsets[users[0] : users[-1] + 2]
            places = np.arange(bounds[0], bounds[-1])
            ends = np.repeat(self.split.training_ends[users], np.diff(bounds))
            part = self.items[bounds[0] : bounds[-1]][places < ends]
            counts += np.bincount(part, minlength=size)
        return counts[1:]

    def user_pieces(self, actions: int) -> list[np.ndarray]:
        """Returns all users in consecutive pieces of about `actions` actions each."""
        firsts = np.flatnonzero(np.diff(self.offsets[:-1] // actions)) + 1
        return np.split(np.arange(self.num_users), firsts)


def places_between(
    starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Enumerates the places of ranges start:end, one range after another.

    Returns:
        The number of each place's range, [places] int64; the places, [places] int64.
    """
    lengths = ends - starts
    numbers = np.repeat(np.arange(len(lengths)), lengths)
    before = np.cumsum(lengths) - lengths  # places of all earlier ranges
    return numbers, np.arange(len(numbers)) + (starts - before)[numbers]


def left_padded(
    items: np.ndarray, starts: np.ndarray, ends: np.ndarray, length: int
) -> np.ndarray:
    """Cuts the last `length` items of items[start:end] for each pair of bounds.

    Returns:
        [n, length] int32, left-padded with PAD_ID.
    """
    at = ends[:, np.newaxis] + np.arange(-length, 0)
    is_item = at >= starts[:, np.newaxis]
    return np.where(is_item, items[np.where(is_item, at, 0)], PAD_ID).astype(np.int32)


def _load(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _damaged(folder: Path, reason: object) -> InputError:
    return InputError(
        f"Prepared dataset {folder} is damaged ({reason}); delete it and run again."
    )
