"""The files of a report."""

import polars as pl
import pytest

from emkd_tf.experiments.pages import write_report


@pytest.fixture
def written(grid, planned, finished, tmp_path):
    command = "emkd experiments run mine"
    _, files = write_report(grid, "sample", planned, tmp_path / "out", command)
    return {file.suffix: file for file in files}


def test_every_kind_of_file_is_there(written):
    assert set(written) == {".md", ".csv", ".tex", ".png", ".svg"}
    page = written[".md"].read_text()
    for part in ("# Mine: sample", "emkd experiments run mine", "mine-sample.png"):
        assert part in page
    assert "Not run" not in page
    assert "| large |" in page
    assert r"\toprule" in written[".tex"].read_text()
    assert pl.read_csv(written[".csv"]).height == 4
    assert written[".png"].read_bytes().startswith(b"\x89PNG")


def test_a_figure_shows_a_line_by_the_setting(written):
    assert "hidden_units" in written[".svg"].read_text()


def test_without_runs_there_is_no_figure(grid, planned, tmp_path):
    _, files = write_report(grid, "sample", planned, tmp_path / "out", "command")
    assert {file.suffix for file in files} == {".md", ".csv", ".tex"}
    assert "Not run: small, large." in (tmp_path / "out/mine-sample.md").read_text()
