"""What commands print."""

from pathlib import Path

from rich.table import Table

from emkd_tf.commands.terminal import show, show_result, show_text
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.training.run import RunResult


def test_ids_that_look_like_markup_are_ids(capsys):
    names = ["[unknown]", "[live] at x", "[/b]", "[bold]b[/bold]"]
    table = Table("item")
    for name in names:
        table.add_row(name)
    show(table)
    show_text(TextTable("[a]", ["row", "[b]"], [[name, "1"] for name in names]))
    said = capsys.readouterr().out
    for name in names:
        assert said.count(name) == 2
    assert "[a]" in said


def values(value):
    return dict.fromkeys(METRICS, value)


def test_a_result_tells_repeats_networks_and_the_baseline_apart(capsys):
    repeats = {"targets": 5, "repeats": 2, "excluded": 0}
    metrics = {
        "dataset": "shop",
        "protocol": "all",
        "test": values(0.5),
        "repeats": {"test": {**repeats, "repeat": values(0.75), "new": values(0.25)}},
        "test_by_network": {"one": values(0.375), "two": values(0.4375)},
        "poprec": values(0.125),
    }
    show_result("Ensemble", RunResult(Path("runs/sum"), metrics, Path("saved/sum/1")))
    said = capsys.readouterr().out
    rows = ("Ensemble", "repeats", "new items", "one", "two", "PopRec")
    table = [line.split("│") for line in said.splitlines() if "│" in line]
    found = [(cells[1].strip(), float(cells[-2])) for cells in table]
    wanted = (0.5, 0.75, 0.25, 0.375, 0.4375, 0.125)
    assert found == list(zip(rows, wanted, strict=True))
    assert "shop, test, protocol all" in said
    assert "2 of 5 targets repeat" in said
    assert said.splitlines()[-2] == "Export: saved/sum/1"
    assert said.splitlines()[-1] == "Run: runs/sum  test NDCG@10 0.5000 (all)"


def test_a_result_without_export_says_why(capsys):
    metrics = {
        "dataset": "shop",
        "protocol": "unseen",
        "validation": values(0.5),
        "repeats": {"validation": {"targets": 5, "repeats": 0, "excluded": 0}},
    }
    show_result("Markov", RunResult(Path("runs/m"), metrics, None), "it is counted")
    said = capsys.readouterr().out.splitlines()
    assert said[0].rstrip() == "shop, validation, protocol unseen"
    assert said[-2] == "Export: none, it is counted"
    show_result("Markov", RunResult(Path("runs/m"), metrics, None))
    assert "Export" not in capsys.readouterr().out
