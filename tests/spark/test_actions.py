"""The actions of a log, read by executors."""

import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.interactions import read_interactions
from emkd_tf.spark.actions import read_actions
from emkd_tf.spark.pieces import scan_in_pieces, text_pieces

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("has_time", [True, False])
def test_places_grow_in_the_order_of_the_file(spark, tmp_path, monkeypatch, has_time):
    monkeypatch.setattr(text_pieces, "__defaults__", (100,))
    rows = [(f"u{n % 3}", "" if n % 7 == 3 else f"i{n}", 50.5 - n) for n in range(60)]
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    path = tmp_path / "log.csv"
    frame.select("user", "item", *(["time"] if has_time else [])).write_csv(path)
    config = DataConfig(interactions=str(path))
    log = read_interactions(config, lambda *found: scan_in_pieces(spark, *found))
    assert len(log.table.pieces) > 3
    assert log.dropped == read_interactions(config).dropped
    found = sorted(read_actions(spark, log).collect(), key=lambda row: row["place"])
    kept = [row for row in rows if row[1]]
    assert [(r["user"], r["item"]) for r in found] == [row[:2] for row in kept]
    times = [row["time"] for row in found]
    places = [row["place"] for row in found]
    assert times == ([row[2] for row in kept] if has_time else places)
    assert len(set(places)) == len(kept)
