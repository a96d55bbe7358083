"""The rows of an experiment: what `vary` makes of them, and what none can have."""

from pathlib import Path

import pytest

from emkd_tf.errors import InputError
from emkd_tf.experiments.grid_rows import read_rows

ROWS = {"a": {"model": "sasrec"}}


def test_vary_makes_a_row_of_each_value():
    vary = {"dropout": [0.1, 0.2], "num_blocks": [2]}
    rows = read_rows(Path("mine.yaml"), {"rows": ROWS, "vary": vary})
    assert list(rows) == ["a dropout 0.1", "a dropout 0.2", "a num_blocks 2"]
    assert rows["a dropout 0.2"] == {"model": "sasrec", "dropout": 0.2}


def test_vary_needs_no_rows():
    rows = read_rows(Path("mine.yaml"), {"vary": {"dropout": [0.1]}})
    assert rows == {"dropout 0.1": {"dropout": 0.1}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": [1]}, "`rows` must hold settings by label"),
        ({"rows": {"a": [1]}}, "`rows` must hold `setting: value` lines"),
        ({"rows": {"a": {"seed": 7}}}, "leave `seed` out of `rows`: --seeds says"),
        ({"base": "sasrec"}, "`base` must hold `setting: value` lines"),
        ({"base": {"test": False}}, "leave `test` out of `base`: a report is of"),
        ({"base": {"dataset": "toys"}}, "leave `dataset` out of `base`: --dataset"),
        ({"rows": {"a": {"interactions": "a.csv"}}}, "leave `interactions` out of"),
        ({"base": {"attributes": "a.csv"}}, "`attributes` out of `base`: --attributes"),
        ({"vary": {"dataset": ["toys"]}}, "leave `dataset` out of `vary`"),
        ({"vary": {"decay": 0.1}}, "`vary` must hold a list for `decay`"),
        ({"vary": {"decay": []}}, "`vary` must hold a list for `decay`"),
        ({"vary": {"decay": [0.1, "0.1"]}}, "`vary` has `decay` 0.1 twice"),
        ({"vary": {"seed": [1, 2]}}, "leave `seed` out of `vary`"),
    ],
)
def test_mistakes_are_one_line(values, message):
    with pytest.raises(InputError, match=f"mine.yaml: .*{message}") as caught:
        read_rows(Path("mine.yaml"), {"rows": ROWS, **values})
    assert "\n" not in str(caught.value)
