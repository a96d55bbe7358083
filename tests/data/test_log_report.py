"""The report on a log, against counting by hand and against what is prepared."""

import shlex

import pytest

from emkd_tf.config import from_flat, to_flat
from emkd_tf.config.files import layered
from emkd_tf.config.flags import read_settings
from emkd_tf.data.log_report import next_command, validate
from emkd_tf.data.own_files import order_line
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError

ROWS = [
    "user_id,item_id,timestamp,note",  # line 1
    *("a,x,1400000000,", "a,y,1400000000,", "a,x,1400000600,", "a,z,1400001000,"),
    "nan,x,1400000000,",  # line 6
    *("b,x,1400000000,", "b,y,1400000500,", "b,y,1400000500,", "b,z,1400002000,"),
    "c,x,1400000000,",  # line 11
    "d,,1400000000,",
    *("e,x,1400000000,", "e,y,1400000001,"),
]


@pytest.fixture
def report_of(tmp_path):
    def report(*rows, **settings):
        log = tmp_path / "log.csv"
        log.write_text("\n".join(rows) + "\n")
        values = {"user_core": 2, "item_core": 1, **settings}
        config = from_flat(
            {**layered("own", "masked", []), **values, "interactions": str(log)}
        )
        return validate(config, "masked"), config

    return report


def test_every_figure_by_hand(report_of, cache):
    found, config = report_of(*ROWS, cache_dir=cache)
    assert (found["rows"], found["actions"]) == (13, 11)
    assert (found["users"], found["items"]) == (4, 3)
    assert found["columns"]["user"] == "user_id"
    assert found["unused_columns"] == ["note"]
    assert found["times"] == {
        "earliest": "2014-05-13 16:53:20",
        "latest": "2014-05-13 17:26:40",
        "per_second": 1,
    }
    assert found["actions_per_user"] == {"median": 3.0, "p90": 4.0, "max": 4}
    assert found["actions_per_item"] == {"median": 4.0, "p90": 4.8, "max": 5}
    assert (found["repeats"], found["ties_in_time"]) == (1, 2)
    places = {
        "no user": (1, 6),
        "no item": (1, 12),
        "duplicate rows": (1, 9),
        "k-core": (1, 11),
        "users with fewer than 3 actions": (2, 13),
    }
    assert found["dropped_rows"] == {
        reason: {"rows": rows, "first": f"{config.data.interactions} line {line}"}
        for reason, (rows, line) in places.items()
    }
    assert found["left"] == {"users": 2, "items": 3, "actions": 7}
    description = prepare(config.data).description
    assert {key: description[key] for key in found["left"]} == found["left"]
    assert found["estimate"]["windows"] == 2
    assert found["estimate"]["seconds"] > 0


def test_the_next_command_reads_the_same_data(report_of):
    found, config = report_of(*ROWS, since="2014-01-01", duplicates="drop")
    words = shlex.split(found["next"])
    assert words[:2] == ["emkd", "train"]
    again = read_settings("emkd train", "", words[2:]).config
    assert again.data == config.data.__class__(
        **{**vars(config.data), "dataset": "log"}
    )
    assert " --preset masked" in next_command(config, "masked")
    other = from_flat({**to_flat(config), "model": "sasrec"})
    assert " --model sasrec" in next_command(other, None)


def test_the_next_command_has_the_settings_that_were_estimated(report_of):
    found, config = report_of(*ROWS, max_length=7, num_blocks=3)
    words = shlex.split(found["next"])
    again = to_flat(read_settings("emkd train", "", words[2:]).config)
    expected = to_flat(config)
    keys = set(expected) - {"dataset"}
    assert {k: again[k] for k in keys} == {k: expected[k] for k in keys}


def test_a_counted_model_has_no_epochs_to_estimate(report_of):
    _, config = report_of(*ROWS)
    counted = from_flat({**to_flat(config), "model": "poprec"})
    assert validate(counted, None)["estimate"] is None


def test_without_times_and_with_nothing_left(report_of):
    found, _ = report_of("user,item", "a,x", "a,y")
    assert (found["order"], found["times"]) == ("rows of the file", None)
    assert found["ties_in_time"] == 0
    assert (found["left"]["users"], found["estimate"], found["next"]) == (0, None, None)
    with pytest.raises(InputError, match=r"No user of .* is left: dropped rows were "):
        report_of("user,item", "nan,x")


def test_attributes_and_what_is_left_out_of_them(report_of, tmp_path):
    items = tmp_path / "items.csv"
    rows = ["item_id,title,kind", *(f"{i},A thing called {i},k" for i in "xyzw")]
    items.write_text("\n".join(rows))
    found, _ = report_of(*ROWS, attributes=str(items))
    assert found["attributes"] == {
        "file": str(items),
        "item_column": "item_id",
        "columns": ["kind"],
        "left_out": {"title": "free text"},
        "values": 1,
        "items_with_attributes": 3,
    }


def test_what_a_training_refuses_is_the_problem_and_nothing_is_next(report_of):
    assert report_of(*ROWS)[0]["problem"] is None
    refused = {
        "lower --user-core or --item-core": {"user_core": 99},
        "`split` global_time needs times": {"split": "global_time"},
    }
    untimed = ["user_id,item_id", *("a,x", "a,y", "a,z"), *("b,x", "b,y", "b,z")]
    for text, settings in refused.items():
        found, _ = report_of(*untimed, **settings)
        assert text in found["problem"]
        assert found["next"] is None


def test_attributes_of_other_items_are_the_problem(report_of, tmp_path):
    attributes = tmp_path / "items.csv"
    attributes.write_text("item_id,brand\n7,b\n")
    found, _ = report_of(*ROWS, attributes=str(attributes))
    assert "the log has 'x', the attributes '7'" in found["problem"]


def test_a_column_that_looks_like_times_is_named(report_of):
    rows = [
        "user_id,item_id,clicked",
        "a,x,1400000000",
        "a,y,1400000100",
        "a,z,1400000200",
    ]
    found, _ = report_of(*rows)
    assert (found["order"], found["likely_times"]) == ("rows of the file", ["clicked"])
    line = order_line(found["likely_times"])
    assert line.endswith("But `clicked` looks like times: --time-column clicked.")
