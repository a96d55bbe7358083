"""Files that are one table, by their columns."""

from pathlib import Path

import polars as pl

from emkd_tf.data.schemas import common_schema, lacking, like

FILES = [Path("a"), Path("b"), Path("c")]
SCHEMAS = [
    pl.Schema({"x": pl.Int8, "y": pl.String}),
    pl.Schema({"x": pl.Int64}),
    pl.Schema({"z": pl.Float64, "x": pl.Int16}),
]


def test_columns_come_in_order_in_the_widest_type():
    found = common_schema(FILES, SCHEMAS)
    assert list(found.items()) == [
        *(("x", pl.Int64()), ("y", pl.String()), ("z", pl.Float64()))
    ]


def test_who_lacks_a_column_first():
    assert lacking(FILES, SCHEMAS) == {"y": Path("b"), "z": Path("a")}


def test_rows_get_the_columns_of_all():
    frame = pl.LazyFrame({"x": [1, 2]}, schema={"x": pl.Int8})
    found = like(frame, common_schema(FILES, SCHEMAS)).collect()
    assert found.schema == common_schema(FILES, SCHEMAS)
    assert found.rows() == [(1, None, None), (2, None, None)]
