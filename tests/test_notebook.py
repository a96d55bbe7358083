"""The library as a notebook uses it."""

import gzip
import json
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import emkd_tf
from emkd_tf.atomic_files import read_json
from emkd_tf.errors import InputError
from emkd_tf.notebook.run import Run

SMALL = {"hidden_units": 8, "epochs": 2, "max_length": 6, "batch_size": 16}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"i{(user * 3 + place * 2) % 17}", 100 * user + place)
        for user in range(40)
        for place in range(int(rng.integers(6, 10)))
    ]
    return pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def log(frame, home):
    return emkd_tf.prepare(interactions=frame, cache_dir=str(home / "cache"))


@pytest.fixture(scope="module")
def run(log, home):
    folders = {"runs_dir": str(home / "runs"), "export": False}
    return emkd_tf.train(log, model="sasrec", preset="fair", **folders, **SMALL)


def test_a_frame_is_a_log(log, frame):
    assert log.description["users"] == 40
    assert log.description["actions"] == len(frame)


@pytest.mark.parametrize("kind", ["lazy", "pandas", "arrow", "path"])
def test_other_tables_are_the_same_log(kind, log, frame, home, tmp_path):
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    tables = {
        "lazy": frame.lazy,
        "pandas": frame.to_pandas,
        "arrow": frame.to_arrow,
        "path": lambda: path,
    }
    again = emkd_tf.prepare(interactions=tables[kind](), cache_dir=str(home / "cache"))
    np.testing.assert_array_equal(again.histories.items, log.histories.items)


def test_a_table_or_a_path_may_come_first(frame, log, home, tmp_path):
    path, cache = tmp_path / "mine.csv", {"cache_dir": str(home / "cache")}
    frame.write_csv(path)
    for table in (frame, frame.to_pandas(), path, str(path)):
        found = emkd_tf.prepare(table, **cache)
        np.testing.assert_array_equal(found.histories.items, log.histories.items)
    assert found.description["name"] == "mine"
    with gzip.open(tmp_path / "mine.csv.gz", "wb") as packed:
        packed.write(path.read_bytes())
    packed = emkd_tf.prepare(tmp_path / "mine.csv.gz", **cache)
    assert packed.description["name"] == "mine"
    folder = tmp_path / "logs"
    folder.mkdir()
    frame.write_parquet(folder / "part-0.parquet")
    found = emkd_tf.prepare(str(folder), **cache)
    np.testing.assert_array_equal(found.histories.items, log.histories.items)
    with pytest.raises(InputError, match="The table of `interactions` has no rows"):
        emkd_tf.prepare(frame.clear(), **cache)


def test_what_is_no_table_is_one_line(home):
    with pytest.raises(InputError, match="polars, pandas or Arrow table, got int"):
        emkd_tf.prepare(interactions=3, cache_dir=str(home))


@pytest.mark.parametrize("log", ["logs/mine.csv", "mine.csv", "~/logs/mine"])
def test_a_path_that_is_not_there_is_no_dataset(log):
    with pytest.raises(InputError, match=r"mine.* does not exist; check the path"):
        emkd_tf.prepare(log)
    with pytest.raises(InputError, match=r"Unknown dataset `mine`"):
        emkd_tf.prepare("mine")


@pytest.fixture(scope="module")
def counted(frame, home):
    """A run of a frame and its attributes, with settings of the data beside those of
    the training."""
    kinds = pl.col("item").str.slice(1).cast(pl.Int64) % 3
    items = frame.select(pl.col("item").unique()).with_columns(kind=kinds, x=kinds > 1)
    return emkd_tf.train(
        frame.rename({"user": "who"}),
        **{"model": "poprec", "attributes": items, "attribute_columns": ["kind"]},
        **{"user_column": "who", "dataset": "shop", "user_core": 7},
        **{"cache_dir": home / "cache", "runs_dir": home / "runs"},
    )


def test_a_training_takes_settings_of_its_data(counted, frame):
    described = read_json(counted.path / "dataset.json")
    lengths = frame.group_by("user").len()["len"]
    assert described["users"] == (lengths >= 7).sum() < len(lengths)
    assert (described["name"], described["attributes"]) == ("shop", 3)
    assert counted.config.data.user_column == "who"


def test_tables_and_settings_of_a_prepared_log_may_be_others(log, frame, home):
    bad = pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(InputError, match="Column `x` of `attributes` cannot be read"):
        emkd_tf.train(log, model="poprec", attributes=bad)
    with pytest.raises(InputError, match="`config` must be text, a number, a path"):
        emkd_tf.train(log, model="poprec", config=emkd_tf.Config())
    folders = {"runs_dir": home / "runs"}
    part = emkd_tf.train(log, model="poprec", interactions=frame.head(200), **folders)
    assert read_json(part.path / "dataset.json")["actions"] <= 200


def test_shuffled_histories_are_evaluated_as_they_were_trained(log, home):
    settings = {"model": "markov", "history_order": "random"}
    run = emkd_tf.train(log, **settings, runs_dir=home / "runs", name="shuffled")
    again = run.evaluate().filter(pl.col("protocol") == "unseen").row(0, named=True)
    first = read_json(run.path / "metrics.json")["test"]
    assert {key: again[key] for key in first} == pytest.approx(first)


def test_a_counted_model_has_no_epochs(counted):
    assert counted.history.is_empty()
    assert counted.history["epoch"].to_list() == []


def test_titles_may_be_a_table(counted, frame, tmp_path):
    titles = frame.select(pl.col("item").unique()).with_columns(
        title=pl.format("Title of {}", "item")
    )
    page = counted.report(tmp_path / "report", titles=titles)
    assert "Title of i" in page.read_text()


