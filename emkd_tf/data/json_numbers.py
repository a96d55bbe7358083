"""Reads numbers in JSON as texts, so that ids of any length are kept.

Whole numbers written as floats (`17.0`, as pandas does next to missing values) lose
their `.0`.
"""

from __future__ import annotations

import json

from emkd_tf.data.texts import EXACT_FLOATS

_MOST_DIGITS = 38  # most digits of a whole number that polars reads


def _written(number: str) -> str:
    value = float(number)
    is_whole = value.is_integer() and abs(value) < EXACT_FLOATS
    return str(int(value)) if is_whole else number


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")


def _short(number: str) -> str:
    if len(number) > _MOST_DIGITS:
        raise ValueError(f"{number} is too long.")
    return number


def _exact(number: str) -> str:
    if abs(float(number)) >= EXACT_FLOATS:
        raise ValueError(f"{number} is rounded.")
    return number


# Only the first one reads NaN, which Python writes, as a float.
DECODER = json.JSONDecoder(parse_int=str, parse_float=_written)
STRICT = json.JSONDecoder(parse_constant=_refuse)
# Accepts what polars reads without changing a number.
OF_POLARS = json.JSONDecoder(
    parse_int=_short, parse_float=_exact, parse_constant=_refuse
)
