"""Which engine a command runs on: this process, or Spark."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from emkd_tf.config.rules import require_one_of
from emkd_tf.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINES = ("local", "spark")
OPTIONS: dict[str, dict[str, Any]] = {
    "engine": {
        "type": str,
        "default": "local",
        "help": "local, this process; or spark (docs/scale.md)",
    },
    "spark_master": {
        "type": str,
        "help": "where Spark runs: local[2], yarn, k8s://..., spark://...",
    },
    "spark_conf": {
        "action": "append",
        "help": "a setting of Spark, key=value; may be repeated",
    },
}


def spark_session(
    values: Mapping[str, Any],
) -> AbstractContextManager[SparkSession] | None:
    """Returns the session that a command asks for, not yet started; None for this
    process.

    Raises:
        InputError: an unknown engine, or settings of another one.
    """
    engine, master = values["engine"], values["spark_master"]
    require_one_of("engine", ENGINES, engine)
    if engine == "local":
        for name in ("spark_master", "spark_conf"):
            if values[name]:
                raise InputError(f"`{name}` goes with --engine spark; add it.")
        return None
    from emkd_tf.spark.session import session

    return session(master or "local[*]", values["spark_conf"] or ())
