"""What is told of files of one's own."""

import dataclasses

import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.own_files import chosen_columns, read_lines, read_own


@pytest.fixture
def files(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,user_id,item_id,time\nx,u,1,1\nx,nan,2,2\n")
    items = tmp_path / "items.csv"
    items.write_text("sku,item_id,title,kind\n1,a,t,x\n2,b,u,y\n")
    return log, items


def test_the_log_and_the_attributes_have_item_columns_of_their_own(files):
    log, items = map(str, files)
    config = DataConfig(
        interactions=log,
        attributes=items,
        item_column="item_id",
        attribute_item_column="sku",
    )
    found = read_own(config)
    assert found.actions.collect().rows() == [("u", "1", 1)]
    assert found.attributes["item"].unique().sort().to_list() == ["1", "2"]
    assert found.dropped == {"no user": 1}


def test_everything_that_was_chosen_is_said(files):
    log, items = files
    config = DataConfig(
        interactions=str(log), attributes=str(items), attribute_columns="kind"
    )
    assert read_lines(read_own(config).description) == [
        "Columns: user = user_id, item = item_id, time = time",
        "Columns not used: user",
        f"First row dropped for no user: {log} line 3",
        "Attribute columns: item = item_id, fields = kind",
        "Left out of the attributes: sku (not among --attribute-columns)",
        "Left out of the attributes: title (not among --attribute-columns)",
    ]
    assert read_lines({}) == []
    config = dataclasses.replace(config, attribute_columns=" a,b c, ")
    assert chosen_columns(config) == ["a", "b c"]


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_times_that_floats_round_are_told(tmp_path, dtype):
    """Seconds of 2023 are multiples of 128 as 32-bit floats."""
    path = tmp_path / "log.parquet"
    times = pl.Series([1_700_000_030, 1_700_000_010]).cast(dtype)
    log = pl.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "time": times})
    log.write_parquet(path)
    read = read_own(DataConfig(interactions=str(path)))
    is_rounded = read.actions.collect()["time"].n_unique() == 1
    assert is_rounded == (dtype == pl.Float32)
    told = [line for line in read_lines(read.description) if "32-bit" in line]
    assert len(told) == is_rounded
    small = log.with_columns(time=pl.Series([1, 2]).cast(dtype))
    small.write_parquet(path)
    read = read_own(DataConfig(interactions=str(path)))
    assert "rounded_times" not in read.description
