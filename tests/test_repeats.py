"""Users who choose an item again: metrics and lists follow one rule, the protocol."""

import json

import numpy as np
import polars as pl
import pytest
import tensorflow as tf
import trainings

from emkd_tf.cli import main
from emkd_tf.evaluation.metrics import NEVER, summarize

NUM_USERS, NUM_ITEMS = 90, 25


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Histories of 4 to 12 actions on 25 items, many of them repeats."""
    rng = np.random.default_rng(4)
    rows = [
        (f"u{user}", f"i{item}", time)
        for user in range(NUM_USERS)
        for time, item in enumerate(
            rng.choice(rng.permutation(NUM_ITEMS)[:9], rng.integers(4, 13))
        )
    ]
    path = tmp_path_factory.mktemp("repeats") / "log.csv"
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(path)
    return path


def train(base, log, folder, **more):
    settings = {
        **base,
        "interactions": log,
        "cache_dir": folder / "cache",
        "runs_dir": folder / "runs",
        "saved_models_dir": folder / "saved_models",
        "name": "run",
        "epochs": 1,
        "k": 10,
        **more,
    }
    return folder / "runs" / "run", trainings.train(settings).stdout


@pytest.fixture(scope="module")
def run(tiny_base, log, tmp_path_factory):
    return train(tiny_base, log, tmp_path_factory.mktemp("unseen"))


@pytest.fixture(scope="module")
def seen_run(tiny_base, log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen")
    return train(tiny_base, log, folder, recommend_seen="true")


@pytest.fixture(scope="module")
def before_test(log, tmp_path_factory):
    """What the users did before their test target, as a file to recommend for."""
    of_users = pl.read_csv(log).group_by("user", maintain_order=True)
    histories = of_users.agg(pl.col("item").head(pl.len() - 1).alias("history"))
    path = tmp_path_factory.mktemp("before") / "histories.parquet"
    histories.write_parquet(path)
    return path


def lists_of(path, *arguments):
    assert main(["recommend", f"--run={path}", "--k=10", *arguments]) == 0
    output = next(a for a in arguments if a.startswith("--output")).partition("=")[2]
    of_users = pl.read_parquet(output).group_by("user").agg("item")
    return dict(of_users.iter_rows())


def check_lists(path, lists, protocol):
    """A target is in its user's list if and only if its rank is within the list."""
    users = pl.read_parquet(path / "per_user.parquet")
    columns = ["user", "test_target", f"test_{protocol}"]
    for user, target, rank in users.select(columns).iter_rows():
        assert (target in lists.get(user, [])) == (rank <= 10), (user, target, rank)
    return users


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["unseen", "window", "all"])
def test_a_target_is_in_the_list_if_and_only_if_its_rank_says_so(
    run, before_test, tmp_path, protocol
):
    output = tmp_path / "lists.parquet"
    own = [] if protocol == "unseen" else [f"--protocol={protocol}"]
    files = (f"--input={before_test}", f"--output={output}")
    lists = lists_of(run[0], *files, *own)
    users = check_lists(run[0], lists, protocol)
    repeats = users.filter("test_is_repeat")
    assert 20 < len(repeats) < NUM_USERS - 20
    hits = (repeats[f"test_{protocol}"] <= 10).sum()
    assert (hits == 0) == (protocol == "unseen")


