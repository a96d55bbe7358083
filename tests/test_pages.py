"""Every command and snippet of the pages runs as it stands there, in a folder of small
files under the names that the pages use.

The program is a copy whose settings train for seconds and whose datasets are generated:
commands are not changed.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from filelock import FileLock

from emkd_tf.data.sources import SOURCES

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_BLOCK = re.compile(
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```|(?P<indented>(?:^ {4}[^\n]*\n)+)",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"(?:[A-Z_]+=\S+ |source |python|emkd |pip |tensorboard )")

# What is not run here, and why.
ELSEWHERE = {
    "pip install": "the environment of the tests was made so",
    "source .venv/bin/activate": "the tests run in it",
    "python benchmarks/": "measures for minutes to hours; tests/test_benchmarks.py",
    "tensorboard --logdir": "does not end; tests/board/test_in_a_browser.py",
    "--spark-master yarn": "needs a cluster",
    "--spark-master k8s": "needs a cluster",
    "TF_CONFIG=": "needs several machines; tests/training/test_workers.py",
}
# Code of these is run by a test of its own.
WITH_TESTS = {
    "architecture": "tests/test_architecture.py",
    "serving": "tests/serving/test_rest_client.py",
}
# Snippets that go on from what the text around them says is there.
BEFORE = {
    "README": """
