"""The run directory on its own; test_cli.py has it after real runs."""

import re

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.files import read_json
from emkd_tf.training import run_dir


def test_names():
    config = from_flat({"dataset": "toys", "seed": 3})
    assert re.fullmatch(r"toys-\d{8}-\d{6}-seed3", run_dir.default_name(config))
    assert run_dir.default_name(from_flat({"name": "mine"})) == "mine"


def test_what_is_written_can_be_read_and_is_not_written_over(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    path = run_dir.create(config, "mine", histories)
    assert run_dir.read_config(path) == config
    assert read_json(path / "dataset.json") == histories.description
    environment = read_json(path / "environment.json")
    assert environment["packages"]["tensorflow"]
    assert environment["cores"] >= 1
    with pytest.raises(InputError, match="exists already"):
        run_dir.create(config, "mine", histories)


def test_ranks_by_user(tiny_settings, tmp_path):
    histories = prepare(from_flat(tiny_settings).data)
    ranks = np.arange(1, histories.num_users + 1)
    path = tmp_path / "per_user.parquet"
    run_dir.write_ranks(path, histories, {"test": {"unseen": ranks}})
    table = pl.read_parquet(path)
    assert table.columns == ["user", "test_unseen"]
    assert table["user"].to_list() == histories.user_ids()
    assert table["test_unseen"].to_list() == ranks.tolist()


def test_no_run(tmp_path):
    with pytest.raises(InputError, match="is no run directory"):
        run_dir.read_config(tmp_path)
