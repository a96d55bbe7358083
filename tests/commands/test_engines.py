"""Engines as flags, and Spark as a person meets it."""

import os
import subprocess
import sys

import polars as pl
import pytest

from emkd_tf.commands.arguments import take_own
from emkd_tf.commands.engines import OPTIONS, spark_session
from emkd_tf.errors import InputError

LINES = "user,item,time\n" + "".join(
    f"u{user},i{(user + place) % 7},{place}\n"
    for user in range(9)
    for place in range(6)
)


def take_engine(arguments):
    flags = {f"--{name}": options for name, options in OPTIONS.items()}
    values, rest = take_own(flags, arguments)
    return vars(values), rest


def test_flags_of_engines_are_taken_from_the_others():
    given = ["--engine=spark", "--spark-conf", "a=b", "--spark_conf=c=d", "--k=3"]
    values, rest = take_engine([*given, "--spark-master", "local[2]"])
    assert rest == ["--k=3"]
    assert values == {
        "engine": "spark",
        "spark_master": "local[2]",
        "spark_conf": ["a=b", "c=d"],
    }
    assert spark_session(take_engine([])[0]) is None
    with pytest.raises(InputError, match="expected one argument"):
        take_engine(["--engine"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--engine=flink"], "`engine` must be one of local, spark, got 'flink'"),
        (["--spark-master=yarn"], "`spark_master` goes with --engine spark"),
        (["--spark-conf=a=b"], "`spark_conf` goes with --engine spark"),
    ],
)
def test_engines_that_are_none_and_settings_of_others(flags, message):
    with pytest.raises(InputError, match=message):
        spark_session(take_engine(flags)[0])


def emkd(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "emkd_tf", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


ON_SPARK = (
    *("--engine=spark", "--spark-master=local[2]"),
    *("--spark-conf=spark.sql.shuffle.partitions=2",),
)


def require_spark():
    pytest.importorskip("pyspark", reason="no pyspark: pip install 'emkd-tf[spark]'")
    from emkd_tf.spark.session import has_java

    if not has_java():
        pytest.skip("Java is missing: apt-get install default-jre-headless")


@pytest.mark.slow
def test_prepare_and_recommend_say_the_same_on_spark(
    finished_run, tmp_path, monkeypatch
):
    require_spark()
    path = tmp_path / "log.csv"
    path.write_text(LINES)
    said = []
    for name, flags in (("local", ()), ("spark", ON_SPARK)):
        cache = tmp_path / name
        done = emkd("prepare", f"--interactions={path}", f"--cache-dir={cache}", *flags)
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout.replace(str(cache), ""))
    assert said[0] == said[1]

    output = tmp_path / "lists.parquet"
    lists = [f"--run={finished_run[0]}", "--k=3"]
    done = emkd("recommend", *lists, f"--output={output}", *ON_SPARK)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{output}: 60 histories, 0 without a known item")
    other = tmp_path / "other.parquet"
    assert emkd("recommend", *lists, f"--output={other}").returncode == 0
    found, expected = pl.read_parquet(output), pl.read_parquet(other)
    assert found.drop("score").equals(expected.drop("score"))


@pytest.mark.slow
def test_recommend_on_spark_writes_a_folder(finished_run, tmp_path):
    run = f"--run={finished_run[0]}"
    done = emkd("recommend", run, "--history=item 1", "--engine=spark")
    assert done.returncode == 2
    assert done.stderr.startswith("emkd: --engine spark writes lists")
    done = emkd("recommend", run, f"--output={tmp_path}/lists.csv", "--engine=spark")
    assert done.returncode == 2
    assert "must end in .parquet: --engine spark writes a folder" in done.stderr
