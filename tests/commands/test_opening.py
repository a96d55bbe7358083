"""`--cold-items attributes`: lists and exports with items that nobody chose."""

import json
from pathlib import Path

import polars as pl
import pytest
import trainings

from emkd_tf.cli import main

NEW = ["brand new", "newer still"]


@pytest.fixture(scope="module")
def run(tiny_base, tiny_log, tiny_attributes, tmp_path_factory):
    """A run with attributes, and a later file of them that has two more items."""
    folder = tmp_path_factory.mktemp("cold")
    settings = {
        **tiny_base,
        **{"interactions": tiny_log, "attributes": tiny_attributes, "name": "run"},
        **{"cache_dir": folder / "cache", "runs_dir": folder / "runs"},
        "export": "false",
    }
    trainings.train(settings)
    known = pl.read_csv(tiny_attributes)
    kind = known["kind"].value_counts().sort("count")["kind"][-1]
    new = pl.DataFrame({"item": [*NEW, "of no kind"], "kind": [kind, kind, "none"]})
    later = folder / "later.csv"
    pl.concat([known, new]).write_csv(later)
    return folder / "runs" / "run", later


@pytest.mark.slow
def test_lists_hold_them_and_tell_them(run, tmp_path, capsys):
    path, later = run
    files = [tmp_path / "without.parquet", tmp_path / "with.parquet"]
    flags = ["recommend", f"--run={path}", "--k=40"]
    assert main([*flags, f"--output={files[0]}"]) == 0
    cold = ["--cold-items=attributes", f"--attributes={later}"]
    assert main([*flags, *cold, f"--output={files[1]}"]) == 0
    without, found = map(pl.read_parquet, files)
    assert found.filter("is_cold")["item"].unique().sort().to_list() == sorted(NEW)
    # Each list is the one without them where they are taken out.
    merged = found.filter(~pl.col("is_cold")).join(without, on=["user", "item"])
    assert len(merged) == len(found.filter(~pl.col("is_cold")))
    assert (merged["score"] - merged["score_right"]).abs().max() < 1e-4

    capsys.readouterr()
    history = f"--history=item 3,item 5,{NEW[0]}"
    assert main([*flags[:2], *cold, "--k=39", history]) == 0
    said = capsys.readouterr()
    assert said.err == ""  # it is known, and not recommended again
    assert [line for line in said.out.splitlines() if " cold " in line] != []
    assert NEW[0] not in said.out


@pytest.mark.slow
def test_an_export_answers_with_them(run, tmp_path, capsys):
    path, later = run
    flags = ["export", f"--run={path}", f"--saved-models-dir={tmp_path}"]
    assert main([*flags, "--cold-items=attributes", f"--attributes={later}"]) == 0
    folder = Path(capsys.readouterr().out.rpartition("Export: ")[2].strip())
    assert (folder / "cold_items.txt").read_text().splitlines() == sorted(NEW)
    assert json.loads((folder / "card.json").read_text())["items"] == 40 + 2
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    answer = loaded.signatures["similar_items"](item_id=tf.constant([NEW[0]]))
    assert answer["is_known"].numpy().all()
    assert answer["item_ids"].numpy()[0, 0].decode() == NEW[1]  # of the same kind


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--cold-items=titles"], "`cold_items` must be attributes, got 'titles'"),
        (["--cold-items=attributes"], "has no item beside the run's that shares"),
        (["--cold-items=attributes", "--attributes=no.csv"], "no.csv does not exist"),
    ],
)
def test_mistakes_are_one_line(run, flags, message, capsys):
    assert main(["recommend", f"--run={run[0]}", "--history=item 3", *flags]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
