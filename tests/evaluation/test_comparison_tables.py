"""The tables of a comparison, from rows made by hand."""

from emkd_tf.evaluation.comparison import Difference, Estimate
from emkd_tf.evaluation.comparison_report import Row
from emkd_tf.evaluation.comparison_tables import comparison_tables
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.evaluation.statistics import Interval

ONE = Estimate(0.125, Interval(0.11, 0.14), None)
MANY = Estimate(0.25, Interval(0.2, 0.3), Interval(0.24, 0.26))


def test_tables():
    told = Difference(-0.1, Interval(-0.2, 0.01), Interval(-0.3, 0.4), 3e-5, 0.0401)
    rows = [Row("a", 3, metric, "", "", 50, MANY) for metric in METRICS]
    rows += [Row("b", 1, metric, "", "", 50, ONE) for metric in METRICS[:-1]]
    rows += [Row("b", 1, "MRR", "", "", 50, ONE, told)]
    for part, users in (("up to 5", 1_020), ("6-10", 30)):
        for name, found in (("a", MANY), ("b", ONE)):
            seeds = 3 if name == "a" else 1
            rows.append(Row(name, seeds, "MRR", "history length", part, users, found))
    whole, seeds, differences, by_length = comparison_tables(
        rows, "shop, test", "MRR", "a, the best"
    )
    assert whole.title == "shop, test; ± 95 % over users"
    assert whole.header == ["run", *METRICS]
    assert whole.rows == [
        ["a (3 seeds)", *["0.2500 ±0.0500"] * 7],
        ["b", *["0.1250 ±0.0150"] * 7],
    ]
    assert seeds.rows == [["a (3 seeds)", *["0.2500 ±0.0100"] * 7]]
    assert differences.title == "MRR beside a, the best"
    assert differences.rows == [
        [
            *("b", "-0.1000", "-0.2000 to +0.0100", "<0.0001"),
            *("-0.3000 to +0.4000", "0.0401"),
        ]
    ]
    assert by_length.title == "MRR by history length (users); ± 95 % over users"
    assert by_length.header == ["run", "up to 5 (1,020)", "6-10 (30)"]
    assert by_length.rows[1] == ["b", "0.1250 ±0.0150", "0.1250 ±0.0150"]


def test_a_single_run_has_nothing_to_differ_from():
    rows = [Row("a", 1, metric, "", "", 50, ONE) for metric in METRICS]
    (table,) = comparison_tables(rows, "shop", "MRR", "a")
    assert len(table.rows) == 1
