"""Which columns become attributes."""

from datetime import date

import polars as pl
import pytest

from emkd_tf.data.attribute_columns import read_attribute_table
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def read(path, *options, **named):
    return read_attribute_table(scan_table(path), *options, **named)


def table(tmp_path, **columns):
    number = len(next(iter(columns.values())))
    items = [f"i{n}" for n in range(number)]
    path = tmp_path / "items.parquet"
    pl.DataFrame({"item_id": items, **columns}).write_parquet(path)
    return path


def repeated(values, number=40):
    return [values[n % len(values)] for n in range(number)]


def test_values_lists_and_several_rows_of_an_item(tmp_path):
    expected = {("a", "brand=x"), ("a", "tag=red"), ("a", "tag=blue"), ("b", "brand=y")}
    wide = write(tmp_path / "w.csv", "item,brand,tag\na,x,red| blue\nb,y,\n")
    assert set(read(wide).pairs.rows()) == expected
    long = write(tmp_path / "l.csv", "item,brand,tag\na,x,red\na,,blue\nb,y,\na,x,\n")
    assert set(read(long).pairs.rows()) == expected


CATEGORIES = {
    "words": repeated(["red", "green", "blue"]),
    "long names of categories": repeated(["Movies, Music and more", "Food and Drink"]),
    "numbers of categories": repeated([7, 12, 903]),
    "numbers beside missing ones": repeated([7.0, 12.0, None]),
    "texts of such numbers": repeated(["7.0", "12.0"]),
    "years": repeated([str(year) for year in range(1990, 2005)]),
    "true or false": repeated([True, False]),
    "lists": repeated([["a", "b"], ["b"], None, []]),
    "brands, many of them once": [f"b{min(n, 25)}" for n in range(40)],
}
NO_CATEGORIES = {
    "titles": ([f"A thing of number {n}" for n in range(40)], "free text"),
    "texts that some share": (
        repeated([f"{n}: " + "a long tale " * 6 for n in range(9)]),
        "free text",
    ),
    "names": ([f"Thing-{n}" for n in range(40)], "a value of its own for"),
    "numbers of one item": (list(range(40)), "a value of its own for"),
    "prices": (repeated(["2.00", "5.10", "7"]), "numbers on a scale"),
    "prices with a currency": (repeated(["$2", "$1,050"]), "numbers on a scale"),
    "measures": (repeated([0.5, 1.25, 3.0]), "numbers on a scale"),
    "dates": (repeated([date(2024, 1, 1), date(2024, 2, 1)]), "dates"),
    "dates as text": (repeated(["2024-01-01", "2024-02-01"]), "dates"),
    "MovieLens dates": (repeated(["01-Jan-1995", "13-Feb-1996"]), "dates"),
    "nothing": (repeated(["", None, "nan"]), "nothing in it"),
    "structs": (repeated([{"a": 1}]), "Struct"),
    "lists of structs": (repeated([[{"a": 1}]]), "List(Struct"),
    "lists of lists": (repeated([[["a"]]]), "lists of lists"),
}


@pytest.mark.parametrize("kind", CATEGORIES)
def test_categories_are_kept(tmp_path, kind):
    found = read(table(tmp_path, field=CATEGORIES[kind]))
    assert (found.columns, found.left_out) == (["field"], {})
    given = pl.Series(CATEGORIES[kind])
    filled = given.list.len().sum() if given.dtype == pl.List else given.count()
    assert len(found.pairs) == filled


@pytest.mark.parametrize("kind", NO_CATEGORIES)
def test_the_rest_is_left_out_with_its_reason(tmp_path, kind):
    values, reason = NO_CATEGORIES[kind]
    colours = CATEGORIES["words"]
    found = read(table(tmp_path, field=values, colour=colours))
    assert found.columns == ["colour"]
    assert found.left_out["field"].startswith(reason)
    assert found.pairs["attribute"].str.starts_with("colour=").all()


@pytest.mark.parametrize("name", ["title", "price", "imageURL", "Description"])
def test_some_names_tell_enough(tmp_path, name):
    found = read(table(tmp_path, **{name: repeated(["1", "2"])}))
    assert (found.columns, list(found.left_out)) == ([], [name])
    assert found.pairs.is_empty()


def test_named_columns_are_taken_whatever_they_hold(tmp_path):
    titles = [f"A thing of number {n}" for n in range(40)]
    path = table(tmp_path, title=titles, colour=CATEGORIES["words"])
    found = read(path, chosen=["title"])
    assert found.pairs["attribute"].to_list() == [f"title={title}" for title in titles]
    assert found.left_out == {"colour": "not among --attribute-columns"}
    with pytest.raises(InputError, match=r"no column 'x'.*--attribute-columns"):
        read(path, chosen=["x"])


def test_the_item_column_is_found_or_named(tmp_path):
    path = write(tmp_path / "items.csv", "sku,item\na,x\nb,y\n")
    assert read(path).item_column == "sku"
    assert read(path, "item").pairs["item"].to_list() == ["x", "y"]
    path = write(path, "code,id,kind\na,b,x\n")
    assert read(path, log_column="code").item_column == "code"
    assert read(path).item_column == "id"
    with pytest.raises(InputError, match="no column beside 'item'"):
        read(write(path, "item\na\n"))


def test_lists_in_parquet_lose_what_says_nothing(tmp_path):
    tags = [["a ", None, "None", "N/A"], ["b", "a"], [], None]
    found = read(table(tmp_path, tags=tags)).pairs
    assert found.rows() == [("i0", "tags=a"), ("i1", "tags=b"), ("i1", "tags=a")]


def test_a_folder_whose_files_lack_the_items_is_refused(tmp_path):
    write(tmp_path / "0.csv", "item,brand\ni,x\n")
    write(tmp_path / "1.csv", "product,brand\nj,y\n")
    with pytest.raises(InputError, match=r"1\.csv has no column 'item', which other"):
        read(tmp_path)
    write(tmp_path / "1.csv", "item,color\nj,red\n")
    assert set(read(tmp_path).pairs.rows()) == {("i", "brand=x"), ("j", "color=red")}
