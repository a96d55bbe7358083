"""Parts of a text table are read like the whole."""

import polars as pl
import pytest

from emkd_tf.data.delimited import find_form, sniff
from emkd_tf.data.delimited_rows import scan_lines

TEXTS = {
    "short lines": "user,item,time\nu1,a\nu2,b,3\nu3\n\nu4,c,4\n",
    "quotes": 'user,item,time\n"u,1",a,1\n"u""2""",b,2\n',
    "characters": 'user,item,time\nu1,a 7" disc,1\n"u2",b,2\n',
    "two characters": "u1::a::5::11\nu2::b::4::12\n",
    "no header": "u1\ta\t11\nu2\tb\t12\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_line_alone(tmp_path, text):
    path = tmp_path / "log"
    path.write_text(text)
    lines = scan_lines(path).collect()["line"].to_list()
    dialect = sniff(lines)
    form = find_form(path, dialect)
    whole = form.scan(path).collect()
    parts = [f"{line or ''}\n".encode() for line in lines[dialect.header_line :]]
    assert len(parts) == len(whole) > 1
    assert pl.concat([form.scan_part(part) for part in parts]).collect().equals(whole)
