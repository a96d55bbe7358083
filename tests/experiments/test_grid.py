"""Experiments as data: every file plans, and what is wrong is one line."""

import pytest
from experiment_runs import write

from emkd_tf.errors import InputError
from emkd_tf.experiments.cells import cells
from emkd_tf.experiments.grid import names, read_experiment

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


def test_vary_makes_a_row_of_each_value(tmp_path):
    path = write(tmp_path, vary={"dropout": [0.1, 0.2], "num_blocks": [2]})
    experiment = read_experiment(path)
    assert list(experiment.rows) == ["a dropout 0.1", "a dropout 0.2", "a num_blocks 2"]
    assert experiment.rows["a dropout 0.2"] == {"model": "sasrec", "dropout": 0.2}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rowz": {}}, "unknown key `rowz`. Did you mean `rows`"),
        ({"rows": [1]}, "`rows` must hold settings by label"),
        ({"rows": {"a": [1]}}, "`rows` must hold `setting: value` lines"),
        ({"rows": {"a": {"seed": 7}}}, "leave `seed` out of `rows`: --seeds says"),
        ({"base": "sasrec"}, "`base` must hold `setting: value` lines"),
        ({"base": {"test": False}}, "leave `test` out of `base`: a report is of"),
        ({"vary": {"decay": 0.1}}, "`vary` must hold a list for `decay`"),
        ({"vary": {"seed": [1, 2]}}, "leave `seed` out of `vary`"),
        ({"metrics": ["Recall@10"]}, "`metrics` 'Recall@10' is unknown"),
        ({"metrics": "NDCG@10"}, "`metrics` must be a list"),
        ({"metrics": []}, "`metrics` must be a list"),
        ({"x": "dropuot"}, "`x` 'dropuot' is unknown. Did you mean `dropout`"),
        ({"kind": "cars"}, "`kind` must be one of runs, counts, parameters"),
        ({"baseline": "b"}, "`baseline` 'b' is unknown. Known are: a"),
    ],
)
def test_mistakes_in_a_file_are_one_line(values, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        read_experiment(write(tmp_path, **values))
    assert "\n" not in str(caught.value)


def test_a_label_that_yaml_takes_for_a_number_is_a_label(tmp_path):
    path = write(tmp_path, rows={1: {"model": "sasrec"}}, baseline=1)
    assert read_experiment(path).baseline == "1"


def test_unknown_names_and_bad_rows(tmp_path):
    with pytest.raises(InputError, match=r"no experiment `tabel4`\. Did you mean"):
        read_experiment("tabel4")
    path = write(tmp_path, rows={"b": {"model": "sasrec", "num_views": 3}})
    with pytest.raises(
        InputError, match="Row 'b' of mine: `num_views` is not a setting"
    ):
        cells(read_experiment(path), "beauty")
    broken = tmp_path / "broken.yaml"
    broken.write_text("rows: [1\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        read_experiment(str(broken))
