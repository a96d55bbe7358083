"""Folders that are written to."""

import pytest

from emkd_tf.errors import InputError
from emkd_tf.experiments.folders import tried_folder


def test_a_folder_is_made_and_has_only_what_was_written(tmp_path):
    with tried_folder(tmp_path / "a" / "b", "--output"):
        (tmp_path / "a" / "b" / "page").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["page"]


@pytest.mark.parametrize("folder", ["afile", "afile/b", "/proc"])
def test_what_cannot_be_a_folder_is_one_line(folder, tmp_path):
    (tmp_path / "afile").touch()
    with (
        pytest.raises(InputError, match=r"cannot be written \(.+\); choose another -"),
        tried_folder(tmp_path / folder, "--output"),
    ):
        raise AssertionError("it began to write")


def test_what_cannot_be_written_in_it_is_one_line(tmp_path):
    (tmp_path / "page").mkdir()
    with (
        pytest.raises(InputError, match="cannot be written"),
        tried_folder(tmp_path, "--output"),
    ):
        (tmp_path / "page").write_text("")
