"""The examples run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from emkd_tf.cli import main

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = REPOSITORY / "examples"


@pytest.mark.slow
def test_the_notebook_runs_and_learns(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("EMKD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    book = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert all(not c.get("outputs") for c in book.cells)  # none are kept in it
    resources = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(book, timeout=900, resources=resources)
    client.execute()
    outputs = [out for cell in book.cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)
    text = "".join(out.get("data", {}).get("text/plain", "") for out in outputs)
    assert "report.html" in text
    assert len(set(re.findall(r"sku-\d+", text))) >= 5
    assert (tmp_path / "reports" / "notebook" / "report.html").exists()


@pytest.mark.slow
def test_a_batch_is_scored_as_the_run_does(finished_run, tmp_path):
    run, settings, _ = finished_run
    names = [f"item {i}" for i in range(30)]
    frame = pl.DataFrame(
        {
            "user": ["a", "b", "c"],
            "history": [names[:3], names[7:8], ["never sold"]],
        }
    )
    theirs = scored(frame, settings, tmp_path)
    source, ours = tmp_path / "histories.parquet", tmp_path / "ours.parquet"
    arguments = [f"--run={run}", f"--input={source}", f"--output={ours}", "--k=4"]
    assert main(["recommend", *arguments]) == 0
    ours = pl.read_parquet(ours)
    keys = ["user", "rank", "item"]
    assert theirs.select(keys).rows() == ours.select(keys).rows()
    scores = theirs["score"] - ours["score"]
    assert scores.abs().max() < 1e-3


@pytest.mark.slow
def test_a_batch_may_hold_nulls_numbers_and_nothing(finished_run, tmp_path):
    _, settings, _ = finished_run
    known, none = ["item 1", "item 2"], []
    rows = [["item 1", None, "item 2"], known, None, [None], none]
    frame = pl.DataFrame({"user": range(5), "history": rows})
    found = scored(frame, settings, tmp_path)
    items = [part["item"].to_list() for part in found.partition_by("user")]
    assert items[0] == items[1]
    assert items[2] == items[3] == items[4] != items[0]
    numbers = pl.DataFrame({"user": ["a", "b"], "history": [[1, 2], [3, None]]})
    unknown = scored(numbers, settings, tmp_path)
    assert [p["item"].to_list() for p in unknown.partition_by("user")] == items[3:]
    assert scored(numbers.head(0), settings, tmp_path).schema == unknown.schema
    all_null = pl.DataFrame({"user": ["a"], "history": [None]})
    assert scored(all_null, settings, tmp_path)["item"].to_list() == items[4]


def scored(frame, settings, folder):
    """What the example writes for histories.parquet of a folder, lists of four."""
    source, lists = folder / "histories.parquet", folder / "theirs.parquet"
    frame.write_parquet(source)
    version = Path(settings["saved_models_dir"]) / "tiny" / "1"
    script = [sys.executable, str(EXAMPLES / "score_batch.py"), str(version)]
    done = subprocess.run(
        [*script, str(source), str(lists), "--k=4"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={key: v for key, v in os.environ.items() if key != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"lists for {len(frame)} histories" in done.stdout
    return pl.read_parquet(lists)


def test_compose_serves_what_an_export_holds(finished_run):
    """Docker is not at hand here: its file is held to the export and its README."""
    folder = Path(finished_run[1]["saved_models_dir"]) / "tiny"
    text = (EXAMPLES / "compose.yaml").read_text().replace("${NAME}", "tiny")
    service = yaml.safe_load(text)["services"]["serving"]
    (volume,) = service["volumes"]
    source, _, target = volume.rpartition(":ro")[0].rpartition(":")
    assert target == "/models/tiny"
    assert source.startswith("${SAVED_MODELS:-../saved_models}/${NAME:?")
    readme = " ".join((folder / "README.md").read_text().split())
    for option in service["command"]:
        flag, _, path = option.partition("=")
        assert option in readme
        if path:
            assert (folder / Path(path).relative_to(target)).is_file(), flag
    assert service["ports"] == ["8500:8500", "8501:8501"]
