"""The histories of a prepared dataset: memory-mapped arrays and their splits."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.errors import InputError
from emkd_tf.files import read_json
from emkd_tf.special_ids import PAD_ID

# Actions at the end of a history that a split does not see; the first of them is its
# target.
HELD_OUT = {"validation": 2, "test": 1}
_COUNTED_AT_ONCE = 10_000_000  # counting makes a copy in 64 bits


@dataclasses.dataclass(frozen=True)
class Histories:
    """Every user's items in time order, left open at the end by leave-one-out.

    Attributes:
        items: [actions] int32 item ids, user after user.
        offsets: [users + 1] int64; user u has items[offsets[u] : offsets[u + 1]].
        attribute_offsets, attribute_values: the items' attributes as compressed rows.
        description: the content of `dataset.json`.
        folder: where the arrays and the ids' texts are.
    """

    items: np.ndarray
    offsets: np.ndarray
    attribute_offsets: np.ndarray
    attribute_values: np.ndarray
    description: dict[str, Any]
    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Histories:
        """Opens a prepared folder by memory map.

        Raises:
            InputError: a file of the folder is missing or damaged.
        """
        names = ("items", "offsets", "attribute_offsets", "attribute_values")
        try:
            arrays = [
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in names
            ]
            histories = cls(*arrays, read_json(folder / "dataset.json"), folder)
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
        ):
            raise ValueError("its files do not fit together")

    def _check_numbers(self) -> None:
        """What is damaged inside a file would otherwise index out of an array."""
        for name, values, low, high in (
            ("items", self.items, 1, self.num_items),
            ("attribute_values", self.attribute_values, 0, self.num_attributes - 1),
        ):
            if values.size and not low <= values.min() <= values.max() <= high:
                raise ValueError(f"{name}.npy has numbers outside {low} to {high}")
        for name, offsets, least in (
            ("offsets", self.offsets, max(HELD_OUT.values())),
            ("attribute_offsets", self.attribute_offsets, 0),
        ):
            if offsets[0] != 0 or (np.diff(offsets) < least).any():
                raise ValueError(f"{name}.npy has bounds in no order")

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
        """Returns starts and ends [users] int64 of the training part of each
        history."""
        return self.offsets[:-1], self.offsets[1:] - HELD_OUT["validation"]

    def targets(self, split: str) -> np.ndarray:
        """Returns the held-out item of each user: [users] int32."""
        return self.items[self.offsets[1:] - HELD_OUT[split]]

    def before_target(
        self, split: str, users: np.ndarray, length: int | None = None
    ) -> np.ndarray:
        """Returns what a split sees of the given users.

        Args:
            split: "validation" or "test".
            users: [n] user numbers.
            length: items kept, the newest; None keeps the longest history of `users`.

        Returns:
            [n, length] int32, left-padded with PAD_ID.
        """
        ends = self.offsets[users + 1] - HELD_OUT[split]
        starts = self.offsets[users]
        if length is None:
            length = int((ends - starts).max())
        return left_padded(self.items, starts, ends, length)

    def training_item_counts(self) -> np.ndarray:
        """Returns [V] int64: how often each item 1..V is in a training part."""
        held_out = np.concatenate([self.targets(split) for split in HELD_OUT])
        size = self.num_items + 1
        counts = np.zeros(size, np.int64)
        for first in range(0, len(self.items), _COUNTED_AT_ONCE):
            part = self.items[first : first + _COUNTED_AT_ONCE]
            counts += np.bincount(part, minlength=size)
        return (counts - np.bincount(held_out, minlength=size))[1:]


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


def _damaged(folder: Path, reason: object) -> InputError:
    return InputError(
        f"Prepared dataset {folder} is damaged ({reason}); delete it and run again."
    )
