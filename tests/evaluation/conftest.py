"""Histories in which items repeat."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare


@pytest.fixture
def histories(tmp_path, cache):
    """Of 70 users with 3 to 13 actions each on 25 items."""
    rng = np.random.default_rng(1)
    rows = [
        (f"u{user}", f"i{rng.integers(25)}", time)
        for user in range(70)
        for time in range(rng.integers(3, 14))
    ]
    log = tmp_path / "log.csv"
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(log)
    config = DataConfig(
        interactions=str(log), cache_dir=cache, user_core=3, item_core=1
    )
    return prepare(config)
