"""Which files of a folder are the table, and which folders are refused."""

import pytest

from emkd_tf.data.table_folders import parquet_files, table_files
from emkd_tf.errors import InputError


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_what_writers_hide_and_notes_are_no_tables(tmp_path):
    tables = ("day=0/part-1.pq", "_day=1/part-0.parquet", "part-0.snappy.parquet")
    hidden = ("_SUCCESS", "_metadata.parquet", ".part-0.parquet.crc", "README.txt")
    fill(tmp_path, *tables, *hidden, "_temporary/part-0.parquet", "_temporary/log.csv")
    (tmp_path / "folder.parquet").mkdir()
    found = [str(path.relative_to(tmp_path)) for path in parquet_files(tmp_path)]
    assert found == ["_day=1/part-0.parquet", "day=0/part-1.pq", tables[2]]


def test_no_parquet_is_none(tmp_path):
    fill(tmp_path, "log.csv")
    assert parquet_files(tmp_path) == []


def test_texts_where_there_is_no_parquet(tmp_path):
    fill(tmp_path, "b.csv.gz", "day=1/a.csv", "notes.txt", "_x.csv", "c/d.CSV")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_text("x")
    (tmp_path / "empty.csv").write_text("")
    found = [str(path.relative_to(tmp_path)) for path in table_files(tmp_path)]
    assert found == ["b.csv.gz", "c/d.CSV", "day=1/a.csv"]
    (tmp_path / "z.jsonl").write_text("{}")
    with pytest.raises(InputError, match=r"holds b.csv.gz and z.jsonl; give a folder"):
        table_files(tmp_path)


def test_a_folder_of_no_table(tmp_path):
    fill(tmp_path, "notes.txt")
    with pytest.raises(InputError, match="holds no table; give a file, or one"):
        table_files(tmp_path)


@pytest.mark.parametrize(
    "other", ["log.csv", "more/log.JSONL", "log.csv.gz", "a.arrow"]
)
def test_other_tables_beside_them_are_refused(tmp_path, other):
    fill(tmp_path, "part-0.parquet", other)
    with pytest.raises(InputError, match=f"holds {other} beside Parquet; give a"):
        parquet_files(tmp_path)


def test_links_are_followed_and_endings_have_no_case(tmp_path):
    fill(tmp_path / "log", "day=1/part-0.parquet", "B.PARQUET")
    fill(tmp_path, "elsewhere/part-0.parquet")
    (tmp_path / "log" / "day=2").symlink_to(tmp_path / "elsewhere")
    assert len(parquet_files(tmp_path / "log")) == 3
    (tmp_path / "log" / "again").symlink_to(tmp_path / "log")
    (tmp_path / "log" / "gone").symlink_to(tmp_path / "nowhere")
    assert len(parquet_files(tmp_path / "log")) == 3


def test_parquet_without_its_ending_is_not_left_out(tmp_path):
    fill(tmp_path, "part-0.parquet")
    (tmp_path / "000000_0").write_bytes(b"PAR1 and so on")
    with pytest.raises(InputError, match="holds 000000_0 beside Parquet"):
        parquet_files(tmp_path)


def test_a_delta_table_is_refused(tmp_path):
    fill(tmp_path, "part-0.parquet", "_delta_log/0.json")
    with pytest.raises(InputError, match="is a Delta table, whose folder may hold"):
        parquet_files(tmp_path)


def test_numbers_in_names_are_in_their_order(tmp_path):
    """Spark writes `month=2` and `month=10`."""
    names = [f"year={y}/month={m}/part-{n}.parquet" for y in (999, 2024)
             for m in (1, 2, 10) for n in (9, 11)]  # fmt: skip
    fill(tmp_path, *reversed(names))
    found = [str(path.relative_to(tmp_path)) for path in table_files(tmp_path)]
    assert found == names
