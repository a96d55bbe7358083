"""Text tables as people write them."""

import csv
import io

import numpy as np
import pytest

from emkd_tf.data import delimited
from emkd_tf.data.delimited import sniff
from emkd_tf.data.delimited_rows import scan_lines
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError


def read(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    dialect = sniff(scan_lines(path).head(200).collect()["line"].to_list())
    return dialect, scan_table(path, may_be_empty=True).frame.collect()


def rows(path, text):
    frame = read(path, text)[1]
    return [row for row in frame.rows() if any(row)]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_and_line_ends(tmp_path, separator, end):
    lines = [["user", "item", "title"], ["a", "i 1", "x y"], ["b", "i 2", "z"]]
    text = end.join(separator.join(line) for line in lines)
    dialect, frame = read(tmp_path / "log", text)
    assert (dialect.separator, list(dialect.names)) == (separator, lines[0])
    assert frame.rows() == [tuple(line) for line in lines[1:]]


@pytest.mark.parametrize("notes", ["# of a shop, by hand\n", "sep=;\n", "#\n\n# x\n"])
def test_notes_before_the_header_are_left_out(tmp_path, notes):
    dialect, frame = read(tmp_path / "log", f"{notes}user;item\na;i\n# b;j\n")
    assert dialect.names == ("user", "item")
    assert [row for row in frame.rows() if any(row)] == [("a", "i"), ("# b", "j")]


def test_a_header_may_begin_like_a_note(tmp_path):
    dialect, frame = read(tmp_path / "log", "#user_id,item_id\na,i\n")
    assert dialect.names == ("#user_id", "item_id")
    assert frame.rows() == [("a", "i")]
    assert read(tmp_path / "other", "#a,#b\n#c,#d\n")[0].names == ("#a", "#b")


def test_a_separator_inside_fields_is_none():
    lines = ["user_id,tags,item_id", "u1,a|b|c,i1", "u2,d;e;f,i2"]
    assert sniff(lines).separator == ","
    assert sniff(["u1;1,5;i1", "u2;2,25;i2"]).separator == ";"


def test_padded_headers_blank_lines_and_byte_order_marks(tmp_path):
    text = "\ufeff user_id ; item_id\r\n\r\nu;i\r\n\r\nv;j\r\n"
    dialect, frame = read(tmp_path / "log", text)
    assert dialect.names == ("user_id", "item_id")
    assert frame.rows() == [(None, None), ("u", "i"), (None, None), ("v", "j")]
    dialect, frame = read(tmp_path / "log", "\n\nuser,item\nu,i\n")
    assert (dialect.header_line, frame.rows()) == (3, [("u", "i")])


def test_names_of_columns_without_one():
    assert sniff([",user,user,item", "0,a,b,c"]).names == (
        "column_1",
        "user",
        "column_3",
        "item",
    )


def test_without_a_header_columns_have_numbers(tmp_path):
    dialect, frame = read(tmp_path / "log", "u1,i1,3.5,1700000000\nu2,i2,4,17\n")
    assert dialect.names == ("column_1", "column_2", "column_3", "column_4")
    assert (dialect.header_line, len(frame)) == (0, 2)
    assert sniff(["u1\ti1\t2024-01-31T12:00:00Z"]).header_line == 0
    dialect, _ = read(tmp_path / "log", "who,what,when\nu,i,2024-01-01\n")
    assert dialect.names == ("who", "what", "when")


def test_typed_headers_of_recbole(tmp_path):
    text = 'user_id:token\titem_id:token\ttags:token_seq\nu\t"i\ta b\n'
    dialect, frame = read(tmp_path / "log", text)
    assert dialect.types == {
        "user_id": "token",
        "item_id": "token",
        "tags": "token_seq",
    }
    assert frame.rows() == [("u", '"i', "a b")]


QUOTES = {
    "none": "u,i,1",
    "an inch": 'u,i,a 7" disc',
    "a whole field": 'u,i,"x"',
    "a separator": 'u,i,"x, y"',
    "a quote written twice": 'u,i,"say ""x"", y"',
    "lines": 'u,i,"x\ny,\nz"',
    "a lone quote at the end": 'u,i,7"',
    "an empty field": 'u,i,""',
}


@pytest.mark.parametrize("separator", [",", "\t", "|", ";"])
@pytest.mark.parametrize("seed", range(20))
def test_no_row_is_lost_whatever_the_quotes(tmp_path, seed, separator, monkeypatch):
    """Against Python's csv module: a quote inside a field is a character."""
    monkeypatch.setattr(delimited, "_ROWS_AT_ONCE", 3)
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(QUOTES), size=rng.integers(1, 4), replace=False)
    chosen = [QUOTES[kind] for kind in rng.choice(kinds, size=8)]
    text = "user,item,title\n" + "\n".join(chosen) + "\n"
    text = text.replace(",", separator)
    told = csv.reader(io.StringIO(text), delimiter=separator)
    expected = [tuple(row) for row in told][1:]
    found = rows(tmp_path / "log", text)
    assert [tuple(x or "" for x in row) for row in found] == expected


def test_a_field_that_begins_with_a_quoted_word(tmp_path):
    text = 'user,item,title\nu,i,"Heroes" LP\nv,j,"Low"\nw,k,7" EP\n'
    assert [row[2] for row in rows(tmp_path / "log", text)] == [
        '"Heroes" LP',
        "Low",
        '7" EP',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item\nu,i\nv,j,k\n", "line 3 has more fields than the 2 of the first"),
        ('user,item\n"u,1",i\nv,j,k\n', "line 3 has more fields than the 2"),
        ('user,item\n\nw\nu,"i\n', "line 4: a quote is not closed"),
        ('user,item\nu,"a, b"\nv,"j"x\n', "line 3: a quote is not closed or stands"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / "log", text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "|"])
@pytest.mark.parametrize("gap", ["{} ", " {}", " {} "])
@pytest.mark.parametrize(
    "lines",
    [
        [["user id", "item id"], ["u 0", "i 0"], ["u 1", "i 1"]],
        [
            ["user_id", "item_id", "brand name"],
            ["u0", "i0", "A I"],
            ["u1", "i1", "B C"],
        ],
        [["1", "10", "5.0"], ["2", "11", "4.0"]],
    ],
)
def test_blanks_beside_a_separator_do_not_separate(tmp_path, lines, separator, gap):
    text = "\n".join(gap.format(separator).join(line) for line in lines)
    dialect, frame = read(tmp_path / "log", text)
    assert dialect.separator == separator
    found = [[cell.strip() for cell in row] for row in frame.rows()]
    assert found == lines[dialect.header_line :]
    if dialect.header_line:
        assert list(dialect.names) == lines[0]


def test_marks_inside_ids_do_not_separate_instead_of_blanks(tmp_path):
    dialect, frame = read(tmp_path / "log", "user item time\nu1 a,b 1\nu2 c|d 2\n")
    assert dialect.separator == " "
    assert frame["item"].to_list() == ["a,b", "c|d"]


def test_names_that_are_written_stay_where_they_are(tmp_path):
    text = ",column_1,column_2\n0,u0,i0\n"  # a headerless log, saved by pandas
    assert list(read(tmp_path / "log", text)[0].names) == [
        *("column_3", "column_1", "column_2")
    ]
    text = "column_2,,column_3\na,b,c\n"
    dialect, frame = read(tmp_path / "log", text)
    assert dialect.names == ("column_2", "column_4", "column_3")
    assert frame.rows() == [("a", "b", "c")]
