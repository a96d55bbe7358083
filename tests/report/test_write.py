"""The page as a browser shows it."""

import base64
import re
import shutil
from html.parser import HTMLParser

import browser
import pytest

from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.report.write import write_report


@pytest.fixture(scope="session")
def page(finished_run, opened, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    names = opened[0].item_ids()
    titles = {name: f"Title <of> {number}" for number, name in enumerate(names)}
    return write_report([finished_run[0]], folder, k=5, titles=titles)


class Links(HTMLParser):
    """Every address of a page, and whether its tags are closed."""

    def __init__(self):
        super().__init__()
        self.addresses, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else(page):
    text = page[0].read_text()
    found = Links()
    found.feed(text)
    assert found.open == []
    assert found.addresses
    assert all(a.startswith(("#", "data:image/svg+xml")) for a in found.addresses)
    assert "url(" not in text
    assert "http:" not in re.sub(r'"data:[^"]*"', "", text)


def test_every_picture_is_in_it_and_beside_it(page):
    embedded = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page[0].read_text())
    assert len(embedded) == len(page) - 1
    assert all(b"<svg" in base64.b64decode(each) for each in embedded)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in page[1:])
    names = {file.name for file in page[1:]}
    assert {"validation.png", "loss-tiny.png", "by-history-length.png"} <= names
    assert {file.name for file in page[0].parent.iterdir()} == names | {"report.html"}


def test_the_same_runs_give_the_same_page(page, finished_run, opened, tmp_path):
    names = opened[0].item_ids()
    titles = {name: f"Title <of> {number}" for number, name in enumerate(names)}
    again = write_report([finished_run[0]], tmp_path, k=5, titles=titles)
    assert again[0].read_text() == page[0].read_text()


def test_two_runs_side_by_side(finished_run, files, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished_run[0], copy)
    (page, *_) = write_report([finished_run[0], copy], tmp_path / "out")
    text = page.read_text()
    assert "<title>tiny, copy: report</title>" in text
    assert "NDCG@10 beside tiny, the best; p corrected by Holm, pairs: 1" in text
    value = f"{files.metrics['test']['NDCG@10']:.4f} ±"
    assert text.count(value) >= 2


def test_runs_of_other_data_are_refused_and_nothing_is_written(
    finished_run, saved_run, tmp_path
):
    other = saved_run("other", [1, 2])
    (other / "environment.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be compared: their data differ"):
        write_report([finished_run[0], other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(finished_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"Not a directory\); choose another --output"):
        write_report([finished_run[0]], tmp_path / "file" / "out")


@pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))
class TestInABrowser:
    def test_the_metrics_read_from_it_are_those_of_the_run(self, page, files):
        with browser.browser() as driver:
            driver.get(page[0].as_uri())
            tables = driver.execute_script(
                "return [...document.querySelectorAll('table')].map(t => "
                "[...t.rows].map(r => [...r.cells].map(c => c.innerText)))"
            )
            broken = driver.execute_script(
                "return [...document.images].filter(i => !i.naturalWidth).length"
            )
            log = driver.get_log("browser")
        header, cells = tables[0]
        assert header == ["run", *METRICS]
        values = [float(cell.split()[0]) for cell in cells[1:]]
        expected = [files.metrics["test"][metric] for metric in METRICS]
        assert values == pytest.approx(expected, abs=5e-5)
        assert broken == 0
        assert log == []

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_phone_shows_it_without_scrolling_sideways(self, page, theme):
        with browser.browser(width=390, height=800, theme=theme) as driver:
            driver.get(page[0].as_uri())
            width = driver.execute_script("return document.body.scrollWidth")
            cards = driver.execute_script(
                "return [...document.querySelectorAll('.card td:last-child')]"
                ".map(c => c.clientWidth)"
            )
            colours = driver.execute_script(
                "const s = getComputedStyle(document.body);"
                "return [s.backgroundColor, s.color]"
            )
        assert width <= 390
        assert min(cards) > 120  # else a number breaks between its digits
        paper, ink = (
            sum(map(int, re.findall(r"\d+", c)[:3])) / (3 * 255) for c in colours
        )
        assert (paper > 0.9 and ink < 0.2) if theme == "light" else paper < 0.1 < ink

    def test_it_is_printed_whole(self, page):
        with browser.browser() as driver:
            driver.get(page[0].as_uri())
            pdf = base64.b64decode(driver.print_page())
        assert pdf.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2