@pytest.mark.slow
def test_recommend_seen_serves_lists_and_metrics_alike(
    seen_run, before_test, tmp_path, capsys
):
    path, printed = seen_run
    files = (f"--input={before_test}", f"--output={tmp_path / 'lists.parquet'}")
    check_lists(path, lists_of(path, *files), "all")
    check_lists(path, lists_of(path, *files, "--protocol=unseen"), "unseen")
    check_lists(path, lists_of(path, *files, "--recommend-seen=false"), "unseen")
    metrics = json.loads((path / "metrics.json").read_text())
    assert metrics["protocol"] == "all"
    assert metrics["test"] == metrics["test_by_protocol"]["all"]
    assert metrics["tfrs"]["HR@10"] == pytest.approx(metrics["test"]["HR@10"])
    assert metrics["repeats"]["test"]["excluded"] == 0
    history = (path / "history.jsonl").read_text().splitlines()
    chosen = json.loads(history[metrics["best_epoch"] - 1])["validation/NDCG@10"]
    assert chosen == pytest.approx(metrics["validation"]["NDCG@10"])
    assert "targets repeat an item of their user's history\n" in printed
    capsys.readouterr()
    contradiction = ["recommend", f"--run={path}", "--history=i1"]
    contradiction += ["--protocol=unseen", "--recommend-seen=true"]
    assert main(contradiction) == 2
    error = capsys.readouterr().err
    assert "`protocol` must be all, or not given, where `recommend_seen`" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_repeats_and_new_items_are_told_apart(run, capsys):
    path, printed = run
    users = pl.read_parquet(path / "per_user.parquet")
    is_repeat = users["test_is_repeat"].to_numpy()
    ranks = users["test_unseen"].to_numpy()
    found = json.loads((path / "metrics.json").read_text())["repeats"]["test"]
    assert found["targets"] == NUM_USERS
    assert found["repeats"] == found["excluded"] == is_repeat.sum()
    assert found["repeat"] == summarize(ranks[is_repeat])
    assert found["repeat"]["MRR"] == 0
    assert found["new"] == pytest.approx(summarize(ranks[~is_repeat]))
    assert ((ranks == NEVER) == is_repeat).all()
    said = (
        f"{is_repeat.sum()} of {NUM_USERS} targets repeat an item of their user's "
        f"history; `unseen` excludes {is_repeat.sum()} of them, which no list can hold "
        "(--recommend-seen true keeps them)"
    )
    assert said in printed
    assert "│ new items " in printed
    assert main(["evaluate", f"--run={path}"]) == 0
    again = capsys.readouterr().out
    assert said in again
    assert f"{found['new']['NDCG@20']:.4f}" in again


def test_nothing_is_said_where_nothing_is_repeated(finished_run):
    run_dir, _, process = finished_run
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert metrics["repeats"]["test"] == {"targets": 60, "repeats": 0, "excluded": 0}
    assert "repeat" not in process.stdout
    assert "new items" not in process.stdout


def asked(folder, history):
    model = tf.saved_model.load(str(folder))
    texts = tf.constant([history])
    answer = model.signatures["serving_default"](history=texts)
    return [item.decode() for item in answer["item_ids"].numpy()[0] if item]


@pytest.mark.slow
def test_exports_follow_the_protocol(run, seen_run, tmp_path, capsys):
    history = [f"i{number}" for number in range(12)]
    newest = history[-5:]  # what encoders of length 6 see, one place being the mask's
    folders = {"unseen": run[0].parents[1] / "saved_models" / "run" / "1"}
    folders["all"] = seen_run[0].parents[1] / "saved_models" / "run" / "1"
    arguments = [f"--run={run[0]}", "--protocol=window", "--k=25"]
    export = ["export", *arguments, f"--saved-models-dir={tmp_path}"]
    assert main(export) == 0
    folders["window"] = tmp_path / "run" / "1"
    excluded = {"unseen": set(history), "window": set(newest), "all": set()}
    metrics = json.loads((run[0] / "metrics.json").read_text())
    for protocol, folder in folders.items():
        found = asked(folder, history)
        assert not set(found) & excluded[protocol]
        card = json.loads((folder / "card.json").read_text())
        assert card["protocol"] == protocol
        assert "of the history" in (folder.parent / "README.md").read_text().lower()
    assert len(asked(folders["window"], history)) == NUM_ITEMS - 5
    card = json.loads((folders["window"] / "card.json").read_text())
    assert card["test"] == metrics["test_by_protocol"]["window"]
    assert "validation" not in card
    capsys.readouterr()
    lists = {}
    for protocol in excluded:
        command = ["recommend", f"--run={run[0]}", f"--protocol={protocol}", "--k=25"]
        assert main([*command, "--history=" + ",".join(history)]) == 0
        lists[protocol] = capsys.readouterr().out
    assert asked(folders["window"], history) == [
        word
        for word in lists["window"].split()
        if word.startswith("i") and word != "item"
    ]
    assert lists["window"] != lists["unseen"]
