"""The command line as a user meets it: exit codes, errors, what it prints."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import events
import pytest
from command_line import flags

from emkd_tf import __version__
from emkd_tf.cli import main
from emkd_tf.commands.arguments import run_arguments
from emkd_tf.commands.recommend import recommend
from emkd_tf.commands.train import next_commands
from emkd_tf.config import to_flat
from emkd_tf.training.run_dir import read_config

REPOSITORY = Path(__file__).resolve().parent.parent
GOOD = "user,item,time\n" + "".join(
    f"u{u},i{(u + t) % 9},{t}\n" for u in range(20) for t in range(6)
)


def folders(tmp_path):
    return [
        f"--cache-dir={tmp_path / 'cache'}",
        f"--runs-dir={tmp_path / 'runs'}",
        f"--saved-models-dir={tmp_path / 'saved_models'}",
    ]


def files_under(tmp_path):
    written = [tmp_path / name for name in ("cache", "runs", "saved_models")]
    return [p for folder in written for p in folder.rglob("*") if p.is_file()]


BAD_LOGS = {
    "missing column": ("user,what,time\nx,y,1\n", "has no item column"),
    "non-numeric time": (GOOD + "x,y,noon\n", "line 122: column 'time' holds 'noon'"),
    "empty file": ("", "is empty"),
    "users too short": ("user,item,time\na,x,1\na,y,2\n", "No user of `log` is left"),
    "duplicate rows alone": ("user,item,time\n" + "a,x,1\n" * 9, "8 (duplicate rows)"),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_a_bad_log_is_one_line_and_leaves_nothing(case, tmp_path, capsys):
    text, message = BAD_LOGS[case]
    log = tmp_path / "log.csv"
    log.write_text(text)
    arguments = [f"--interactions={log}", *folders(tmp_path)]
    assert main(["train", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("emkd: ")
    assert message in error
    assert error.count("\n") == 1
    assert files_under(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Unknown command `trian`. Did you mean `train`"),
        (["train", "--temperature=-1"], "`temperature` must be above 0, got -1.0"),
        (["train", "--nam=x"], "Unknown flag `--nam`. Did you mean `--name`"),
        (["train", "--interactions=none.csv"], "none.csv does not exist"),
        (["prepare", "--dataset=beuty"], "Unknown dataset `beuty`. Did you mean"),
        (["evaluate"], "needs --run RUN"),
        (["evaluate", "--run=nowhere"], "nowhere is not a run directory"),
        (
            ["evaluate", "--run=x", "--split=train"],
            "`split` must be one of test, validation",
        ),
        (["recommend", "--run=nowhere"], "takes one of --history"),
        (["recommend", "--run=x", "--history=a", "--k=0"], "`k` must be at least 1"),
        (["export", "--run=nowhere"], "nowhere is not a run directory"),
        (["export", "--run=x", "--epochs=3"], "Unknown flag `--epochs`"),
    ],
)
def test_mistakes_are_one_line(arguments, message, tmp_path, capsys):
    if arguments[0] in ("train", "prepare"):
        arguments = [*arguments, *folders(tmp_path)]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("emkd: ")
    assert message in error
    assert error.count("\n") == 1
    assert files_under(tmp_path) == []


def test_a_truncated_file_in_the_data_folder(tmp_path, capsys):
    (tmp_path / "Beauty.txt").write_text("1 1 2 3")
    (tmp_path / "Beauty_item2attributes.json").write_text("{}")
    arguments = ["--dataset=beauty", f"--data-dir={tmp_path}", *folders(tmp_path)]
    assert main(["train", *arguments]) == 2
    assert "Beauty.txt is truncated" in capsys.readouterr().err


def run_process(*command, **environment):
    return subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )


def test_without_network_a_real_process_names_url_and_folder(tmp_path):
    blocked = "http://127.0.0.1:9"
    process = run_process(
        *(sys.executable, "train.py", "--dataset=beauty"),
        *(f"--data-dir={tmp_path / 'raw'}", *folders(tmp_path)),
        https_proxy=blocked,
        HTTPS_PROXY=blocked,
    )
    assert process.returncode == 3
    line = process.stderr.splitlines()[-1]
    assert "CIKM2020-S3Rec/master/data/Beauty.txt" in line
    assert str(tmp_path / "raw") in line
    assert "Traceback" not in process.stderr


def test_a_real_process_prints_its_config_and_refuses_a_typo():
    script = run_process(sys.executable, "train.py", "--print-config", "--seed", "3")
    module = run_process(sys.executable, "-m", "emkd_tf.cli", "train", "--sed", "3")
    assert script.returncode == 0
    assert "seed: 3" in script.stdout
    assert module.returncode == 2
    assert module.stderr == "emkd: Unknown flag `--sed`. Did you mean `--seed`?\n"


def test_train_prints_the_table_the_export_and_the_run(finished_run):
    run_dir, settings, process = finished_run
    told, _, following = process.stdout.partition("Next:\n")
    *table, export, last = told.splitlines()
    assert any("PopRec" in line for line in table)
    assert any("network_2" in line for line in table)
    assert export == f"Export: {settings['saved_models_dir'] / 'tiny' / '1'}"
    assert last.startswith(f"Run: {run_dir}  test NDCG@10 0.")
    assert "epoch 2/2" in process.stderr
    assert [line.split()[:4] for line in following.splitlines()] == [
        ["emkd", command, "--run", str(run_dir)]
        for command in ("evaluate", "recommend", "recommend", "report")
    ]
    assert "--user user0\n" in following
    first, second, *others = process.stderr.splitlines()
    assert first.startswith("Data: `tiny`, 60 users, 40 items, ")
    assert second == "Columns: user = user, item = item, time = time"
    assert f"Run directory {run_dir}" in others


@pytest.mark.parametrize("user", ["-1KK zib", "17"])
def test_what_comes_next_is_read_as_it_is_printed(tmp_path, user):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "user_ids.txt").write_text(f"{user}\n", encoding="utf-8")
    _, one_user, *_, last = next_commands(tmp_path, can_export=True)
    given = shlex.split(one_user)[2:]
    read = run_arguments(recommend, given, [], user={"type": str})
    assert (read["user"], read["run"]) == (user, str(tmp_path))
    assert last.startswith("emkd export ")


def lines_of(process):
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def test_the_program_is_named_as_it_was_called():
    python = sys.executable
    script = lines_of(run_process(python, "train.py", "--help"))
    assert script[0] == "usage: python train.py [--SETTING VALUE] ..."
    module = lines_of(run_process(python, "-m", "emkd_tf", "train", "--help"))
    assert module[0] == "usage: python -m emkd_tf train [--SETTING VALUE] ..."
    command = Path(python).with_name("emkd")
    if command.exists():
        shown = lines_of(run_process(str(command), "help", "train"))
        assert shown[0] == "usage: emkd train [--SETTING VALUE] ..."
        assert shown[1:] == script[1:] == module[1:]


def test_version_and_overview():
    module = (sys.executable, "-m", "emkd_tf")
    assert lines_of(run_process(*module, "--version")) == [f"emkd {__version__}"]
    overview = lines_of(run_process(*module, "help"))
    assert overview == lines_of(run_process(*module))
    for name in ("prepare", "train", "evaluate", "recommend", "export"):
        assert any(line.startswith(f"  {name} ") for line in overview)


@pytest.mark.parametrize("command", ["help", "train --help", "validate LOG"])
def test_an_output_that_nobody_reads_is_no_error(command, tmp_path):
    (tmp_path / "log.csv").write_text(GOOD)
    arguments = command.replace("LOG", str(tmp_path / "log.csv")).split()
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "emkd_tf", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        cwd=REPOSITORY,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, b"")


def test_help_of_an_unknown_command_is_one_line(capsys):
    assert main(["help", "trane"]) == 2
    assert "Unknown command `trane`. Did you mean `train`?" in capsys.readouterr().err


OURS = (
    *(
        "Data: ",
        "Columns",
        "Dropped rows: ",
        "First row dropped for ",
        "Run directory ",
        "epoch ",
        "Evaluating ",
    ),
    *("  ", "Continuing "),
)


@pytest.fixture(scope="module")
def at_home(tmp_path_factory):
    """A home with a log, and a run of it trained there by `~` without any setting of
    TensorFlow's own lines."""
    home = tmp_path_factory.mktemp("home")
    (home / "log.csv").write_text(GOOD + "u0,i1,99\n" * 3)
    arguments = {
        **{"interactions": "~/log.csv", "cache_dir": "~/cache", "name": "mine"},
        **{"hidden_units": 8, "num_networks": 2, "num_views": 2, "max_length": 4},
        **{"epochs": 1, "batch_size": 16, "preset": "masked"},
    }
    return home, as_user(home, "train", *flags(arguments))


