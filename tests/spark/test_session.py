"""What a session needs and is set to."""

import sys
import zipfile

import pytest

from emkd_tf.errors import InputError
from emkd_tf.spark import session as module
from emkd_tf.spark.session import has_java, options, session


def test_settings_given_replace_ours():
    found = options("local[2]", ["spark.ui.enabled=true", "spark.x = a=b"])
    assert found["spark.ui.enabled"] == "true"
    assert found["spark.x"] == "a=b"
    assert "spark.driver.host" in found
    assert "spark.driver.host" not in options("yarn", [])


def test_no_join_gathers_a_table_on_the_driver():
    for master in ("local[2]", "yarn"):
        found = options(master, [])
        assert found["spark.sql.autoBroadcastJoinThreshold"] == "-1"
        assert found["spark.sql.adaptive.autoBroadcastJoinThreshold"] == "-1"


@pytest.mark.parametrize("setting", ["spark.driver.memory", "=4g"])
def test_a_setting_without_its_value_is_one_line(setting):
    with pytest.raises(InputError, match="must be key=value"):
        options("yarn", [setting])


def test_without_java_the_package_to_install_is_named(monkeypatch, tmp_path):
    pytest.importorskip("pyspark")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_java()
    with (
        pytest.raises(InputError, match=r"needs Java 17 .* default-jre-headless"),
        session("local[2]"),
    ):
        pass
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert has_java()


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with (
        pytest.raises(InputError, match=r"pip install 'emkd-tf\[spark\]'"),
        session("local[2]"),
    ):
        pass


def test_the_executors_get_the_package(tmp_path):
    with zipfile.ZipFile(module._package(tmp_path)) as packed:
        names = packed.namelist()
    assert "emkd_tf/spark/inference.py" in names
    assert "emkd_tf/data/times.py" in names


@pytest.mark.slow
def test_what_goes_wrong_in_an_executor_is_one_line(spark):
    def fail(number):
        raise InputError("log.csv line 7 is wrong; mend it.")

    with (
        pytest.raises(InputError, match=r"^log.csv line 7 is wrong; mend it\.$"),
        module._spark_errors(),
    ):
        spark.sparkContext.parallelize([1], 1).map(fail).collect()
    with (
        pytest.raises(InputError, match=r"Spark stopped .*none.parquet") as caught,
        module._spark_errors(),
    ):
        spark.read.parquet("file:///none.parquet").count()
    assert "\n" not in str(caught.value)
