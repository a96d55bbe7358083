"""Tables of a notebook as files."""

import polars as pl
import pyarrow as pa
import pytest

from emkd_tf import atomic_files
from emkd_tf.errors import InputError
from emkd_tf.notebook.tables import as_file, as_polars

FRAME = pl.DataFrame({"user_id": [1, 1, 2], "item_id": ["a", "b", "a"], "when": 1})
PANDAS = FRAME.to_pandas()


@pytest.mark.parametrize("levels", [["when"], ["user_id", "item_id"]])
def test_named_levels_of_an_index_are_columns(levels):
    found = as_polars(PANDAS.set_index(levels), "interactions")
    assert found.select(FRAME.columns).equals(FRAME)


@pytest.mark.parametrize(
    "table",
    [PANDAS, PANDAS.rename_axis("when"), PANDAS.set_axis([5, 7, 9])],
    ids=["rows", "the name of a column", "numbers"],
)
def test_other_indices_are_none(table):
    assert as_polars(table, "interactions").equals(FRAME)


def test_equal_tables_are_one_file_that_is_there_whole_or_not_at_all(
    tmp_path, monkeypatch
):
    def stopped(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(atomic_files.Path, "rename", stopped)
        with pytest.raises(KeyboardInterrupt):
            as_file(FRAME, "interactions", tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))
    path = as_file(FRAME, "interactions", str(tmp_path))
    assert pl.read_parquet(path).equals(FRAME)
    assert as_file(FRAME.clone(), "interactions", tmp_path) == path
    assert as_file(path, "interactions") == path


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    line = r"cannot be written \(Not a directory\); choose another `cache_dir`"
    with pytest.raises(InputError, match=line):
        as_file(FRAME, "interactions", tmp_path / "file")


TWICE = pa.Table.from_arrays([pa.array([1])] * 2, names=["item_id"] * 2)
MIXED = pl.Series([object()] * 3, dtype=pl.Object)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (3, "`titles` must be a path or a polars, pandas or Arrow table, got int"),
        (PANDAS["when"], "polars, pandas or Arrow table, got Series"),
        (FRAME["when"], "polars, pandas or Arrow table, got Series"),
        (PANDAS.to_numpy(), "polars, pandas or Arrow table, got ndarray"),
        (FRAME.clear(), "The table of `titles` has no rows"),
        (FRAME.with_columns(x=MIXED), "Column `x` of `titles` cannot be read"),
        (PANDAS.assign(x=[1, "a", 2]), "Column `x` of `titles` cannot be read"),
        (PANDAS.assign(x=1j), "Column `x` of `titles` cannot be read"),
        (PANDAS.set_axis(["a", "b", "b"], axis=1), "`titles` has 2 columns `b`"),
        (TWICE, "`titles` has 2 columns `item_id`"),
        (FRAME.lazy().select("no"), 'cannot be computed: unable to find column "no"'),
        (pl.scan_parquet("/nowhere.parquet"), "cannot be computed: No such file"),
    ],
)
def test_what_cannot_be_read_is_one_line(table, line, tmp_path):
    with pytest.raises(InputError, match=line) as told:
        as_file(table, "titles", tmp_path)
    assert len(str(told.value).splitlines()) == 1
