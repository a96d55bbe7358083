"""Histories against plain slices of lists."""

import collections
import shutil

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data import histories as module
from emkd_tf.data.histories import Histories, left_padded, places_between
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError


@pytest.fixture
def histories(tiny_settings, tmp_path):
    attributes = tmp_path / "attributes.csv"
    attributes.write_text("item,attribute\nitem 1,red\nitem 1,round\nitem 2,red\n")
    settings = {**tiny_settings, "attributes": str(attributes)}
    return prepare(from_flat(settings).data)


def lists_of(histories):
    bounds = zip(histories.offsets, histories.offsets[1:], strict=False)
    return [histories.items[a:b].tolist() for a, b in bounds]


def test_left_padded_cuts_and_pads():
    items = np.arange(1, 10)
    rows = left_padded(items, np.array([0, 2, 5]), np.array([5, 4, 5]), 3)
    assert rows.tolist() == [[3, 4, 5], [0, 3, 4], [0, 0, 0]]


def test_places_between_bounds_are_those_of_ranges():
    starts, ends = np.array([2, 7, 7, 9]), np.array([5, 7, 9, 10])
    numbers, places = places_between(starts, ends)
    pairs = enumerate(zip(starts, ends, strict=True))
    expected = [(n, place) for n, (a, b) in pairs for place in range(a, b)]
    assert list(zip(numbers, places, strict=True)) == expected


@pytest.mark.parametrize(("split", "held_out"), [("validation", 2), ("test", 1)])
def test_a_split_sees_what_lies_before_its_target(histories, split, held_out):
    users = np.arange(histories.num_users)[::-1]
    rows = histories.before_target(split, users)
    targets = histories.targets(split)
    short = histories.before_target(split, users, length=2)
    for user, row, newest in zip(users, rows, short, strict=True):
        items = lists_of(histories)[user]
        assert [i for i in row if i] == items[:-held_out]
        assert targets[user] == items[-held_out]
        assert [i for i in newest if i] == items[:-held_out][-2:]


def test_training_parts_and_counts_leave_out_both_targets(histories, monkeypatch):
    monkeypatch.setattr(module, "_COUNTED_AT_ONCE", 7)
    starts, ends = histories.training_bounds()
    counter = collections.Counter()
    for number, items in enumerate(lists_of(histories)):
        training = histories.items[starts[number] : ends[number]].tolist()
        assert training == items[:-2]
        counter.update(training)
    counts = histories.training_item_counts()
    assert counts.tolist() == [counter[i] for i in range(1, histories.num_items + 1)]


def test_a_damaged_folder_is_one_line(histories):
    items = histories.folder / "items.npy"
    whole = items.read_bytes()
    items.write_bytes(whole[:50])
    with pytest.raises(InputError, match="is damaged"):
        Histories.open(histories.folder)
    shutil.rmtree(histories.folder)
    with pytest.raises(InputError, match="is damaged"):
        Histories.open(histories.folder)


@pytest.mark.parametrize(
    ("name", "at", "value", "reason"),
    [
        ("items", -1, 10**6, "items.npy has numbers outside 1 to"),
        ("items", 0, 0, "items.npy has numbers outside 1 to"),
        ("attribute_values", 0, -1, "attribute_values.npy has numbers outside 0 to"),
        ("offsets", 0, 1, "offsets.npy has bounds in no order"),
        ("offsets", 1, 0, "offsets.npy has bounds in no order"),
        ("attribute_offsets", 1, 10**6, "attribute_offsets.npy has bounds in no"),
    ],
)
def test_wrong_numbers_in_a_whole_file_are_one_line(histories, name, at, value, reason):
    file = histories.folder / f"{name}.npy"
    values = np.load(file)
    values[at] = value
    file.unlink()  # the open histories keep the old one
    np.save(file, values)
    with pytest.raises(InputError, match=reason):
        Histories.open(histories.folder)
