"""What an engine writes and says."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.engine import in_process, nothing_left, write_split
from emkd_tf.data.sources import Interactions
from emkd_tf.errors import InputError


def test_this_process_writes_actions_by_user_and_time(tmp_path):
    rows = [("v", "b", 9), ("u", "a", 5), ("v", "c", 1), ("u", "b", 4), ("v", "b", 2)]
    frame = pl.LazyFrame([*rows, ("u", "c", 6)], ["user", "item", "time"], orient="row")
    content = Interactions(frame, pl.DataFrame(), {"no time": 3})
    config = DataConfig(user_core=0, item_core=0)
    written = in_process(config, lambda: content, tmp_path)
    assert (written.users, written.actions, written.repeats) == (2, 6, 1)
    assert written.item_ids.to_list() == ["c", "b", "a"]
    assert written.dropped["no time"] == 3
    assert (tmp_path / "item_ids.txt").read_text() == "c\nb\na\n"
    assert (tmp_path / "user_ids.txt").read_text() == "v\nu\n"
    assert np.load(tmp_path / "items.npy").tolist() == [1, 2, 2, 2, 3, 1]
    assert np.load(tmp_path / "offsets.npy").tolist() == [0, 3, 6]
    assert written.split is None
    assert not (tmp_path / "split.npy").exists()


def test_nobody_left_names_the_reasons():
    error = nothing_left(DataConfig(), {"no user": 1200, "k-core": 0}, {})
    assert "dropped rows were 1,200 (no user); correct what drops them" in str(error)
    dropped = {"k-core": 7}
    error = nothing_left(DataConfig(), dropped, {"item": "item"})
    assert "7 (k-core); lower --user-core or --item-core, or give" in str(error)
    error = nothing_left(DataConfig(), dropped, {"item": "Items"})
    assert "; if 'Items' holds several items as one text, write lists" in str(error)


def test_a_split_is_written_and_told(tmp_path):
    offsets = np.arange(0, 101, 5)
    told = write_split(DataConfig(split="user"), tmp_path, offsets, None)
    assert told["users"] == {"validation": 2, "test": 2}
    assert np.load(tmp_path / "split.npy").shape == (3, 20)
    with pytest.raises(InputError, match="leaves nothing"):
        write_split(DataConfig(split="user"), tmp_path, offsets[:2], None)
