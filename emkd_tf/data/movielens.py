"""GroupLens' MovieLens files."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import polars as pl

from emkd_tf.data.delimited_rows import Dialect, Form
from emkd_tf.errors import InputError

# The order of the flags in MovieLens 100K's `u.item`, from its `u.genre`.
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_MOVIE_100K = re.compile(r"\d+\|.*(\|[01]){19}\s*")
_MOVIE_1M = re.compile(r"\d+::.*::[^:]*")


def read_movielens_1m(archive: Path) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Reads GroupLens' ml-1m.zip: every rating is an action, genres are attributes.

    Returns:
        Actions and attributes.

    Raises:
        InputError: not a zip file, or without `ml-1m/ratings.dat` and `movies.dat`.
    """
    try:
        with zipfile.ZipFile(archive) as files:
            ratings = files.read("ml-1m/ratings.dat")
            movies = files.read("ml-1m/movies.dat").decode("latin-1")
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{archive} is not GroupLens' ml-1m.zip: {error}") from None
    dialect = Dialect("::", ("user", "item", "rating", "time"), {}, header_line=0)
    rows = Form(dialect, is_quoted=False, is_plain=True).scan(io.BytesIO(ratings))
    actions = rows.select("user", "item", pl.col("time").cast(pl.Int64))
    genres = pl.col("genres").str.split("|")
    pairs = _movies(movies).select(item="movie_id", attribute=genres)
    return actions, pairs.explode("attribute").collect()


def is_movies(line: str) -> bool:
    """Returns whether a line is from `u.item` (100K) or `movies.dat` (1M, 10M)."""
    return bool(_MOVIE_100K.fullmatch(line) or _MOVIE_1M.fullmatch(line.strip()))


def read_movies(path: Path) -> pl.LazyFrame:
    """Reads `u.item` or `movies.dat`, which have no header and may be in Latin-1.

    Returns:
        Columns movie_id, title and genres, the last as texts joined by bars.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return _movies(text)


def _movies(text: str) -> pl.LazyFrame:
    rows = [_movie(line) for line in text.split("\n") if line.strip()]
    names = ("movie_id", "title", "genres")
    return pl.LazyFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _movie(line: str) -> tuple[str, str, str]:
    if _MOVIE_100K.fullmatch(line):
        fields = line.strip().split("|")
        flags = zip(GENRES_100K, fields[-len(GENRES_100K) :], strict=True)
        return (
            fields[0],
            fields[1],
            "|".join(name for name, is_set in flags if is_set == "1"),
        )
    number, _, rest = line.strip().partition("::")
    title, _, genres = rest.rpartition("::")
    return number, title, genres
