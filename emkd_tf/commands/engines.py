"""Which engine a command runs on: this process, or Spark."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

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


def take_engine(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Returns the values of OPTIONS and the other arguments.

    Raises:
        InputError: an option without its value.
    """
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False
    )
    for name, options in OPTIONS.items():
        flags = {f"--{name}", f"--{name.replace('_', '-')}"}
        parser.add_argument(*sorted(flags), **options)
    try:
        values, rest = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise InputError(f"{error}.") from None
    return vars(values), rest


def spark_session(
    values: Mapping[str, Any],
) -> AbstractContextManager[SparkSession] | None:
    """Returns the session that a command asks for, not yet started; None for this
    process.

    Raises:
        InputError: an unknown engine, or settings of another one.
    """
    engine, master = values["engine"], values["spark_master"]
    if engine not in ENGINES:
        raise InputError(f"`engine` must be {' or '.join(ENGINES)}, got {engine!r}.")
    if engine == "local":
        for name in ("spark_master", "spark_conf"):
            if values[name]:
                raise InputError(f"`{name}` goes with --engine spark; add it.")
        return None
    from emkd_tf.spark.session import session

    return session(master or "local[*]", values["spark_conf"] or ())
