"""Files that cannot be read."""

import os

import polars as pl
import pytest

from emkd_tf.data.reading import reading, require_file, require_readable
from emkd_tf.errors import InputError


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        require_file(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        require_file(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "log.csv is empty"),
        ("a,b\n1,é\n".encode("latin-1"), "not UTF-8 text; convert it: iconv -f LATIN1"),
        (b'a,b\n"1,2\n3,4\n', "log.csv cannot be read as csv: "),
    ],
)
def test_what_polars_says_becomes_one_line(tmp_path, content, message):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught, reading(path, "csv"):
        pl.scan_csv(path).collect()
    assert "\n" not in str(caught.value)


def test_a_pipe_is_no_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="pipe is not a file; write what it holds"):
        require_readable(pipe)
