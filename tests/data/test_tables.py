"""Files as tables: what can be read, and what is refused in one line."""

import gzip
import pickle
import zipfile

import polars as pl
import pytest

from emkd_tf.data.tables import scan_items, scan_table
from emkd_tf.errors import InputError


def write(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


def test_both_formats_hold_the_same_table(tmp_path):
    frame = pl.DataFrame({"user": ["a", "b"], "time": ["1", "02"]})
    frame.write_csv(tmp_path / "log.csv")
    frame.write_parquet(tmp_path / "log.parquet")
    for suffix in ("csv", "parquet"):
        table = scan_table(tmp_path / f"log.{suffix}")
        assert table.collect(table.frame).equals(frame)


KINDS = {
    "log.parquet": ("parquet", lambda frame, path: frame.write_parquet(path)),
    "log.pq": ("parquet", lambda frame, path: frame.write_parquet(path)),
    "log": ("parquet", lambda frame, path: frame.write_parquet(path)),
    "log.feather": ("Arrow", lambda frame, path: frame.write_ipc(path)),
    "log.arrow": ("Arrow", lambda frame, path: frame.write_ipc_stream(path)),
    "log.json": ("JSON", lambda frame, path: frame.write_json(path)),
    "log.jsonl": ("JSON lines", lambda frame, path: frame.write_ndjson(path)),
    "log.dat": ("csv", lambda frame, path: frame.write_csv(path, separator="\t")),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_content_tells_the_kind(tmp_path, name):
    kind, write_ = KINDS[name]
    frame = pl.DataFrame({"user": ["a", "b"], "item": ["1", "02"]})
    write_(frame, tmp_path / name)
    table = scan_table(tmp_path / name)
    assert table.kind == kind
    assert table.collect(table.frame).equals(frame)


def test_a_folder_of_parquet_is_read_in_the_order_of_names(tmp_path):
    for number in (1, 0):
        folder = tmp_path / f"day={number}"
        folder.mkdir()
        frame = pl.DataFrame({"user": [f"u{number}"]})
        frame.write_parquet(folder / "part-0.parquet")
    table = scan_table(tmp_path)
    assert table.collect(table.frame)["user"].to_list() == ["u0", "u1"]
    assert table.columns == ["user", "day"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no table; give a file, or one of"):
        scan_table(tmp_path / "empty")


def test_lines_of_sequences(tmp_path):
    table = scan_table(write(tmp_path / "log.txt", "u a b c\nv c\n"))
    assert table.kind == "S3-Rec text"
    assert table.collect(table.frame).rows() == [
        *[("u", "a"), ("u", "b"), ("u", "c"), ("v", "c")]
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_other_encodings_say_how_to_convert_them(tmp_path, encoding):
    log = write(tmp_path / "log.csv", "user,item\nu,é\n", encoding)
    with pytest.raises(InputError, match=r"not UTF-8 text; convert it: iconv -f"):
        scan_table(log)


def test_archives_and_damaged_compression(tmp_path):
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.writestr("log.csv", "user,item\nu,i\n")
    with pytest.raises(InputError, match="is a zip archive or a workbook; unpack it"):
        scan_table(tmp_path / "log.zip")
    content = gzip.compress(b"user,item\n" + b"u,i\n" * 1000)
    (tmp_path / "log.csv.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"log.csv.gz cannot be read as"):
        scan_table(tmp_path / "log.csv.gz")


def test_files_that_are_not_what_they_are_called(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        scan_table(tmp_path / "none.csv")
    for content in (b"user,item,time\nx,y,1\n", pickle.dumps({"user": [1]})):
        path = tmp_path / "text.parquet"
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read as parquet"):
            scan_table(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("\n\n", "is empty"), ("user,item\n", "has no rows")],
)
def test_nothing_to_read(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        scan_table(write(tmp_path / "log.csv", text))


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "feather", "folder"])
def test_a_name_is_no_pattern(tmp_path, kind):
    """`log[1].csv` is that file, not `log1.csv`."""
    write_ = {
        "csv": pl.DataFrame.write_csv,
        "parquet": pl.DataFrame.write_parquet,
        "jsonl": pl.DataFrame.write_ndjson,
        "feather": pl.DataFrame.write_ipc,
    }
    for name, user in (("log[1]", "right"), ("log1", "wrong"), ("log?", "other")):
        path = tmp_path / f"{name}.{kind}"
        frame = pl.DataFrame({"user": [user], "item": ["i"]})
        if kind == "folder":
            path.mkdir()
            frame.write_parquet(path / "part-[0].parquet")
        else:
            write_[kind](frame, path)
    for name, user in (("log[1]", "right"), ("log?", "other")):
        table = scan_table(tmp_path / f"{name}.{kind}")
        assert table.collect(table.frame)["user"].to_list() == [user]


def test_a_header_may_have_its_separator_in_quotes(tmp_path):
    text = 'user_id,item_id,timestamp,"price, EUR"\nu0,i0,1,2\nu0,i 7",2,2\n'
    table = scan_table(write(tmp_path / "log.csv", text))
    assert table.columns == ["user_id", "item_id", "timestamp", "price, EUR"]
    assert table.collect(table.frame)["item_id"].to_list() == ["i0", 'i 7"']


def test_names_of_folders_are_texts(tmp_path):
    folder = tmp_path / "user_id=007"
    folder.mkdir()
    pl.DataFrame({"item_id": ["i"]}).write_parquet(folder / "part.parquet")
    table = scan_table(tmp_path)
    assert table.collect(table.frame)["user_id"].to_list() == ["007"]


def test_a_byte_order_mark_before_json(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"user": "u", "item": 1}\n{"user": "v", "item": 2}\n'
    )
    table = scan_table(path)
    assert table.collect(table.frame).rows() == [("u", "1"), ("v", "2")]


def test_movies_are_a_table_of_items_and_no_log(tmp_path):
    path = write(tmp_path / "movies.dat", "1::Toy Story (1995)::Comedy|Drama\n")
    assert scan_items(path).columns == ["movie_id", "title", "genres"]
    assert scan_table(path).columns == ["column_1", "column_2", "column_3"]
