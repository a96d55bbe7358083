"""A small log, and what a command prints."""

import pytest

from emkd_tf.cli import main

LOG = "user,user_id,item_id,rating,timestamp\n" + "".join(
    f"x,u{user},i{(user + place) % 7},{place % 5 + 1},{1_400_000_000 + 99 * place}\n"
    for user in range(8)
    for place in range(6)
)


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("EMKD_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "log.csv"
    path.write_text(LOG + "x,nan,i1,1,1\n")
    return str(path)


@pytest.fixture
def said(capsys):
    def run(*arguments):
        assert main(arguments) == 0
        return capsys.readouterr().out

    return run
