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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rowz": {}}, "unknown key `rowz`. Did you mean `rows`"),
        ({"metrics": ["Recall@10"]}, "`metrics` 'Recall@10' is unknown"),
        ({"metrics": "NDCG@10"}, "`metrics` must be a list"),
        ({"metrics": []}, "`metrics` must be a list"),
        ({"metrics": [["HR@10"]]}, "`metrics` .'HR@10'. is unknown"),
        ({"x": "dropuot"}, "`x` 'dropuot' is unknown. Did you mean `dropout`"),
        ({"x": "dropout"}, "`x` is `dropout`, which no row sets"),
        ({"title": 2024}, "`title` must be text; put it in quotes"),
        ({"note": ["a", "b"]}, "`note` must be text"),
        ({"datasets": None}, r"`datasets` must be a list of names, as \[sample\]"),
        ({"datasets": []}, "`datasets` must be a list of names"),
        ({"datasets": "sample"}, "`datasets` must be a list of names"),
        ({"datasets": [["sample"]]}, "`datasets` must be a list of names"),
        ({"rows": None}, "`rows` must hold at least one row"),
        ({"kind": "parameters", "rows": {}}, "`rows` must hold at least one row"),
        ({"published": {"sample": {"b": {}}}}, "has the unknown 'b'. Known are: a"),
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"rows: [1\n", "is not valid YAML"),
        ("title: café\n".encode("latin-1"), "is not valid YAML"),
        (b"rows:\n  1: {}\n  '1': {}\n", "line 3 has the key `1` again"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(content, message, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_experiment(str(broken))
