"""`emkd validate`, as a process prints it."""

import json

import polars as pl
import pytest

from emkd_tf.cli import main


def test_validate_prints_what_the_log_holds(log, said):
    text = said("validate", log)
    for part in (
        "Columns: user = user_id, item = item_id, time = timestamp",
        "Columns not used: user, rating",
        f"First row dropped for no user: {log} line 50",
        "An epoch here, about: ",
        f"Next: emkd train --interactions {log} --preset quick",
    ):
        assert part in text


def test_validate_as_json(log, said, capsys):
    flags = ("--json", "--min-rating", "2", "--user-core=2", "--item-core=1")
    found = json.loads(said("validate", log, *flags))
    assert (found["rows"], found["users"], found["items"]) == (49, 8, 7)
    assert found["dropped_rows"]["rating below `min_rating`"]["rows"] == 16
    assert "--min-rating 2.0 --user-core 2 --item-core 1" in found["next"]


def test_validate_takes_the_file_as_a_flag_too(log, said, capsys):
    assert said("validate", "--interactions", log, "--preset=masked")
    sasrec = json.loads(said("validate", log, "--model=sasrec", "--json"))
    assert sasrec["next"] == f"emkd train --interactions {log} --model sasrec"
    assert main(["validate", log, "--model=sassrec"]) == 2
    assert "Did you mean `sasrec`?" in capsys.readouterr().err
    assert said("validate", "--user-core", "0", log, "--item-core=0")
    assert main(["validate", log, log]) == 2
    assert "takes one FILE, got" in capsys.readouterr().err
    assert main(["validate", "--json"]) == 2
    assert "needs a FILE" in capsys.readouterr().err
    assert main(["validate", "nowhere.csv"]) == 2
    assert (
        capsys.readouterr().err == "emkd: nowhere.csv does not exist; check the path.\n"
    )


def test_the_help_page_lists_the_arguments_of_its_own(capsys):
    with pytest.raises(SystemExit):
        main(["validate", "--help"])
    shown = capsys.readouterr().out
    assert "usage: emkd validate FILE [--SETTING VALUE] ...\n" in shown
    assert "\n  FILE         " in shown
    assert "\n  --json       " in shown
    assert shown.count("--preset TEXT") == 1


def test_a_log_that_no_training_takes_ends_with_why(log, capsys):
    assert main(["validate", log, "--user-core=99"]) == 2
    out, error = capsys.readouterr()
    assert "left: users" in out
    assert "Next: " not in out
    assert error.count("\n") == 1
    assert "lower --user-core" in error


def test_rounded_times_are_told(tmp_path, said):
    path = tmp_path / "log.parquet"
    rows = {"user": ["u"] * 3, "item": ["a", "b", "c"], "time": [1.7e9] * 3}
    log = pl.DataFrame(rows).with_columns(pl.col("time").cast(pl.Float32))
    log.write_parquet(path)
    flags = ("--user-core=0", "--item-core=0")
    assert "Column 'time' holds 32-bit floats" in said("validate", str(path), *flags)