def as_user(home, *arguments):
    """A command as a user's shell starts it, in another directory than the code."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    return subprocess.run(
        [sys.executable, "-m", "emkd_tf", *arguments],
        env={**environment, "HOME": str(home), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )


@pytest.mark.slow
def test_home_is_written_with_a_tilde(at_home):
    home, process = at_home
    assert process.returncode == 0, process.stderr
    assert (home / "runs" / "mine" / "metrics.json").exists()
    assert (home / "cache" / "prepared").is_dir()
    assert (home / "saved_models" / "mine" / "1").is_dir()
    assert "  emkd evaluate --run mine\n" in process.stdout


@pytest.mark.slow
def test_a_training_says_what_it_read_and_nothing_foreign(at_home):
    lines = at_home[1].stderr.splitlines()
    assert [line for line in lines if not line.startswith(OURS)] == []
    assert lines[0] == "Data: `log`, 20 users, 9 items, 121 actions, 0 attributes"
    assert "Dropped rows: 2 (duplicate rows)" in lines
    run = next(i for i, line in enumerate(lines) if line.startswith("Run directory"))
    *epochs, evaluating = lines[run + 1 :]
    assert all(line.startswith("epoch") for line in epochs)
    assert evaluating == "Evaluating and exporting the state of epoch 1."


@pytest.mark.slow
def test_a_run_by_its_name_and_a_user_by_id(at_home):
    home, _ = at_home
    evaluated = as_user(home, "evaluate", "--run=mine")
    assert (evaluated.returncode, evaluated.stderr) == (0, "")
    of_user = as_user(home, "recommend", "--run", "mine", "--user", "u3", "--k=3")
    assert (of_user.returncode, of_user.stderr) == (0, "")
    history = ",".join(f"i{(3 + t) % 9}" for t in range(6))
    same = as_user(home, "recommend", "--run=mine", f"--history={history}", "--k=3")
    assert of_user.stdout == same.stdout
    exported = as_user(home, "export", "--run=mine", "--k=3")
    assert (exported.returncode, exported.stderr) == (0, "")
    assert exported.stdout == f"Export: {home / 'saved_models' / 'mine' / '2'}\n"


def test_the_run_directory_holds_what_is_promised(finished_run):
    run_dir, settings, _ = finished_run
    names = {path.name for path in run_dir.iterdir()} - {".lock"}
    assert names == {
        *("config.yaml", "environment.json", "dataset.json", "history.jsonl"),
        *("metrics.json", "per_user.parquet", "checkpoints", "logs", "data"),
    }
    assert {p.name for p in (run_dir / "checkpoints").iterdir()} == {"best", "last"}
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert {
        *("dataset", "model", "protocol", "best_epoch", "validation", "test"),
        *("parameters", "seconds"),
    } <= set(metrics)
    kept = to_flat(read_config(run_dir))
    assert kept["interactions"] == str(settings["interactions"])
    assert kept["hidden_units"] == 8


def test_tensorboard_has_every_curve(finished_run):
    logs = finished_run[0] / "logs"
    curves = events.scalars(logs)
    assert {
        *("loss/total", "loss/masked_item", "loss/icl", "loss/ccl"),
        *("loss/distillation", "validation/NDCG@10", "validation/HR@10"),
        *("learning_rate", "examples_per_second", "memory/host"),
        *("divergence/1-2", "overlap/1-2", "validation/cross_entropy"),
        *("validation_of_best_epoch/NDCG@10", "test/MRR"),
    } <= set(curves)
    text = (finished_run[0] / "history.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    metrics = json.loads((finished_run[0] / "metrics.json").read_text())
    for name in ("loss/total", "validation/NDCG@10", "learning_rate"):
        expected = {row["step"]: row[name] for row in rows}
        assert curves[name] == pytest.approx(expected)
    for number in (1, 2):
        own = events.scalars(logs / f"network_{number}")
        expected = {row["step"]: row[f"network_{number}/NDCG@10"] for row in rows}
        assert own["validation/NDCG@10"] == pytest.approx(expected)
        assert "validation/cross_entropy" in own
        expected = {row["step"]: row[f"loss/network_{number}/icl"] for row in rows}
        assert own["loss/icl"] == pytest.approx(expected)
    (test,) = curves["test/NDCG@10"].values()
    assert test == pytest.approx(metrics["test"]["NDCG@10"])
    assert (logs / "projector_config.pbtxt").exists()


def test_a_run_is_not_overwritten(finished_run, capsys):
    assert main(["train", *flags(finished_run[1])]) == 2
    assert "holds no unfinished run; choose another --name" in capsys.readouterr().err
