"""Files in pieces: together they are the whole, and aggregates fit together."""

import gzip

import polars as pl
import pytest

from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError
from emkd_tf.spark.pieces import merged, parquet_pieces, scan_in_pieces, text_pieces

LINES = ["user,item,time", *(f"u{n},{'i' * (n % 7)},{n}" for n in range(50)), "", "v"]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize(("end", "bom"), [("\n", ""), ("\r\n", "\ufeff")])
def test_pieces_of_a_text_are_its_lines(tmp_path, size, end, bom):
    path = tmp_path / "log.csv"
    path.write_bytes((bom + end.join(LINES) + end).encode())
    pieces = text_pieces(path, 1, size)
    content = path.read_bytes()
    parts = [content[piece.start : piece.stop] for piece in pieces]
    assert b"".join(parts).decode() == end.join(LINES[1:]) + end
    assert all(part.endswith(b"\n") for part in parts)
    assert len(pieces) == (52 if size == 1 else len(pieces))
    table = scan_table(path)
    opened = pl.concat([piece.open(table.open_part) for piece in pieces]).collect()
    assert opened.equals(table.frame.collect())


def test_pieces_of_parquet_are_its_rows(tmp_path):
    (tmp_path / "log").mkdir()
    for number, rows in enumerate((5, 0, 7)):
        frame = pl.DataFrame({"user": [f"{number}{n}" for n in range(rows)]})
        frame.write_parquet(tmp_path / "log" / f"{number}.parquet")
    pieces = parquet_pieces(tmp_path / "log", 3)
    assert [piece.stop - piece.start for piece in pieces] == [3, 2, 3, 3, 1]
    table = scan_table(tmp_path / "log")
    opened = pl.concat([piece.open(table.open_part) for piece in pieces]).collect()
    assert opened.equals(table.frame.collect())


def test_aggregates_of_pieces_are_those_of_the_whole():
    found = [
        {"rows": 5, "first x": None, "earliest": 3, "latest": 4, "odd": False},
        {"rows": 7, "first x": 2, "earliest": None, "latest": None, "odd": True},
        {"rows": 1, "first x": 0, "earliest": 1, "latest": 1.5, "odd": False},
    ]
    expected = {"rows": 13, "first x": 7, "earliest": 1, "latest": 4, "odd": True}
    assert merged(found, [0, 5, 12]) == expected
    assert merged(found[:1], [0])["first x"] is None


@pytest.mark.slow
def test_what_one_process_has_to_read_is_refused(spark, tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).encode()))
    with pytest.raises(InputError, match=r"is compressed, .* write it as Parquet"):
        scan_in_pieces(spark, path)
    path = tmp_path / "log.txt"
    path.write_text("u a b c\nv a b\nw c\n")
    with pytest.raises(InputError, match=r"S3-Rec text.* write it as Parquet"):
        scan_in_pieces(spark, path)
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "0.csv").write_text("\n".join(LINES))
    with pytest.raises(InputError, match=r"is a folder of texts, .* write it as Par"):
        scan_in_pieces(spark, tmp_path / "days")
    path = tmp_path / "log.csv"
    path.write_text('user,item,time\nu,"a\nb",1\nv,c "d,2\n')
    with pytest.raises(InputError, match="is read from its beginning"):
        scan_in_pieces(spark, path)
