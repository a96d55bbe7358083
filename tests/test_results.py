"""The table of results says what the kept runs say."""

import importlib
import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "results_table.py"
    spec = importlib.util.spec_from_file_location("results_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_the_kept_runs(tool):
    text = tool.PAGE.read_text()
    assert text == tool.page(text), "run python tools/results_table.py"
    names = {path.stem for path in tool.RUNS.glob("*.json")}
    assert names == {
        path.stem.removesuffix("-history") for path in tool.RUNS.glob("*.jsonl")
    }
    commands = re.findall(r"`(python train\.py[^`]*)`", tool.table())
    assert len(commands) == len(names)
    for name in names:
        ndcg = json.loads((tool.RUNS / f"{name}.json").read_text())["test"]["NDCG@10"]
        assert f"| {ndcg:.4f} |" in text


def test_figures_of_the_readme_are_those_of_the_page(tool):
    page, readme = tool.PAGE.read_text(), (ROOT / "README.md").read_text()
    row = r"^\| [\w-]+ \| `(python train[^`]*)`[^|]* \| (\.[^|]*) \| (\.[^|]*) \|"
    rows = re.findall(row, readme, re.M)
    assert len(rows) >= 5
    for command, *figures in rows:
        of_page = [line for line in page.splitlines() if f"| `{command}` |" in line]
        for figure in figures:
            of_readme = f"| {re.sub(r'(?=[.])', '0', figure)} |"
            assert any(of_readme in line for line in of_page), (command, figure)


def test_an_interval_over_seeds_is_students(tool):
    # t(0.975, 2 degrees of freedom) = 4.302653; the sample's deviation is 1.
    assert tool.interval([1.0, 2.0, 3.0]) == f"2.0000 ± {4.302653 / 3**0.5:.4f}"


def test_the_table_of_performance_is_made_of_the_kept_runs(tool, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    frontier = importlib.import_module("frontier")
    table = frontier.table(frontier.of_kept(tool.RUNS))
    assert table in (ROOT / "docs" / "performance.md").read_text()
