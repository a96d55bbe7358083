"""The trainings of an experiment: what rows take, and what their runs are called."""

import pytest
from experiment_runs import write

from emkd_tf.config import from_flat, to_flat
from emkd_tf.errors import InputError
from emkd_tf.experiments import cells as trainings
from emkd_tf.experiments.cells import cell_of, cells
from emkd_tf.experiments.grid import read_experiment
from emkd_tf.training.command_line import read_training
from emkd_tf.training.run_config import write_config


def test_rows_take_what_is_theirs(tmp_path):
    rows = {"wide": {"hidden_units": 128, "preset": "fair"}, "thin": {}}
    base = {"model": "sasrec", "dropout": 0.1}
    path = write(tmp_path, rows=rows, base=base, preset="paper")
    wide, thin = cells(read_experiment(path), "beauty")
    assert wide.config.model.hidden_units == 128
    assert wide.config.objective.item_loss == "full"
    assert thin.config.objective.item_loss == "bce"
    assert wide.config.model.dropout == thin.config.model.dropout == 0.1
    smoke = cells(read_experiment(path), "beauty", preset="smoke")
    assert {cell.config.training.epochs for cell in smoke} == {2}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"protocol": "window"}, "`protocol` are unseen and window"),
        ({"recommend_seen": True}, "`protocol` are unseen and all"),
        ({"split": "user"}, "`split` are leave_one_out and user"),
        ({"item_core": 7}, "`item_core` are 5 and 7"),
    ],
)
def test_rows_that_cannot_be_compared_are_not_trained(tmp_path, setting, message):
    rows = {"a": {"model": "markov"}, "b": {"model": "markov", **setting}}
    with pytest.raises(InputError, match=f"Rows 'a' and 'b' .* {message}"):
        cells(read_experiment(write(tmp_path, rows=rows)), "beauty")


def test_rows_may_share_another_protocol_and_differ_in_what_models_read(tmp_path):
    rows = {"long": {"max_length": 30}, "random": {"history_order": "random"}}
    base = {"model": "sasrec", "protocol": "window", "split": "user"}
    path = write(tmp_path, rows=rows, base=base)
    assert len(cells(read_experiment(path), "beauty")) == 2


def test_a_run_is_named_by_what_decides_it(tmp_path):
    def name(**row):
        path = write(tmp_path, rows={"a": {"model": "sasrec", **row}})
        return cells(read_experiment(path), "beauty")[0].run_dir.name

    assert name() == name(k=7) != name(dropout=0.25)
    other_seed = cells(read_experiment(write(tmp_path)), "beauty", seeds=2)[1]
    assert other_seed.run_dir.name == name().replace("seed0", "seed1")


def test_a_run_of_another_log_is_another_run(tmp_path):
    path, log = write(tmp_path), tmp_path / "log.csv"

    def name(text, file=log):
        file.write_text(text)
        trainings._own_hashes.cache_clear()  # as in another process
        flags = [f"--interactions={file}"]
        return cells(read_experiment(path), "log", flags=flags)[0].run_dir.name

    moved = tmp_path / "elsewhere" / "log.csv"
    moved.parent.mkdir()
    assert name("a log") == name("a log", moved) != name("another log")


def test_the_flags_of_a_cell_give_its_config(tmp_path):
    from emkd_tf.config.flags import read_settings

    (cell,) = cells(read_experiment(write(tmp_path)), "toys", flags=["--runs-dir=x"])
    again = read_settings("emkd train", "", cell.arguments).config
    assert to_flat(again) == to_flat(cell.config)
    assert cell.run_dir.parent.name == "x"


def test_a_run_of_another_teacher_is_another_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    teacher = tmp_path / "runs" / "teacher"
    teacher.mkdir(parents=True)
    write_config(teacher, from_flat({"dataset": "beauty"}))

    def name(distill):
        row = {"model": "distilled", "distill": str(distill)}
        path = write(tmp_path, rows={"a": row})
        return cells(read_experiment(path), "beauty")[0].run_dir.name

    (teacher / "metrics.json").write_text("{}")
    first = name(teacher)
    assert first == name("runs/teacher") == name("teacher") == name("runs/x/../teacher")
    (teacher / "metrics.json").write_text('{"trained": "anew"}')
    assert name(teacher) != first


def test_a_run_of_other_settings_is_not_taken_for_one(tmp_path):
    """The defaults of another version, which are left out of its name."""
    experiment = read_experiment(write(tmp_path))
    flags = [f"--runs-dir={tmp_path}"]
    (cell,) = cells(experiment, "beauty", flags=flags)
    cell.run_dir.mkdir()
    write_config(cell.run_dir, cell.config)
    cells(experiment, "beauty", flags=flags)
    config = cell.run_dir / "config.yaml"
    config.write_text(config.read_text().replace("item_core: 5", "item_core: 7"))
    with pytest.raises(InputError, match="`item_core` was 7, is 5; move it away"):
        cells(experiment, "beauty", flags=flags)


@pytest.mark.parametrize("model", ["emkd", "sasrec"])
def test_a_cell_is_what_its_command_trains(model):
    """Also without a preset, where `emkd train` takes the model's own."""
    cell = cell_of("one", ["--dataset=sample", f"--model={model}", "--epochs=3"])
    trained = read_training("emkd train", "", cell.arguments).settings.config
    assert cell.config == trained
    assert (cell.config.objective.task == "next_item") == (model == "emkd")
