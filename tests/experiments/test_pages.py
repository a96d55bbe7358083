"""The files of a report."""

import dataclasses
import itertools

import polars as pl
import pytest
from matplotlib.figure import Figure

from emkd_tf.experiments import figure
from emkd_tf.experiments.pages import write_report
from emkd_tf.experiments.report import findings


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


@pytest.fixture
def drawn(grid, planned, finished):
    """Returns a function that draws the runs by x, and returns the axes."""

    def draw(x):
        axes = Figure().subplots()
        found = findings(grid, "sample", planned)
        if x == "seconds":
            figure._name(axes, *figure._by_seconds(axes, found, "NDCG@10"))
        else:
            figure._by_setting(axes, grid, x, found.results)
        return axes

    return draw


def points(axes):
    return [x for drawn in axes.containers for x in drawn[0].get_xdata()]


def test_models_that_count_are_lines_beside_the_seconds(planned, drawn):
    for cell in planned[:2]:
        (cell.run_dir / "history.jsonl").unlink()
    axes = drawn("seconds")
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 1
    assert [text.get_text() for text in axes.texts] == ["small", "large"]
    assert points(axes) == [21.0]  # of the trained row
    assert axes.get_xlim()[0] > 1
    assert axes.get_xlabel() == "CPU seconds of training"


def test_names_of_neighbours_do_not_overlap():
    picture = Figure()
    axes = picture.subplots()
    near = {"first": (1.0, 1.0), "second": (1.01, 1.0), "third": (1.0, 1.01)}
    drawn = [axes.plot(*point, "o")[0] for point in near.values()]
    axes.set(xlim=(0, 2), ylim=(0, 2))
    picture.draw_without_rendering()
    figure._name(axes, near, drawn)
    assert [text.get_text() for text in axes.texts] == list(near)
    boxes = [text.get_window_extent() for text in axes.texts]
    boxes += [line.get_window_extent() for line in drawn]
    for one, other in itertools.combinations(boxes[:3], 2):
        assert not one.overlaps(other)
    assert not any(name.overlaps(point) for name in boxes[:3] for point in boxes[3:])


def test_a_long_title_is_broken(grid, planned, finished, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda self, *_, **__: titles.append(self.axes[0].get_title()),
    )
    grid = dataclasses.replace(grid, title=" ".join(["words"] * 30))
    figure.draw(grid, findings(grid, "sample", planned), [tmp_path / "x.svg"])
    lines = titles[0].splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert titles[0].split() == ["words"] * 29 + ["words:", "sample"]


def test_seconds_are_of_one_kind(planned, drawn):
    history = planned[0].run_dir / "history.jsonl"
    history.write_text('{"epoch": 1, "step": 1}\n')  # of an older version
    axes = drawn("seconds")
    assert axes.get_xlabel() == "seconds of training"
    assert points(axes) == [10.5, 10.5]  # by the clock


def test_whole_numbers_have_ticks_of_their_own(drawn):
    assert list(drawn("hidden_units").get_xticks()) == [8, 64]


def test_what_has_no_order_keeps_that_of_the_rows(planned, drawn):
    config = planned[0].run_dir / "config.yaml"
    text = config.read_text()
    config.write_text(text.replace("hidden_units: 8", "hidden_units: null"))
    labels = [text.get_text() for text in drawn("hidden_units").get_xticklabels()]
    assert labels == ["None", "64"]


def test_all_models_may_count(grid, planned, finished, tmp_path):
    for cell in planned:
        (cell.run_dir / "history.jsonl").unlink()
    grid = dataclasses.replace(grid, x="seconds")
    _, files = write_report(grid, "sample", planned, tmp_path / "out", "command")
    assert "large" in next(f for f in files if f.suffix == ".svg").read_text()
