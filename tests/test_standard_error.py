"""Standard error of a process and of those that it starts, in a file."""

import os
import subprocess
import tempfile

import pytest

from emkd_tf.standard_error import standard_error_to


def test_standard_error_goes_to_a_file_and_back(capfd):
    with tempfile.TemporaryFile() as file:
        with standard_error_to(file):
            os.write(2, b"own, ")
            subprocess.run("echo started >&2", shell=True, check=True)
        os.write(2, b"after")
        with pytest.raises(KeyError), standard_error_to(file):
            raise KeyError
        os.write(2, b" all")
        file.seek(0)
        assert file.read() == b"own, started\n"
    assert capfd.readouterr().err == "after all"
