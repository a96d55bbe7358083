"""The data that a run keeps; test_run_commands.py has it in real processes."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from emkd_tf.config import from_flat, to_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.training import run_data, run_dir


@pytest.fixture
def run(tiny_settings, tiny_log, tmp_path):
    """A run directory, its config and histories, with a log of its own."""
    log = tmp_path / "log.csv"
    shutil.copyfile(tiny_log, log)
    config = from_flat({**tiny_settings, "interactions": str(log)})
    histories = prepare(config.data)
    opened = run_dir.open_or_create(config, histories)
    opened.lock.release()
    return opened.path, config, histories


def test_the_run_holds_all_of_it_without_taking_room(run):
    path, _, histories = run
    kept = {file.name: file for file in (path / "data").iterdir()}
    assert set(kept) == {file.name for file in histories.folder.iterdir()}
    for name, file in kept.items():
        assert os.path.samefile(file, histories.folder / name)


def test_it_is_a_copy_where_there_are_no_links(run, monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    _, _, histories = run
    run_data.keep(histories, tmp_path)
    for file in histories.folder.iterdir():
        copy = tmp_path / "data" / file.name
        assert copy.read_bytes() == file.read_bytes()
        assert not os.path.samefile(copy, file)


@pytest.mark.parametrize(
    ("settings", "is_said"),
    [
        ({"max_length": 3}, True),
        ({"max_length": 3, "rows": "whole"}, False),
        ({"max_length": 3, "rows": "prefix"}, False),
        ({"max_length": 1000}, False),
        ({"max_length": 3, "model": "emkd", "task": "next_item"}, True),
        ({"max_length": 3, "model": "emkd"}, False),
        ({"max_length": 3, "model": "duorec"}, False),
    ],
)
def test_what_is_not_trained_on_is_said(run, settings, is_said):
    _, config, histories = run
    config = from_flat({**to_flat(config), "model": "sasrec", **settings})
    said = run_data.unused(config, histories)
    if not is_said:
        assert said is None
        return
    every = newest = 0
    for start, end in zip(*histories.training_bounds(), strict=True):
        every += max(end - start - 1, 0)
        newest += min(max(end - start - 1, 0), 3)
    assert (
        f" {1 - newest / every:.0%} of the actions are older than the newest 3 " in said
    )


def found(run):
    path, config, histories = run
    data = run_data.find(path, config)
    np.testing.assert_array_equal(data.items, histories.items)
    assert data.item_ids()
    return data.folder


def test_found_by_content_in_the_run_the_cache_and_the_log(run):
    path, config, histories = run
    log = Path(config.data.interactions)
    hidden = log.rename(log.with_name("elsewhere.csv"))
    assert found(run) == path / "data"
    shutil.rmtree(path / "data")
    assert found(run) == histories.folder
    shutil.rmtree(config.data.cache_dir)
    with pytest.raises(InputError, match=r"do not hold the run's data, and: .*log.csv"):
        run_data.find(path, config)
    hidden.rename(log)
    assert found(run) == histories.folder


def test_found_in_the_order_that_it_was_trained_in(run):
    path, config, histories = run
    data = dataclasses.replace(config.data, history_order="random")
    random = prepare(data)
    assert (random.items != histories.items).any()
    found = run_data.find(path, dataclasses.replace(config, data=data))
    np.testing.assert_array_equal(found.items, random.items)
    users = random.evaluated("test")
    np.testing.assert_array_equal(
        found.before_target("test", users), random.before_target("test", users)
    )


def test_another_log_under_the_same_name_is_refused(run):
    path, config, _ = run
    shutil.rmtree(path / "data")
    shutil.rmtree(config.data.cache_dir)
    log = Path(config.data.interactions)
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:-1]))
    with pytest.raises(InputError, match="was trained on `tiny`"):
        run_data.find(path, config)
