"""Metadata of Amazon, a record of each year as published, shortened."""

import pytest

from emkd_tf.data.amazon import is_metadata, read_metadata

RECORDS = {
    "2014": {
        "asin": "0000031852",
        "title": "Girls Ballet Tutu",
        "price": 3.17,
        "related": {"also_bought": ["B00JHONN1S"]},
        "salesRank": {"Toys & Games": 211836},
        "brand": "Coxlures",
        "categories": [["Sports", "Other Sports", "Dance"], ["Sports", "Dance"]],
    },
    "2018": {
        "asin": "0000031852",
        "title": "Girls Ballet Tutu",
        "feature": ["Botiquecutie Trademark"],
        "brand": "Coxlures",
        "category": ["Sports", "Other Sports", "Dance"],
    },
    "2023": {
        "main_category": "Sports",
        "title": "Girls Ballet Tutu",
        "store": "Shop",
        "categories": ["Sports", "Other Sports", "Dance"],
        "details": {"Brand": "Coxlures"},
        "parent_asin": "0000031852",
    },
}


@pytest.mark.parametrize("year", RECORDS)
def test_categories_but_the_first_and_the_brand(year):
    assert is_metadata(RECORDS[year])
    assert read_metadata([RECORDS[year]]).rows() == [
        ("0000031852", "Coxlures"),
        ("0000031852", "Other Sports"),
        ("0000031852", "Dance"),
    ]


def test_records_that_lack_things():
    found = read_metadata(
        [
            {"asin": "a"},
            {"asin": "b", "categories": [], "brand": None},
            {"asin": "c", "categories": [["x"]], "brand": " "},
            {"title": "no item"},
            {"parent_asin": "d", "categories": ["x", "y"], "details": {}, "store": "z"},
        ]
    )
    assert found.rows() == [("d", "z"), ("d", "y")]
    assert not is_metadata({"asin": "a", "rating": 3})
