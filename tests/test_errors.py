# ruff: noqa: E501  the rows of a table are long
"""Every kind of bad input is one line with its exit code: the table of docs/errors.md.

The table in the document is checked against the rows here.
"""

import dataclasses
import gzip
import io
import lzma
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emkd_tf.cli import main
from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.run import train
from emkd_tf.training.run_model import open_run

REPOSITORY = Path(__file__).resolve().parents[1]
LOG = "user,item,time\n" + "".join(
    f"u{user},i{(user + place) % 7},{place}\n"
    for user in range(8)
    for place in range(6)
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: `message` is what the one line holds, in this order."""

    input: str
    wrong: str
    message: tuple[str, ...]
    arguments: Callable[..., list[str]]
    code: int = 2
    needs_run: bool = False
    tf_config: str | None = None


def file(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


def log(name, content, *flags):
    """Prepares a log with this content."""

    def arguments(folder):
        path = file(folder, name, content(folder) if callable(content) else content)
        return ["prepare", f"--interactions={path}", *flags]

    return arguments


def attributes(name, content):
    def arguments(folder):
        interactions = file(folder, "log.csv", LOG)
        path = file(folder, name, content(folder) if callable(content) else content)
        flags = [f"--interactions={interactions}", f"--attributes={path}"]
        return ["prepare", *flags]

    return arguments


def flags(*values):
    return lambda folder: list(values)


def settings(content):
    return lambda folder: ["train", f"--config={file(folder, 'own.yaml', content)}"]


def searched(content):
    """Searches a space with this content for SASRec."""

    def arguments(folder):
        space = file(folder, "space.yaml", content)
        return ["tune", "--model=sasrec", f"--space={space}", f"--output={folder}"]

    return arguments


def parquet(**columns):
    def content(folder):
        path = folder / "whole.parquet"
        pl.DataFrame(columns or pl.read_csv(LOG.encode())).write_parquet(path)
        return path.read_bytes()

    return content


def half(content):
    return content[: len(content) // 2]


def parquet_folder(other):
    """Prepares a folder of Parquet with another file in it."""

    def arguments(folder):
        logs = folder / "logs"
        file(logs, "part-0.parquet", parquet()(folder))
        file(logs, other, "")
        return ["prepare", f"--interactions={logs}"]

    return arguments


def truncated_parquet(folder):
    return half(parquet()(folder))


def zeroed_parquet(folder):
    content = bytearray(parquet()(folder))
    content[10:60] = bytes(50)
    return bytes(content)


def archive_with_a_way_out(folder):
    path = folder / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("../evil", "x")
    return ["prepare", "--dataset=ml-1m", f"--data-dir={folder}"]


def damaged(change, command="evaluate", *more):
    """Runs a command on a copy of a finished run that `change` has damaged."""

    def arguments(folder, run):
        copy = folder / "run"
        shutil.copytree(run, copy)
        change(copy)
        return [command, f"--run={copy}", *(m.replace("@run", str(copy)) for m in more)]

    return arguments


def damaged_data(name, change):
    """Evaluates a copy of the finished run, one file of its own data changed."""
    return damaged(each(f"data/{name}", change))


def unfinished(change, *more):
    """Repeats the command of a copy of the run that is not finished."""

    def arguments(folder, run):
        copy = folder / "runs" / "run"
        shutil.copytree(run, copy)
        (copy / "metrics.json").unlink()
        change(copy)
        config = run.parent / "own.yaml"
        return ["train", f"--config={config}", f"--runs-dir={copy.parent}", *more]

    return arguments


def without_last(content):
    """A whole .npy file of one number less."""
    array = np.load(io.BytesIO(content))[:-1]
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def replaced_by_a_file(name):
    def change(run):
        shutil.rmtree(run / name)
        (run / name).write_text("in the way")

    return change


def each(pattern, content):
    def change(run):
        for path in run.glob(pattern):
            path.write_bytes(content(path.read_bytes()))

    return change


def on_run(command, *more):
    """A command on the finished run."""
    return lambda folder, run: [command, f"--run={run}", *more]


def recommend(content):
    """Recommends for a file of histories with this content."""

    def arguments(folder, run):
        source = file(folder, "histories.csv", content)
        output = folder / "lists.csv"
        return on_run("recommend", f"--input={source}", f"--output={output}")(
            folder, run
        )

    return arguments


def again(*more):
    """Repeats the finished run's command."""

    def arguments(folder, run):
        path = run.parent / "own.yaml"
        return ["train", f"--config={path}", *more]

    return arguments


# fmt: off
ROWS = [  # one row a line, as in the document
    Row("log", "no such file", ("none.csv does not exist",), flags("prepare", "--interactions=none.csv")),
    Row("log", "a zip archive", ("log.zip is a zip archive or a workbook; unpack it, or save it as CSV",), log("log.zip", b"PK\x03\x04")),
    Row("log", "a folder without tables", ("holds no table; give a file, or one of .parquet, .csv",), lambda folder: ["prepare", f"--interactions={folder}"]),
    Row("log", "a folder of Parquet and other tables", ("holds log.csv beside Parquet; give a folder of Parquet alone, or one file",), parquet_folder("log.csv")),
    Row("log", "a Delta table", ("is a Delta table, whose folder may hold files that no longer belong to the table",), parquet_folder("_delta_log/0.json")),
    Row("log", "a Hudi table", ("is a Hudi table, whose folder may hold files that no longer belong to the table",), parquet_folder(".hoodie/0.commit")),
    Row("log", "compressed by xz", ("log.csv.xz is compressed by xz; unpack it",), log("log.csv.xz", lzma.compress(LOG.encode()))),
    Row("log", "an archive", ("log.tar.gz is an archive; unpack it",), log("log.tar.gz", LOG)),
    Row("log", "no header and times where the users or items should be", ("has no header, and column_2 looks like times", "--time-column column_2 --user-column column_1 --item-column column_3"), log("clicks.dat", "1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n")),
    Row("log", "its header in the middle, of files that were put together", ("log.csv line 4 repeats the names of the columns; drop the line",), log("log.csv", "user,item\nu,a\nu,b\nuser,item\nv,a\n")),
    Row("log", "ratings that are no numbers", ("log.csv line 3: column 'rating' holds '4,5', which is not a number; write ratings as numbers",), log("log.csv", 'user;item;rating\nu;a;4\nu;b;4,5\n', "--min-rating=3")),
    Row("JSON", "objects where ids should be", ("line 1: column 'items' holds objects or lists as texts; write their ids alone",), log("log.jsonl", '{"user": "u", "items": [{"id": "a", "price": 1}]}\n{"user": "v", "items": [{"id": "a", "price": 2}]}\n')),
    Row("JSON", "objects where times should be", ("line 1: column 'timestamp' holds", "$date", "which is not a time"), log("log.jsonl", '{"user": "u", "item": "a", "timestamp": {"$date": "2024-01-03"}}\n{"user": "v", "item": "a", "timestamp": {"$date": "2024-01-03"}}\n')),
    Row("log", "no header and five columns", ("has no header and 5 columns; write a first line of names",), log("log.csv", "1,2,3,4,5\n")),
    Row("CSV", "empty", ("is empty; it needs a header line",), log("log.csv", "")),
    Row("CSV", "a header alone", ("has no rows",), log("log.csv", "user,item,time\n")),
    Row("CSV", "not UTF-8", ("log.csv is not UTF-8 text; convert it: iconv",), log("log.csv", "user,item,time\nu,é,1\n".encode("latin-1"))),
    Row("CSV", "UTF-16", ("log.csv is not UTF-8 text; convert it: iconv -f UTF-16",), log("log.csv", LOG.encode("utf-16"))),
    Row("CSV", "a line with more fields than the header", ("log.csv line 2 has more fields than the 3 of the first line",), log("log.csv", "user,item,time\nu,i,1,9,9\n")),
    Row("CSV", "a quote that is not closed", ("log.csv line 50: a quote is not closed or stands inside a field",), log("log.csv", LOG + '"u,i\n')),
    Row("log", "no column of users", ("has no user column", "it has who, item, time", "--user-column"), log("log.csv", "who,item,time\nu,i,1\n")),
    Row("log", "no column of items", ("has no item column", "--item-column"), log("log.csv", "user,what,time\nu,i,1\n")),
    Row("log", "neither of them", ("has no user column", "and no item column", "it has who, what", "--user-column and --item-column"), log("log.csv", "who,what\nu,i\n")),
    Row("log", "a bound of times and no column of them", ("has no column of times for --since",), log("log.csv", "user,item\nu,i\n", "--since=2024-01-01")),
    Row("log", "a bound of times that is none", ("`since` must be a number like the log's times, or a date if these are dates, got 'soon'",), log("log.csv", LOG, "--since=soon")),
    Row("log", "lines that end with CR alone", ("log.csv ends its lines with CR alone; convert it: tr",), log("log.csv", LOG.replace("\n", "\r"))),
    Row("log", "Hive's own text", ("log.txt separates its columns by \\x01, as Hive does; convert it: tr",), log("log.txt", LOG.replace(",", "\x01"))),
    Row("log", "columns parted by several blanks", ("log.txt separates its columns by several blanks", "tr -s ' '"), log("log.txt", LOG.replace(",", "   "))),
    Row("log", "no column of ratings", ("has no rating column", "--rating-column"), log("log.csv", LOG, "--min-rating=4")),
    Row("log", "a named column that is not there", ("has no column 'who', it has user, item, time", "--user-column"), log("log.csv", LOG, "--user-column=who")),
    Row("log", "one column for two things", ("user, item, time must be different columns, got user, user, time",), log("log.csv", LOG, "--item-column=user")),
    Row("log", "an id with a line break", ("column 'item' has a line break",), log("log.csv", 'user,item,time\nu,"a\nb",1\n')),
    Row("log", "ids that are floats too large to be exact", ("log.parquet row 1: column 'user' holds floats from 2^53 on", "write integers or texts"), log("log.parquet", parquet(user=[1.0, 2.0**53], item=["i", "j"], time=[1, 2]))),
    Row("log", "lists as texts", ("line 2: column 'items' holds objects or lists as texts", "in pandas `frame.explode`"), log("log.csv", """user,items\nu,"['a', 'b']"\nv,"['a']"\n""")),
    Row("log", "times of two units", ("holds 1700000000, which counts seconds, and 1700000001000, which counts milliseconds", "write all times in one unit"), log("log.csv", "user,item,time\nu,i,1700000000\nu,j,1700000001000\n")),
    Row("log", "no row with a user", ("No user of `log` is left: dropped rows were 2 (no user)",), log("log.csv", "user,item,time\n,i,1\nnan,j,2\n")),
    Row("log", "a time that is a word", ("line 3: column 'time' holds 'soon', which is not a time",), log("log.csv", "user,item,time\nu,i,1\nu,j,soon\n")),
    Row("log", "a date whose day and month nobody can tell apart", ("line 2: column 'time' holds '08/07/2014', which is not a time", "ISO 8601"), log("log.csv", "user,item,time\nu,i,08/07/2014\n")),
    Row("log", "a time that is NaN or infinite", ("line 2: column 'time' holds 'inf', which is not a time",), log("log.csv", "user,item,time\nu,i,inf\n")),
    Row("log", "items joined in one text", ("No user of `log` is left", "if 'items' holds several items as one text, write lists as Parquet or JSON, or a row an action"), log("log.csv", "user,items\nu,a|b|c\nv,a|b\n")),
    Row("log", "no user with enough actions", ("No user of `log` is left", "lower --user-core"), log("log.csv", LOG, "--user-core=1000")),
    Row("gzip", "truncated", ("log.csv.gz cannot be read as",), log("log.csv.gz", half(gzip.compress(LOG.encode() * 99)))),
    Row("JSON", "no list of records", ("log.json is not a JSON list like",), log("log.json", "[1, 2]")),
    Row("JSON", "a line that is no record", ("log.jsonl line 2 is not a JSON object",), log("log.jsonl", '{"user": 1}\n{"user"\n')),
    Row("Arrow", "no Arrow", ("log.feather cannot be read as Arrow",), log("log.feather", "user")),
    Row("Parquet", "a pickle under its name", ("cannot be read as parquet",), log("log.parquet", pickle.dumps([1, 2]))),
    Row("Parquet", "truncated", ("cannot be read as parquet",), log("log.parquet", truncated_parquet)),
    Row("Parquet", "damaged in the middle", ("cannot be read as parquet",), log("log.parquet", zeroed_parquet)),
    Row("Parquet", "ids that are lists", ("column 'user' holds List(String); it must hold texts or numbers",), log("log.parquet", parquet(user=[["u"]], item=["i"], time=[1]))),
    Row("Parquet", "ids that are bytes", ("column 'item' holds Binary",), log("log.parquet", parquet(user=["u"], item=[b"\xff"], time=[1]))),
    Row("Parquet", "no row with a time", ("No user of `log` is left: dropped rows were 1 (no time)",), log("log.parquet", parquet(user=["u"], item=["i"], time=[None]))),
    Row("attributes", "empty", ("is empty; it needs a header line",), attributes("items.csv", "")),
    Row("attributes", "a header alone", ("has no rows",), attributes("items.csv", "item,brand\n")),
    Row("attributes", "ids that are lists", ("column 'item' holds List(String)",), attributes("items.parquet", parquet(item=[["i1"]], tags=["a"]))),
    Row("attributes", "a named column that is not there", ("has no column 'colour', it has item, brand; correct --attribute-columns",), lambda folder: [*attributes("items.csv", "item,brand\ni1,x\n")(folder), "--attribute-columns=colour"]),
    Row("attributes", "of no item of the log", ("No item of the attributes is an item of `log`",), attributes("items.csv", "item,brand\nz,x\n")),
    Row("attributes", "truncated JSON", ("is not a JSON object like",), attributes("items.json", '{"i1": ["a"')),
    Row("attributes", "JSON nested without end", ("is not a JSON list like",), attributes("items.json", "[" * 100_000)),
    Row("attributes", "JSON values that are objects", ("is not a JSON object like",), attributes("items.json", '{"i1": [{"a": 1}]}')),
    Row("attributes", "JSON with half of a character", ("is not a JSON object like",), attributes("items.json", '{"i1": ["\\ud800"]}')),
    Row("attributes", "JSON that is no list of records", ("is not a JSON list like",), attributes("items.json", "[1]")),
    Row("attributes", "no column of items", ("has no item column", "--attribute-item-column"), attributes("items.csv", "brand\nx\n")),
    Row("attributes", "no attribute", ("has no column beside 'item'",), attributes("items.csv", "item\nx\n")),
    Row("attributes", "a pickle", ("cannot be read as parquet",), attributes("items.parquet", pickle.dumps({}))),
    Row("attributes", "without a log", ("`attributes` must be given together with `interactions`",), flags("prepare", "--attributes=items.csv")),
    Row("dataset", "an unknown name", ("Unknown dataset `beuty`. Did you mean `beauty`?",), flags("prepare", "--dataset=beuty")),
    Row("dataset", "a name with a folder in it", ("`dataset` must be a plain folder name",), log("log.csv", LOG, "--dataset=../../evil")),
    Row("dataset", "a name that is too long", ("`dataset` must be a plain folder name of at most 100 bytes",), log("log.csv", LOG, f"--dataset={200 * 'x'}")),
    Row("dataset", "an archive of other content (with `../` inside)", ("ml-1m.zip is truncated or not the expected file",), archive_with_a_way_out),
    Row("config file", "no such file", ("none.yaml does not exist",), flags("train", "--config=none.yaml")),
    Row("config file", "a folder", ("Config file", "cannot be read: Is a directory"), lambda folder: ["train", f"--config={folder}"]),
    Row("config file", "not UTF-8", ("own.yaml is not valid YAML",), settings("name: é".encode("latin-1"))),
    Row("config file", "nested without end", ("own.yaml is not valid YAML",), settings("[" * 5000)),
    Row("config file", "a list (of lists of lists ...) as a value", ("own.yaml: `epochs` must be a single value",), settings("epochs: [&a [x, x], &b [*a, *a], &c [*b, *b]]")),
    Row("config file", "a key without a value", ("`epochs` must be a whole number below 2^31, got None",), settings("epochs:")),
    Row("config file", "a number as a name", ("`name`: Expected text. Got value: 5",), settings("name: 5")),
    Row("config file", "an infinite number", ("`learning_rate` must be a finite number, got inf",), settings("learning_rate: .inf")),
    Row("config file", "a tag that would run code", ("own.yaml line 1 is not valid YAML",), settings("a: !!python/object/apply:os.system [exit]")),
    Row("config file", "no mapping", ("own.yaml must hold `key: value` lines",), settings("- 1")),
    Row("config file", "an unknown key", ("own.yaml: unknown key `epoch`. Did you mean `epochs`?",), settings("epoch: 3")),
    Row("config file", "a value of another type", ("`epochs`: Expected whole number. Got value: many",), settings("epochs: many")),
    Row("flag", "unknown", ("Unknown flag `--epocs`. Did you mean `--epochs`?",), flags("train", "--epocs=3")),
    Row("flag", "without its value", ("argument --config: expected one argument",), flags("train", "--config")),
    Row("flag", "a number that is too large", ("`epochs` must be a whole number below 2^31",), flags("train", f"--epochs={10**12}")),
    Row("flag", "a value of another type", ("`batch_size`: Expected whole number. Got value: 1.5",), flags("train", "--batch-size=1.5")),
    Row("flag", "NaN or infinite", ("`learning_rate`: Expected number. Got value: nan",), flags("train", "--learning-rate=nan")),
    Row("flag", "out of range", ("`epochs` must be at least 0, got -1",), flags("train", "--epochs=-1")),
    Row("flag", "not one of its words", ("`strategy` must be one of auto, one_device",), flags("train", "--strategy=many")),
    Row("flag", "not one of the ways with duplicates", ("`duplicates` must be one of keep, drop, consecutive, got 'all'",), flags("prepare", "--duplicates=all")),
    Row("flag", "two that do not fit", ("`hidden_units` must be a multiple of `num_heads` (2), got 7",), flags("train", "--preset=none", "--hidden-units=7")),
    Row("flag", "a seed that is too large", ("`seed` must be a whole number below 2^31",), flags("train", "--seed=99999999999")),
    Row("flag", "two rules for what was seen", ("`protocol` must be all, or not given, where `recommend_seen` is true, got 'unseen'",), flags("train", "--recommend-seen=true", "--protocol=unseen")),
    Row("flag", "of trainings, where nothing is trained", ("`epochs` is not a setting of poprec, which is counted, not trained",), flags("train", "--model=poprec", "--epochs=3")),
    Row("flag", "of another task", ("`num_views` is read with `task` masked_item alone, and the task is next_item",), flags("train", "--num-views=4")),
    Row("flag", "an unknown preset", ("`preset` 'gpu' is not a preset of emkd",), flags("train", "--preset=gpu")),
    Row("flag", "a name with a folder in it", ("`name` must be a plain folder name",), flags("train", "--name=a/b")),
    Row("command", "unknown", ("Unknown command `trane`. Did you mean `train`?",), flags("trane")),
    Row("command", "an argument without a flag", ("Unexpected argument `stray`",), flags("train", "stray")),
    Row("command", "without its run", ("`emkd evaluate` needs --run RUN",), flags("evaluate")),
    Row("command", "several workers without TF_CONFIG", ("needs TF_CONFIG in the environment",), flags("train", "--strategy=multi_worker")),
    Row("command", "a TF_CONFIG that is no JSON", ("TF_CONFIG cannot be read", "it is JSON with `cluster` and `task`"), flags("train"), tf_config="{"),
    Row("command", "a TF_CONFIG without a task", ("TF_CONFIG cannot be read",), flags("train"), tf_config='{"cluster": {"worker": ["a:1"]}}'),
    Row("search space", "a setting that is none", ("space.yaml: `dropuot` cannot be searched. Did you mean `dropout`?",), searched("dropuot: [0.1]")),
    Row("search space", "a setting of other models", ("`num_views` is not a setting of sasrec; leave it out",), searched("num_views: [1, 2]")),
    Row("search space", "a value that no training takes", ("space.yaml: `dropout` must be in [0, 1), got 1.5",), searched("dropout: {low: 0.1, high: 1.5}")),
    Row("search space", "neither choices nor a range", ("`dropout` must be a list of choices, numbers or words, or {low: 0.1, high: 0.5}",), searched("dropout: 0.5")),
    Row("search", "a budget that is no time", ("`budget` must be a time such as 90m or 2h, got 'soon'",), flags("tune", "--budget=soon")),
    Row("distill", "without a run", ("distilled needs --distill RUN, a finished run",), flags("train", "--model=distilled")),
    Row("distill", "a run that is none", ("none is not a run directory",), flags("train", "--model=distilled", "--distill=none")),
    Row("distill", "a run of other data", ("was trained on `tiny`", "the data here is `sample`"), lambda folder, run: ["train", "--model=distilled", f"--distill={run}", "--dataset=sample"], needs_run=True),
    Row("run", "no run directory", ("none is not a run directory",), flags("evaluate", "--run=none")),
    Row("run", "a finished one of the same name", ("holds no unfinished run; choose another --name",), again(), needs_run=True),
    Row("run", "no checkpoint", ("holds no checkpoint",), damaged(lambda run: shutil.rmtree(run / "checkpoints" / "best")), needs_run=True),
    Row("run", "other data than it was trained on", ("was trained on `tiny`", "give the same files"), damaged(lambda run: file(run, "dataset.json", '{"name": "tiny", "fingerprint": "other"}')), needs_run=True),
    Row("run", "a truncated history, for a report", ("history.jsonl is missing or damaged",), damaged(each("history.jsonl", lambda c: c[:-9]), "report"), needs_run=True),
    Row("titles", "no column of titles", ("has no column of titles, it has user, item, time", "call them item_id and title"), lambda folder, run: ["report", f"--run={run}", f"--titles={file(folder, 'log.csv', LOG)}"], needs_run=True),
    Row("run", "an empty config", ("config.yaml is incomplete: its end is missing", "put the whole file back"), damaged(each("config.yaml", lambda c: b"")), needs_run=True),
    Row("run", "a truncated config", ("config.yaml is incomplete: its end is missing",), damaged(each("config.yaml", half)), needs_run=True),
    Row("run", "a config without its last line", ("config.yaml is incomplete: its end is missing",), damaged(each("config.yaml", lambda c: c[: c.index(b"k: 5")])), needs_run=True),
    Row("run", "an unknown key in its config", ("config.yaml: unknown key `depth`",), damaged(each("config.yaml", lambda c: b"depth: 3\n" + c)), needs_run=True),
    Row("run", "a value of another type in its config", ("config.yaml: `epochs` must be a whole number below 2^31, got 'many'",), damaged(each("config.yaml", lambda c: c.replace(b"epochs: 1", b"epochs: many"))), needs_run=True),
    Row("run", "a truncated dataset.json", ("dataset.json is missing or damaged",), damaged(each("dataset.json", half)), needs_run=True),
    Row("unfinished run", "other settings", ("has other settings: `learning_rate` was 0.01, is 0.5",), unfinished(lambda run: None, "--learning-rate=0.5"), needs_run=True),
    Row("unfinished run", "a truncated dataset.json", ("dataset.json is missing or damaged",), unfinished(each("dataset.json", half)), needs_run=True),
    Row("unfinished run", "a file where its checkpoints should be", ("Run directory", "cannot be written (Not a directory)"), unfinished(replaced_by_a_file("checkpoints")), needs_run=True),
    Row("run", "a file where its folder should be", ("Run directory", "cannot be created (Not a directory)", "--runs-dir"), lambda folder: ["train", f"--runs-dir={file(folder, 'in the way', 'x')}"]),
    Row("prepared data", "truncated", ("Prepared dataset", "is damaged", "delete it and run again"), damaged_data("items.npy", half), needs_run=True),
    Row("prepared data", "empty", ("Prepared dataset", "is damaged"), damaged_data("offsets.npy", lambda c: b""), needs_run=True),
    Row("prepared data", "files that do not fit together", ("Prepared dataset", "is damaged (its files do not fit together)"), damaged_data("items.npy", without_last), needs_run=True),
    Row("prepared data", "an item number beyond the catalogue", ("Prepared dataset", "items.npy has numbers outside 1 to"), damaged_data("items.npy", lambda c: c[:-1] + b"\x7f"), needs_run=True),
    Row("prepared data", "bounds in no order", ("Prepared dataset", "offsets.npy has bounds in no order"), damaged_data("offsets.npy", lambda c: c[:-16] + bytes(8) + c[-8:]), needs_run=True),
    Row("prepared data", "a truncated dataset.json", ("Prepared dataset", "is damaged"), damaged_data("dataset.json", half), needs_run=True),
    Row("cache", "a folder that cannot be made", ("cannot be written (Not a directory)", "--cache-dir"), lambda folder: ["prepare", f"--cache-dir={file(folder, 'in the way', 'x')}"]),
    Row("checkpoint", "truncated index", ("Checkpoint", "is damaged or of another model"), damaged(each("checkpoints/best/*.index", half)), needs_run=True),
    Row("checkpoint", "truncated data", ("Checkpoint", "is damaged or of another model"), damaged(each("checkpoints/best/*.data*", half)), needs_run=True),
    Row("checkpoint", "of a model of another size", ("Checkpoint", "is damaged or of another model"), damaged(each("config.yaml", lambda c: c.replace(b"hidden_units: 8", b"hidden_units: 16"))), needs_run=True),
    Row("export", "a target that cannot be written", ("Export", "cannot be written", "--saved-models-dir"), damaged(lambda run: file(run, "in the way", "x"), "export", "--saved-models-dir=@run/in the way"), needs_run=True),
    Row("export", "of a run that is none", ("none is not a run directory",), flags("export", "--run=none")),
    Row("export", "of a run with damaged metrics", ("metrics.json is missing or damaged",), damaged(each("metrics.json", half), "export"), needs_run=True),
    Row("export", "lists below 1", ("`k` must be at least 1, got 0",), on_run("export", "--k=0"), needs_run=True),
    Row("export", "a network that is neither a number nor the best", ("`network` must be a number or best, got 'worst'",), on_run("export", "--network=worst"), needs_run=True),
    Row("export", "a network that is not there", ("`network` must be from 1 to 2, got 3",), on_run("export", "--network=3"), needs_run=True),
    Row("export", "an unknown index", ("`index` must be faiss, got 'scann'",), on_run("export", "--index=scann"), needs_run=True),
    Row("export", "check of a folder that is none", ("none is not an export of emkd",), flags("export", "--verify=none")),
    Row("export", "check of one without its graph", ("saved_model.pb cannot be read: No such file",), lambda folder: ["export", f"--verify={file(folder, 'checks.json', '[]').parent}"]),
    Row("recommend", "neither a history, a user nor a file to write", ("`emkd recommend` takes one of --history", "--user ID and --output FILE"), flags("recommend", "--run=x")),
    Row("recommend", "a history and a user", ("`emkd recommend` takes one of --history", "--user ID and --output FILE"), flags("recommend", "--run=x", "--history=a", "--user=b")),
    Row("recommend", "a user who is not there", ("`user` 'nobody' is none of the 60 users of the run's data",), on_run("recommend", "--user=nobody"), needs_run=True),
    Row("recommend", "a file to read and none to write", ("takes one of --history", "--input FILE --output FILE"), flags("recommend", "--run=x", "--history=a", "--input=h.csv")),
    Row("recommend", "a file of another type to write", ("lists.json must end in .csv or .parquet",), flags("recommend", "--run=x", "--output=lists.json")),
    Row("recommend", "a file in no folder to write", ("none/lists.csv cannot be written (No such file or directory)",), flags("recommend", "--run=x", "--output=none/lists.csv")),
    Row("recommend", "histories without their column", ("has no column `history`, it has user, past", "one row a user"), recommend("user,past\nu,a\n"), needs_run=True),
    Row("recommend", "histories without users", ("has no user column", "--user-column"), recommend("who,history\nu,a\n"), needs_run=True),
    Row("recommend", "histories with an empty user", ("line 3: column 'user' is empty",), recommend("user,history\nu,a\n,b\n"), needs_run=True),
    Row("recommend", "histories that are damaged", ("line 2 has more fields than the 2 of the first line",), recommend("user,history\nu,a,b,c\n"), needs_run=True),
    Row("recommend", "one list on Spark", ("--engine spark writes lists: it needs --output FOLDER",), flags("recommend", "--run=x", "--history=a", "--engine=spark")),
    Row("recommend", "a CSV file on Spark", ("lists.csv must end in .parquet: --engine spark writes a folder",), on_run("recommend", "--output=lists.csv", "--engine=spark"), needs_run=True),
    Row("recommend", "cold items by something else", ("`cold_items` must be attributes, got 'titles'",), on_run("recommend", "--history=a", "--cold-items=titles"), needs_run=True),
    Row("recommend", "cold items without attributes", ("--cold-items attributes needs the attributes of the items: add --attributes FILE",), on_run("recommend", "--history=a", "--cold-items=attributes"), needs_run=True),
    Row("recommend", "cold items on Spark", ("--cold-items needs one process; leave --engine out",), on_run("recommend", "--output=lists.parquet", "--engine=spark", "--cold-items=attributes"), needs_run=True),
    Row("engine", "unknown", ("`engine` must be one of local, spark, got 'flink'",), flags("prepare", "--engine=flink")),
    Row("engine", "a setting of Spark without it", ("`spark_master` goes with --engine spark",), flags("prepare", "--spark-master=yarn")),
    Row("engine", "a setting of Spark without its value", ("`spark_conf` 'spark.driver.memory' must be key=value",), flags("prepare", "--engine=spark", "--spark-conf=spark.driver.memory")),
    Row("recommend", "k below 1", ("`k` must be at least 1, got 0",), flags("recommend", "--run=x", "--history=a", "--k=0")),
    Row("evaluate", "an unknown split", ("`split` must be one of test, validation, got 'third'",), flags("evaluate", "--run=x", "--split=third")),
    Row("download", "no network", ("Beauty.txt is not in", "cannot be downloaded", "get https://", "and put it into"), lambda folder: ["prepare", "--dataset=beauty", f"--data-dir={folder}"], code=3),
]
# fmt: on


def table():
    """Returns the document's table."""
    lines = [
        "| input | what is wrong | the message says | exit code |",
        "|---|---|---|---|",
    ]
    for row in ROWS:
        message = " … ".join(row.message)
        lines.append(f"| {row.input} | {row.wrong} | {message} | {row.code} |")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def finished(tiny_base, tiny_log, tmp_path_factory):
    """A finished run, and beside it its settings as own.yaml."""
    folder = tmp_path_factory.mktemp("finished")
    values = {
        **tiny_base,
        "dataset": "tiny",
        "interactions": str(tiny_log),
        "cache_dir": str(folder / "cache"),
        "runs_dir": str(folder),
        "name": "run",
        "epochs": 1,
        "export": False,
    }
    (folder / "own.yaml").write_text("".join(f"{k}: {v}\n" for k, v in values.items()))
    return train(from_flat(values)).run_dir


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.input}: {row.wrong}")
def test_every_row_is_one_line_with_its_exit_code(
    row, tmp_path, request, capfd, monkeypatch
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if row.tf_config:
        monkeypatch.setenv("TF_CONFIG", row.tf_config)
    monkeypatch.setenv("EMKD_CACHE_DIR", str(tmp_path / "cache"))
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nothing listens there
    more = [request.getfixturevalue("finished")] if row.needs_run else []
    arguments = row.arguments(tmp_path, *more)
    capfd.readouterr()
    code = main(arguments)
    said = [line for line in capfd.readouterr().err.splitlines() if "emkd: " in line]
    assert code == row.code
    assert len(said) == 1
    place = 0
    for part in row.message:
        place = said[0].index(part, place) + len(part)


@pytest.mark.slow
def test_nothing_is_half_written_and_nothing_leaves_the_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("EMKD_CACHE_DIR", str(tmp_path / "cache"))
    inner = tmp_path / "inner"
    inner.mkdir()
    for row in ROWS:
        if not row.needs_run and row.input in (
            "log",
            "CSV",
            "gzip",
            "JSON",
            "Arrow",
            "Parquet",
            "attributes",
        ):
            main(row.arguments(inner))
    main(archive_with_a_way_out(inner))
    assert not list((tmp_path / "cache").glob("prepared/*"))
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert not (tmp_path / "evil").exists()


def test_the_document_holds_this_table():
    text = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    assert table() in text, f"put this table into docs/errors.md:\n{table()}"


@pytest.mark.slow
def test_hostile_ids_come_back_byte_for_byte(tiny_settings, tmp_path):
    ids = [
        "tab\there",
        'quote"s',
        "'",
        "👩‍👩‍👧 emoji",
        "a,b;c|d",
        "two  blanks",
        "x" * 10_000,
    ]
    ids += ["../../etc/passwd", "\u202eright to left", "é", "e\u0301", "0", "-1", "00"]
    rows = [
        (f"user {user}\t🙂", ids[(user + place) % len(ids)], place)
        for user in range(20)
        for place in range(8)
    ]
    log = tmp_path / "hostile.csv"
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    frame.with_columns(pl.lit("x" * 100).alias("note")).write_csv(log)
    with log.open("a") as file_:
        file_.write(f"user 0,0,99,{'y' * 50_000_000}\n")  # a field of 50 MB, not used
    config = from_flat({**tiny_settings, "interactions": str(log), "epochs": 1})
    result = train(config)
    histories = prepare(config.data)
    assert sorted(histories.item_ids()) == sorted(ids)
    _, histories, model = open_run(result.run_dir)
    recommender = VectorRecommender(model.ensemble, histories)
    answer = recommender.recommend([ids[:3]], len(ids))
    assert answer.unknown == [[]]
    assert sorted(item for item in answer.item_ids[0] if item) == sorted(ids[3:])
    assert recommender.separator == "\x1f"  # every other one is in some id
