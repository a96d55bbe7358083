"""Experiments as data: every file plans, and what is wrong is one line."""

import pytest
import yaml

from emkd_tf.config import to_flat
from emkd_tf.errors import InputError
from emkd_tf.experiments import grid
from emkd_tf.experiments.grid import cells, names, read_experiment

OF_THE_PAPER = {f"table{n}" for n in range(1, 6)} | {f"figure{n}" for n in (3, 4, 5)}


def test_every_table_and_figure_of_the_paper_has_its_file():
    assert set(names()) >= OF_THE_PAPER


@pytest.mark.parametrize("name", names())
def test_every_row_is_a_training_that_can_begin(name):
    experiment = read_experiment(name)
    assert experiment.title
    for dataset, rows in experiment.published.items():
        assert dataset in experiment.datasets
        assert experiment.kind == "counts" or set(rows) <= set(experiment.rows)
    if experiment.kind == "counts":
        return
    for dataset in experiment.datasets:
        seeds = 2 if dataset == experiment.datasets[0] else 1
        found = cells(experiment, dataset, seeds=seeds)
        assert len(found) == seeds * len(experiment.rows)
        assert len({cell.run_dir for cell in found}) == len(found)


def write(tmp_path, **values):
    path = tmp_path / "mine.yaml"
    content = {"rows": {"a": {"model": "sasrec"}}, **values}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


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


def test_vary_makes_a_row_of_each_value(tmp_path):
    path = write(tmp_path, vary={"dropout": [0.1, 0.2], "num_blocks": [2]})
    experiment = read_experiment(path)
    assert list(experiment.rows) == ["a dropout 0.1", "a dropout 0.2", "a num_blocks 2"]
    assert experiment.rows["a dropout 0.2"] == {"model": "sasrec", "dropout": 0.2}


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
        grid._own_hashes.cache_clear()  # as in another process
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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rowz": {}}, "unknown key `rowz`. Did you mean `rows`"),
        ({"rows": [1]}, "`rows` must hold settings by label"),
        ({"kind": "cars"}, "`kind` must be one of runs, counts, parameters"),
        ({"baseline": "b"}, "`baseline` 'b' is none of its rows"),
    ],
)
def test_mistakes_in_a_file_are_one_line(values, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        read_experiment(write(tmp_path, **values))
    assert "\n" not in str(caught.value)


def test_unknown_names_and_bad_rows(tmp_path):
    with pytest.raises(InputError, match=r"no experiment `tabel4`\. Did you mean"):
        read_experiment("tabel4")
    path = write(tmp_path, rows={"b": {"model": "sasrec", "num_views": 3}})
    with pytest.raises(InputError, match="Row 'b' of mine: `num_views` is no setting"):
        cells(read_experiment(path), "beauty")
    broken = tmp_path / "broken.yaml"
    broken.write_text("rows: [1\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        read_experiment(str(broken))
