"""Counts of datasets and weights, beside what was published."""

import pytest
import yaml

from emkd_tf.errors import InputError
from emkd_tf.experiments.counted import counts, parameters
from emkd_tf.experiments.grid import read_experiment


@pytest.fixture
def experiment(tmp_path):
    def write(**values):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({"datasets": ["sample"], **values}))
        return read_experiment(str(path))

    return write


def test_counts_of_a_dataset(experiment, cache):
    published = {"sample": {"users": {"value": 2000}}}
    text = counts(
        experiment(kind="counts", published=published), [f"--cache-dir={cache}"]
    )
    rows = {row[0]: row[1:] for row in text.rows}
    assert rows["sample, users"] == ["2,000", "2000"]
    assert rows["sample, sparsity"][0].endswith(" %")


def test_weights_of_encoders(experiment, cache):
    """Embedding and positions of V + 2 items and L places, and one block."""
    settings = {"model": "sasrec", "hidden_units": 16, "max_length": 10}
    grid = experiment(
        kind="parameters",
        rows={
            "one": {**settings, "num_blocks": 1},
            "two": {**settings, "num_blocks": 2},
        },
        published={"sample": {"one": {"M": 0.01}}},
    )
    text = parameters(grid, [f"--cache-dir={cache}"])
    assert [row[3] for row in text.rows] == ["0.01", ""]
    assert all(0 < float(row[1]) == float(row[2]) < 0.2 for row in text.rows)
    assert text.header == ["row", "sample, encoders", "all", "published"]


def test_a_model_that_counts_has_no_weights(experiment, cache):
    grid = experiment(kind="parameters", rows={"pop": {"model": "poprec"}})
    with pytest.raises(InputError, match="Row 'pop' of mine: PopRec has no weights"):
        parameters(grid, [f"--cache-dir={cache}"])
