"""CSV and Parquet files: what can be read, and what is refused in one line."""

import polars as pl
import pytest

from emkd_tf.data.tables import as_text, read_table, require_file, require_single_values
from emkd_tf.errors import InputError


def test_both_formats_hold_the_same_table(tmp_path):
    frame = pl.DataFrame({"user": ["a", "b"], "time": ["1", "02"]})
    frame.write_csv(tmp_path / "log.csv")
    frame.write_parquet(tmp_path / "log.parquet")
    for suffix in ("csv", "parquet"):
        assert read_table(tmp_path / f"log.{suffix}").equals(frame)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is no file"):
        require_file(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        require_file(tmp_path / "none")


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"\xff"])
def test_lists_structs_and_bytes_are_refused(tmp_path, value):
    frame = pl.LazyFrame({"tags": [value]})
    with pytest.raises(InputError, match="column 'tags' holds"):
        require_single_values(frame, tmp_path, "tags")


def test_nan_is_a_missing_value():
    frame = pl.LazyFrame({"price": [1.5, float("nan"), None], "word": ["a", "NaN", ""]})
    found = frame.select(as_text(frame, name) for name in ("price", "word")).collect()
    assert found["price"].to_list() == ["1.5", None, None]
    assert found["word"].to_list() == ["a", "NaN", ""]
