"""Starts Spark: its requirements, its settings, and what its JVM may print."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.errors import InputError
from emkd_tf.standard_error import standard_error_to

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PACKAGE = Path(__file__).resolve().parent.parent
_LOCAL = {
    # One machine has few cores: Spark's default of 200 pieces is hours of overhead.
    "spark.sql.shuffle.partitions": "16",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}
_ALL = {
    "spark.app.name": "emkd",
    "spark.ui.showConsoleProgress": "false",
    # Spark would collect users and items on the driver to send them to all executors.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
}


def options(master: str, given: Sequence[str]) -> dict[str, str]:
    """Returns the settings of a session.

    Args:
        master: `local[2]`, `yarn`, `k8s://...`, `spark://...`.
        given: `key=value`, overriding our settings.

    Raises:
        InputError: a setting without a value.
    """
    found = {**_ALL, **(_LOCAL if master.startswith("local") else {})}
    for setting in given:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise InputError(
                f"`spark_conf` {setting!r} must be key=value, such as "
                "spark.driver.memory=4g."
            )
        found[key.strip()] = value.strip()
    return found


@contextlib.contextmanager
def session(master: str, given: Sequence[str] = ()) -> Iterator[SparkSession]:
    """Yields a Spark session, which ends with the block.

    Args:
        master, given: see `options`.

    Raises:
        InputError: pyspark or Java is missing, or Spark cannot start or fails.
    """
    settings = options(master, given)
    SparkSession = _import_pyspark()
    _require_java()
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    # What it logs is also raised.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    builder = SparkSession.builder.master(master)
    for key, value in settings.items():
        builder = builder.config(key, value)
    with tempfile.TemporaryDirectory(prefix="emkd-spark-") as folder:
        log = Path(folder) / "jvm.log"
        try:
            with _quiet(log):  # the JVM keeps the redirection for its whole life
                spark = builder.getOrCreate()
        except Exception as error:
            raise InputError(
                f"Spark cannot start at {master!r} ({_reason(log, error)}); correct "
                "--spark-master or --spark-conf."
            ) from None
        try:
            if not master.startswith("local"):
                spark.sparkContext.addPyFile(str(_package(Path(folder))))
            with warnings.catch_warnings(), _spark_errors():
                # They come from pandas 3, whose frames are only passed on here.
                warnings.simplefilter("ignore", FutureWarning)
                yield spark
        finally:
            spark.stop()


def _import_pyspark() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError(
            "`--engine spark` needs pyspark 4: pip install 'emkd-tf[spark]'"
        ) from None
    return SparkSession


def has_java() -> bool:
    """Returns whether there is a Java that Spark would find."""
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which(str(Path(home, "bin", "java")) if home else "java"))


def _require_java() -> None:
    if not has_java():
        raise InputError(
            "`--engine spark` needs Java 17 or newer: apt-get install "
            "default-jre-headless (or your system's package), or set JAVA_HOME."
        )


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Redirects standard error to a file, unless TF_CPP_MIN_LOG_LEVEL=0 in the
    environment asks to see everything."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    with log.open("wb") as file, standard_error_to(file):
        yield


def _reason(log: Path, error: Exception) -> str:
    """Returns in one line why Spark did not start, from the JVM, else from Python."""
    written = log.read_text(errors="replace").splitlines() if log.exists() else []
    told = [line for line in written if "Exception" in line or "Error" in line]
    return (told or str(error).splitlines() or [type(error).__name__])[0].strip()


@contextlib.contextmanager
def _spark_errors() -> Iterator[None]:
    """Turns errors in Spark into one line; an executor's InputError is raised again."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        own = f"{InputError.__module__}.{InputError.__name__}: "
        for line in lines:
            if own in line:
                raise InputError(line.partition(own)[2]) from None
        told = [line for line in lines if "Error: " in line or "Exception: " in line]
        reason = (told[-1:] or lines[:1] or ["no reason given"])[0]
        raise InputError(
            f"Spark stopped ({reason}); fix that, or see --spark-conf for more memory "
            "and other places."
        ) from None


def _package(folder: Path) -> Path:
    """Packs this package for the executors."""
    packed = folder / "emkd_tf.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(_PACKAGE.rglob("*.py")):
            archive.write(path, path.relative_to(_PACKAGE.parent))
    return packed