import polars as pl
frame, items = pl.read_csv("mine.csv"), pl.read_csv("items.csv")
"""
}
RUNS = ("RUN", "OTHER", "A", "B")


def steps(text):
    """Yields language and code of a page's blocks in their order; of shells, each
    command with the lines it goes on in."""
    for block in _BLOCK.finditer(text):
        language, code = block["language"] or "bash", block["code"]
        if code is None:
            code = re.sub("^ {4}", "", block["indented"], flags=re.MULTILINE)
        if language != "bash":
            yield language, code
            continue
        lines = re.sub(r"\\\n\s*", "", code).splitlines()
        yield from (("bash", line) for line in lines if _COMMAND.match(line))


def commands(text):
    return [code for language, code in steps(text) if language == "bash"]


def is_elsewhere(command):
    return any(part in command for part in ELSEWHERE)


def can_run(command):
    has_java = shutil.which("java") or os.environ.get("JAVA_HOME")
    has_spark = has_java and importlib.util.find_spec("pyspark")
    return not is_elsewhere(command) and (has_spark or "--engine spark" not in command)


def write_log(folder, rng):
    """Writes one log and its items under all names that pages use."""
    items = ["ID", *(f"sku-{number}" for number in range(40))]
    kinds = ["tea", "soap", "pens"]
    rows = []
    for user in ("ID", *(f"user-{number}" for number in range(80))):
        item = rng.integers(len(items))
        for day in range(rng.integers(7, 12)):
            item = (item + rng.integers(1, 3)) % len(items)
            rows.append((user, items[item], f"2024-05-{day + 1:02}"))
    log = pl.DataFrame(rows, schema=["user_id", "item_id", "date"], orient="row")
    log.write_csv(folder / "log.csv")
    log.write_csv(folder / "mine.csv")
    log.write_parquet(folder / "log.parquet")
    log.write_parquet(folder / "mine.parquet")

    def write_items(name, ids):
        kind = [kinds[number % 3] for number in range(len(ids))]
        table = {"item_id": ids, "title": [f"no. {i}" for i in ids], "kind": kind}
        pl.DataFrame(table).write_csv(folder / name)

    write_items("items.csv", items)
    write_items("today.csv", [*items, "new-1", "new-2"])
    histories = {"user": ["a", "b"], "history": ["sku-1,sku-3", "ID"]}
    pl.DataFrame(histories).write_csv(folder / "histories.csv")


def write_datasets(folder, rng):
    """Writes what S3-Rec published of its datasets, and ML-1M as it has it; returns the
    sha256 of each file by name."""
    folder.mkdir(parents=True)
    for name in ("Beauty", "Toys_and_Games", "ml-1m"):
        lines = []
        for user in range(1, 81):
            start, length = rng.integers(1, 41), rng.integers(7, 12)
            history = [(start + place) % 40 + 1 for place in range(length)]
            lines.append(" ".join(map(str, [user, *history])))
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        attributes = {str(item): [item % 4 + 1, item % 5 + 5] for item in range(1, 41)}
        text = json.dumps(attributes)
        (folder / f"{name}_item2attributes.json").write_text(text)
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def keep_one_row(grid):
    """Shortens an experiment to its first row, and with it what is said about rows."""
    grid["rows"] = dict([next(iter(grid["rows"].items()))])
    grid.pop("baseline", None)
    for of_dataset in grid.get("published", {}).values():
        for row in of_dataset.keys() - grid["rows"]:
            del of_dataset[row]


def write_program(folder, checksums):
    """Copies what is run, with settings of seconds and other checksums."""
    for name in ("emkd_tf", "configs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    shutil.copy(REPOSITORY / "train.py", folder)
    for path in (folder / "configs").rglob("*.yaml"):
        text = path.read_text()
        for key, value in (("epochs", 1), ("hidden_units", 8), ("num_blocks", 1)):
            text = re.sub(rf"(?<=\b{key}: )\d+", str(value), text)
            text = re.sub(rf"(?<=_{key}: )\d+", str(value), text)
        path.write_text(re.sub(r"(?<=\bnum_networks: )3", "2", text))
    for path in (folder / "configs" / "experiments").glob("*.yaml"):
        grid = yaml.safe_load(path.read_text())
        if "rows" in grid:
            keep_one_row(grid)
        path.write_text(yaml.safe_dump(grid, sort_keys=False))
    path = folder / "emkd_tf" / "commands" / "tune.py"
    text = path.read_text()
    assert '"default": 20' in text
    path.write_text(text.replace('"default": 20', '"default": 2'))
    path = folder / "emkd_tf" / "data" / "sources.py"
    text = path.read_text()
    for source in SOURCES.values():
        for file in (file for files, _ in source.variants for file in files):
            text = text.replace(file.sha256, checksums.get(file.name, file.sha256))
    path.write_text(text)


class Home:
    """A folder to run commands in, and the processes that run them."""

    def __init__(self, folder):
        self._whole, self.folder = folder, folder / "project"
        self._environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "EMKD_CACHE_DIR": str(folder / "cache"),
        }
        self._environment.pop("EMKD_DATA_DIR", None)

    def fill(self):
        """Writes program and files, and trains the runs that pages speak of."""
        rng, whole = np.random.default_rng(0), self._whole
        checksums = write_datasets(whole / "shared" / "data", rng)
        write_program(self.folder, checksums)
        write_log(self.folder, rng)
        shutil.copytree(whole / "shared" / "data", whole / "cache" / "raw")
        (whole / "bin").mkdir()
        for name, begin in (("emkd", " -m emkd_tf"), ("python", "")):
            script = whole / "bin" / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{begin} "$@"\n')
            script.chmod(0o755)
        self.bash(
            "emkd train --interactions mine.parquet --attributes items.csv --name RUN "
            "--num-networks 2 --export true"
        )
        runs = self.folder / "runs"
        for name in RUNS[1:]:
            shutil.copytree(runs / "RUN", runs / name)

    def copy(self, folder):
        shutil.copytree(self._whole, folder)
        return Home(folder)

    def run(self, *words):
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self._environment,
        )
        assert done.returncode == 0, f"{words[-1]}\n{done.stderr[-2000:]}"

    def bash(self, command):
        self.run("bash", "-euo", "pipefail", "-c", command)

    def python(self, code):
        self.run("python", "-c", code)


@pytest.fixture(scope="session")
def first_home(tmp_path_factory, worker_id):
    """Filled by the first process of the test run that asks for it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "pages"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            Home(folder).fill()
    return Home(folder)


@pytest.fixture
def home(first_home, tmp_path):
    return first_home.copy(tmp_path / "home")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_snippets_of_a_page_run(page, home):
    for language, code in steps(page.read_text(encoding="utf-8")):
        if language == "yaml":
            (home.folder / "mine.yaml").write_text(code)
        elif language == "python" and page.stem not in WITH_TESTS:
            home.python(BEFORE.get(page.stem, "") + code)
        elif language == "bash" and can_run(code):
            home.bash(code)


def test_pages_hold_many_commands():
    """Else the test above would check nothing."""
    found = [c for page in PAGES for c in commands(page.read_text(encoding="utf-8"))]
    assert sum(not is_elsewhere(command) for command in found) > 40
    for part in ELSEWHERE:
        assert any(part in command for command in found), part
