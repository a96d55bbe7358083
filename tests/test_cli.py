"""The command line as a user meets it: exit codes, errors, what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emkd_tf.cli import main
from emkd_tf.config import to_flat
from emkd_tf.training.run_dir import read_config

REPOSITORY = Path(__file__).resolve().parent.parent
GOOD = "user,item,time\n" + "".join(
    f"u{u},i{(u + t) % 9},{t}\n" for u in range(20) for t in range(6)
)


def flags(settings):
    return [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]


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
    "missing column": ("user,item\nx,y\n", "has no time column"),
    "non-numeric time": (GOOD + "x,y,noon\n", "line 122: column 'time' holds 'noon'"),
    "empty file": ("", "is empty"),
    "users too short": ("user,item,time\na,x,1\na,y,2\n", "No user of `log` is left"),
    "duplicate rows alone": ("user,item,time\n" + "a,x,1\n" * 9, "duplicate rows': 8"),
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
        (["evaluate", "--run=nowhere"], "nowhere is no run directory"),
        (
            ["evaluate", "--run=x", "--split=train"],
            "`split` must be test or validation",
        ),
        (["recommend", "--run=nowhere"], "needs --history"),
        (["recommend", "--run=x", "--history=a", "--k=0"], "`k` must be at least 1"),
        (["export", "--run=nowhere"], "nowhere is no run directory"),
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
    *table, export, last = process.stdout.splitlines()
    assert any("PopRec" in line for line in table)
    assert any("network_2" in line for line in table)
    assert export == f"Export: {settings['saved_models_dir'] / 'tiny' / '1'}"
    assert last.startswith(f"Run: {run_dir}  test NDCG@10 0.")
    assert "epoch 2/2" in process.stderr


def test_the_run_directory_holds_what_is_promised(finished_run):
    run_dir, settings, _ = finished_run
    names = {path.name for path in run_dir.iterdir()} - {".lock"}
    assert names == {
        *("config.yaml", "environment.json", "dataset.json", "history.jsonl"),
        *("metrics.json", "per_user.parquet", "checkpoints", "logs"),
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
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(finished_run[0] / "logs"))
    events.Reload()
    assert {
        *("loss/total", "loss/masked_item", "loss/icl", "loss/ccl"),
        *("loss/distillation", "validation/NDCG@10", "validation/HR@10"),
        *("network_1/NDCG@10", "network_2/NDCG@10"),
        *("learning_rate", "examples_per_second"),
    } <= set(events.Tags()["tensors"])


def test_a_run_is_not_overwritten(finished_run, capsys):
    assert main(["train", *flags(finished_run[1])]) == 2
    assert "holds no unfinished run; choose another --name" in capsys.readouterr().err
