"""Published values: numbers of the experiment's own datasets, rows and metrics."""

from pathlib import Path

import pytest

from emkd_tf.errors import InputError
from emkd_tf.experiments.published import read_published


def read(published, kind="runs"):
    values = {"published": published}
    of = (["sample"], ["pop", "1"], ["NDCG@10"])
    return read_published(Path("mine.yaml"), values, kind, *of)


def test_labels_are_text():
    assert read({"sample": {1: {"NDCG@10": 1}}}) == {"sample": {"1": {"NDCG@10": 1}}}
    assert read(None) == {}


def test_each_kind_has_its_values():
    counted = {"sample": {"users": {"value": "22,363"}}}
    assert read(counted, "counts") == counted
    weights = {"sample": {"pop": {"M": 4.69}}}
    assert read(weights, "parameters") == weights


@pytest.mark.parametrize(
    ("published", "kind", "message"),
    [
        ([1], "runs", "`published` must hold `name: value` lines"),
        ({"sample": None}, "runs", "`published` of sample must hold `name: value`"),
        ({"sample": {"pop": 0.01}}, "runs", "`published` of sample, pop must hold"),
        ({"samlpe": {}}, "runs", "unknown 'samlpe'. Did you mean `sample`"),
        ({"sample": {"popp": {}}}, "runs", "unknown 'popp'. Did you mean `pop`"),
        ({"sample": {"pop": {"NDGC@10": 1}}}, "runs", "Did you mean `NDCG@10`"),
        ({"sample": {"pop": {"NDCG@10": "1"}}}, "runs", "must be a number, got '1'"),
        ({"sample": {"pop": {"NDCG@10": None}}}, "runs", "a number, got None"),
        ({"sample": {"users": 5}}, "counts", "of sample, users must hold"),
        ({"sample": {"users": {"value": [5]}}}, "counts", "must be a number, got"),
        ({"sample": {"cars": {"value": 5}}}, "counts", "unknown 'cars'. Known are"),
        ({"sample": {"pop": {"NDCG@10": 1}}}, "parameters", "Known are: M"),
    ],
)
def test_mistakes_are_one_line(published, kind, message):
    with pytest.raises(InputError, match=message) as caught:
        read(published, kind)
    assert str(caught.value).startswith("mine.yaml: ")
    assert "\n" not in str(caught.value)