def test_what_cannot_be_opened_is_one_line(counted, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(counted.path / "config.yaml", copy)
    (copy / "metrics.json").write_text('{"test":')
    damaged = emkd_tf.open_run(copy)
    assert damaged.config.model.model == "poprec"
    with pytest.raises(InputError, match=r"metrics\.json is missing or damaged"):
        damaged.metrics  # noqa: B018


def test_folders_are_called_as_the_argument(run, counted, frame, tmp_path):
    (tmp_path / "file").touch()
    for write in (counted.report, run.export):
        with pytest.raises(InputError, match=r"file cannot be written .*`folder`"):
            write(tmp_path / "file")
        with pytest.raises(InputError, match="`folder` must be a path, got DataFrame"):
            write(frame)


def test_a_training_returns_its_run(run):
    assert 0 <= run.metrics["test"]["NDCG@10"] <= 1
    assert run.history["epoch"].to_list() == [1, 2]
    assert run.config.model.hidden_units == 8
    assert repr(run).startswith("Run('")


def test_a_history_has_the_columns_of_all_its_epochs(tmp_path):
    """A long pre-training has no validation."""
    lines = [{"epoch": n, "stage": "pretraining"} for n in range(1, 151)]
    lines.append({"epoch": 1, "stage": "fine", "validation/NDCG@10": 0.25})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "history.jsonl").write_text(text)
    history = Run(tmp_path).history
    assert len(history) == 151
    assert history["validation/NDCG@10"].drop_nulls().to_list() == [0.25]


def test_evaluating_again_gives_the_metrics_of_the_run(run):
    found = emkd_tf.open_run(run.path).evaluate()
    own = found.filter(protocol="unseen")["NDCG@10"].item()
    assert own == pytest.approx(run.metrics["test"]["NDCG@10"])
    assert run.evaluate("validation").height == 3
    with pytest.raises(InputError, match="one of validation, test"):
        run.evaluate("all")


def test_lists_have_a_row_an_item_and_leave_out_what_was_seen(run):
    lists = run.recommend([["i1", "i4"], ["i2"]], k=3)
    assert lists.columns == ["history", "rank", "item", "score"]
    assert lists["rank"].to_list() == [1, 2, 3] * 2
    assert not set(lists.filter(history=0)["item"]) & {"i1", "i4"}
    assert lists.filter(history=1)["score"].is_sorted(descending=True)
    assert run.recommend([["i1"]], k=100).height == 16  # of 17 items


def test_what_is_no_list_of_histories_is_one_line(run):
    frame = pl.DataFrame({"history": [["i1"]]})
    for histories in ("i1", ["i1", "i2"], frame, [frame], [3], None, 5):
        with pytest.raises(InputError, match="must be lists of item ids, one list a"):
            run.recommend(histories)
    for call in (lambda: run.recommend([["i1"]], k=0), lambda: run.export("x", k=0)):
        with pytest.raises(InputError, match="`k` must be at least 1, got 0"):
            call()
    for k in ("3", 2.5, True):
        with pytest.raises(InputError, match="`k` must be a whole number, got"):
            run.recommend([["i1"]], k=k)
        with pytest.raises(InputError, match="`k` must be a whole number, got"):
            run.export("x", k=k)
    with pytest.raises(InputError, match="`k` must be a whole number, got None"):
        run.recommend([["i1"]], k=None)
    assert run.recommend([["i1"]], k=np.int64(2)).height == 2


def test_no_histories_have_no_lists(run):
    lists, some = run.recommend([]), run.recommend([["i1"]])
    assert lists.is_empty()
    assert lists.schema == some.schema


def test_unknown_ids_are_warned_of(run):
    with pytest.warns(UserWarning, match="1 ids are not in the training data") as told:
        run.recommend([["i1", "nothing"]])
    assert "histories" not in str(told[0].message)
    with pytest.warns(UserWarning, match="such as 'a'; 1 histories have no other"):
        run.recommend([["a", "b"], ["i1"]])


def test_a_float_column_of_ids_has_them_as_logs_do(frame, home):
    ids = pl.col("item").str.slice(1).cast(pl.Int64)
    log = emkd_tf.prepare(frame.with_columns(ids), cache_dir=str(home / "cache"))
    folders = {"runs_dir": str(home / "runs"), "export": False}
    run = emkd_tf.train(log, model="markov", **folders)
    assert run.recommend([[1.0, 4.0]]).equals(run.recommend([["1", "4"]]))


def test_logs_say_what_they_are(log):
    told = f"40 users, 17 items, {len(log.histories.items)} actions, 0 attributes"
    assert repr(log) == f"Data('log': {told})"


@pytest.mark.slow
def test_an_export_is_the_next_version(run, home):
    first = run.export(home / "shop")
    assert first == home / "shop" / "1"
    assert (first / "saved_model.pb").exists()


def test_mistakes_are_those_of_the_command_line(log, tmp_path):
    with pytest.raises(InputError, match=r"`epoch` is not a setting .* Did you mean"):
        emkd_tf.train(log, epoch=3)
    with pytest.raises(InputError, match="is not a run directory"):
        emkd_tf.open_run(tmp_path)
    with pytest.raises(InputError, match="`epochs` is not a setting of the data"):
        emkd_tf.prepare("sample", epochs=3)


def test_the_package_itself_loads_no_tensorflow():
    program = (
        "import sys, emkd_tf; emkd_tf.prepare, emkd_tf.Run;"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
