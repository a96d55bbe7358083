"""Numbers of JSON as texts."""

import pytest

from emkd_tf.data.json_numbers import DECODER, OF_POLARS, STRICT

LONG, ROUNDED = str(10**40), f"{2**53}.0"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        *(("17", "17"), ("17.0", "17"), ("-3.00", "-3"), ("1e3", "1000")),
        *(("0.5", "0.5"), ("1.20", "1.20"), (LONG, LONG), (ROUNDED, ROUNDED)),
        (f"{2**53 - 1}.0", str(2**53 - 1)),
    ],
)
def test_numbers_are_texts(written, text):
    assert DECODER.decode(written) == text


@pytest.mark.parametrize("text", [LONG, ROUNDED, "1e300", "NaN", "-Infinity"])
def test_what_polars_would_change_is_refused(text):
    with pytest.raises(ValueError, match=r"too long|rounded|not JSON"):
        OF_POLARS.decode(text)


def test_what_polars_keeps():
    text = f'[{10**37}, -1, 0.5, "x", null, true]'
    assert OF_POLARS.decode(text)[:3] == [str(10**37), "-1", "0.5"]


def test_json_has_no_nan():
    assert STRICT.decode("[1, 2.5]") == [1, 2.5]
    with pytest.raises(ValueError, match="NaN is not JSON"):
        STRICT.decode("[NaN]")
