"""Tables: their rows by name, their columns as text."""

import polars as pl
import pytest

from emkd_tf.data.table import ROW
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError


def test_rows_are_named_as_an_editor_counts_lines(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("\nuser,item\n\nu,i\nv,\n")
    table = scan_table(log)
    bad = table.first_bad(pl.col("user") == "v")
    assert table.place(bad[ROW]) == f"{log} line 5"
    assert table.first_bad(pl.col("user") == "w") is None
    pl.DataFrame({"user": ["u"]}).write_parquet(tmp_path / "log.parquet")
    assert scan_table(tmp_path / "log.parquet").place(0).endswith("log.parquet row 0")


def test_line_breaks_in_fields_count(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text('user,item,text\nu,i,"a\nb\r\n\nc"\nu,,"x"\nv,j,"\n"\nw,k,\n')
    table = scan_table(log)
    places = [table.place(row) for row in range(4)]
    assert places == [f"{log} line {number}" for number in (2, 6, 7, 9)]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"\xff"])
def test_lists_structs_and_bytes_are_no_texts(tmp_path, value):
    pl.DataFrame({"tags": [value]}).write_parquet(tmp_path / "log.parquet")
    table = scan_table(tmp_path / "log.parquet")
    with pytest.raises(InputError, match="column 'tags' holds"):
        table.text("tags")
