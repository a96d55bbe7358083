"""Text tables: finds a file's separator, header and quotes, and reads columns as text.

A quote may open a field, as in CSV, or be a character like any other (`a 7" disc`). All
lines together decide, before the first row is used.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data.columns import ITEM_NAMES, TIME_NAMES, USER_NAMES, plain
from emkd_tf.data.delimited_rows import Dialect, Form, scan_lines
from emkd_tf.errors import InputError

SEPARATORS = (",", "\t", ";", "|", "::", " ")
_TYPED = re.compile(r"([^:]+):(token|token_seq|float|float_seq)")  # RecBole's headers
_VALUE = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?|\d{4}-\d\d-\d\d.*")
_NOTE = re.compile(r"#|sep=.\s*$", re.I)
_AT_AN_END = re.compile(r"^[,;|]|[,;|]$|::$")
_NO_WORD = re.compile(r"[^\w-]+")
_USUAL = frozenset(map(plain, (*USER_NAMES, *ITEM_NAMES, *TIME_NAMES)))
_ROWS_AT_ONCE = 200_000


# Computes aggregates by name over a file's columns line and row (from 0 after the
# header).
LookAtLines = Callable[[Path, Dialect, dict[str, pl.Expr]], dict[str, Any]]


def sniff(lines: Sequence[str | None], known_names: Sequence[str] = ()) -> Dialect:
    """Finds out how a text table is written.

    Args:
        lines: the first lines of the file, including the header; not all are blank.
        known_names: columns that a header would contain, besides the usual ones.
    """
    first = _first_line(lines, known_names)
    filled = [line for line in lines[first:] if line and line.strip()]

    def merit(separator: str) -> tuple[int, bool, int]:
        counts = [line.count(separator) for line in filled]
        fields = _split(filled[0], separator)
        if separator == " " and any(map(_AT_AN_END.search, fields)):
            return 0, False, 0  # a blank next to the separator: `user, item`
        known = knows(fields, known_names)
        return known, counts[0] > 0 and len(set(counts)) == 1, counts[0]

    separator = max(SEPARATORS, key=merit)
    fields = _split(filled[0], separator)
    if not merit(separator)[0] and any(map(_VALUE.fullmatch, fields)):
        numbers = range(1, len(fields) + 1)
        return Dialect(separator, tuple(f"column_{n}" for n in numbers), {}, 0)
    typed = [match for match in map(_TYPED.fullmatch, fields) if match]
    if len(typed) < len(fields):
        return Dialect(separator, _unique(fields), {}, first + 1)
    names = _unique([match[1] for match in typed])
    types = {n: match[2] for n, match in zip(names, typed, strict=True)}
    return Dialect(separator, names, types, first + 1)


def _first_line(lines: Sequence[str | None], known_names: Sequence[str]) -> int:
    """Returns the line where a table begins: after notes (`# ...`, `sep=;`), unless
    they name its columns."""
    filled = [n for n, line in enumerate(lines) if line and line.strip("\ufeff \t\r")]
    for number in filled:
        line = lines[number] or ""
        names = _NO_WORD.split(line)
        if not _NOTE.match(line.lstrip("\ufeff \t")) or knows(names, known_names) > 1:
            return number
    return filled[0]


def knows(fields: Sequence[str], known_names: Sequence[str] = ()) -> int:
    """Counts the fields that are usual or known column names."""
    names = _USUAL | set(map(plain, known_names))
    return sum(plain(_untyped(field)) in names for field in fields)


def _split(line: str, separator: str) -> list[str]:
    if len(separator) > 1:
        return [field.strip("\ufeff \t\r") for field in line.split(separator)]
    fields = next(csv.reader([line], delimiter=separator), [])
    return [field.strip("\ufeff \t\r") for field in fields]


def _untyped(name: str) -> str:
    match = _TYPED.fullmatch(name)
    return match[1] if match else name


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Gives unnamed columns, and repeated names after the first, names that no other
    column has."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        free = (f"column_{n}" for n in itertools.count(number))
        own = (each for each in free if each not in names and each not in found)
        found[name if name and name not in found else next(own)] = None
    return tuple(found)


def look_at_lines(
    path: Path, dialect: Dialect, aggregates: dict[str, pl.Expr]
) -> dict[str, Any]:
    """Computes aggregates over all lines after the header."""
    rows = scan_lines(path).slice(dialect.header_line).with_row_index("row")
    return rows.select(**aggregates).collect(engine="streaming").row(0, named=True)


def find_form(
    path: Path, dialect: Dialect, look: LookAtLines = look_at_lines
) -> Form | None:
    """Finds out from all lines what the quotes of a table mean.

    Args:
        path, dialect: of the table.
        look: computes aggregates over its lines.

    Returns:
        How each line is read, or None if some quotes enclose fields that span lines
        while others are characters.

    Raises:
        InputError: a line with too many fields.
    """
    last = len(dialect.names) - 1
    line, row = pl.col("line"), pl.col("row")
    count = line.str.count_matches(dialect.separator, literal=True)
    is_plain = bool(dialect.types) or len(dialect.separator) > 1
    seen = look(
        path,
        dialect,
        {
            "quoted": line.str.contains('"', literal=True).any(),
            "uneven": (count != last).any(),
            "first longer": row.filter(count > last).min(),
        },
    )
    longer = seen["first longer"]
    if seen["quoted"] and not is_plain:
        well = line.str.contains(_well_quoted(dialect.separator))
        bare = line.str.replace_all('"[^"]*"', "")
        count = bare.str.count_matches(dialect.separator, literal=True)
        of_quotes = look(
            path,
            dialect,
            {"ill": (~well).any(), "first longer": row.filter(count > last).min()},
        )
        if not of_quotes["ill"]:
            longer = of_quotes["first longer"]
        elif seen["uneven"]:
            return None
        else:
            is_plain = True
    if longer is not None:
        raise InputError(
            f"{path} line {dialect.header_line + longer + 1} has more fields than the "
            f"{last + 1} of the first line; correct it, or quote what holds "
            f"{dialect.separator!r}."
        )
    return Form(dialect, bool(seen["quoted"]), is_plain)


def _well_quoted(separator: str) -> str:
    """Returns a pattern for lines whose quotes, if any, enclose whole fields."""
    at = re.escape(separator)
    field = rf'(?:[^"{at}]*|\s*"(?:[^"]|"")*"\s*)'
    return rf"^{field}(?:{at}{field})*$"


def read_strictly(path: Path, dialect: Dialect) -> pl.LazyFrame:
    """Reads, row by row, a table in which some quotes enclose fields that span lines
    while others are characters."""
    lines = scan_lines(path).slice(dialect.header_line).collect(engine="streaming")
    texts = lines["line"].fill_null("")
    reader = csv.reader(
        (f"{line}\n" for line in texts), delimiter=dialect.separator, strict=True
    )
    parts: list[pl.DataFrame] = []
    rows: list[list[str | None]] = []
    width = len(dialect.names)
    schema = dict.fromkeys(dialect.names, pl.String)

    def flush() -> None:
        parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
        rows.clear()

    try:
        for row in reader:
            if len(row) > width:
                raise csv.Error(f"{len(row)} fields where the first line has {width}")
            rows.append([*row, *[None] * (width - len(row))])
            if len(rows) == _ROWS_AT_ONCE:
                flush()
    except csv.Error as error:
        where = dialect.header_line + reader.line_num
        raise InputError(
            f"{path} line {where}: a quote is not closed or stands inside a field "
            f"({error}); write it twice, in a quoted field."
        ) from None
    flush()
    return pl.concat(parts).lazy()
