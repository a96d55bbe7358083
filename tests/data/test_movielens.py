"""GroupLens' archive."""

import zipfile

import pytest

from emkd_tf.data.movielens import (
    GENRES_100K,
    is_movies,
    read_movielens_1m,
    read_movies,
)
from emkd_tf.errors import InputError


def test_ratings_and_genres(tmp_path):
    path = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ml-1m/ratings.dat", "1::1193::5::978300760\n1::2::3::97\n")
        movies = '1193::Père Noël: "x" (1975)::Drama\n2::B (1995)::Comedy|Drama\n'
        archive.writestr("ml-1m/movies.dat", movies.encode("latin-1"))
    actions, attributes = read_movielens_1m(path)
    assert actions.collect().rows() == [("1", "1193", 978300760), ("1", "2", 97)]
    assert attributes.rows() == [("1193", "Drama"), ("2", "Comedy"), ("2", "Drama")]


def test_archives_that_are_not_movielens(tmp_path):
    path = tmp_path / "a.zip"
    path.write_text("no zip")
    with pytest.raises(InputError, match="not GroupLens"):
        read_movielens_1m(path)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(InputError, match="not GroupLens"):
        read_movielens_1m(tmp_path / "b.zip")


MOVIE_100K = (
    "1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact?Toy|"
    "0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0"
)


def test_movies_of_every_size(tmp_path):
    path = tmp_path / "movies"
    path.write_text(MOVIE_100K + "\n")
    genres = "Animation|Children's|Comedy"
    assert len(GENRES_100K) == 19
    assert read_movies(path).collect().rows() == [("1", "Toy Story (1995)", genres)]
    lines = "1::Père: a::b (1995)::Drama|War\n2::B (1996)::(no genres listed)\n"
    for encoding in ("latin-1", "utf-8"):
        path.write_text(lines, encoding=encoding)
        assert read_movies(path).collect().rows() == [
            ("1", "Père: a::b (1995)", "Drama|War"),
            ("2", "B (1996)", "(no genres listed)"),
        ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (MOVIE_100K, True),
        ("1::Toy Story (1995)::Comedy", True),
        ("movieId,title,genres", False),
        ("1|a|b", False),
        ("u::1::3", False),
    ],
)
def test_lines_of_movies(line, expected):
    assert is_movies(line) is expected
