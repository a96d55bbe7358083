"""The documentation: its commands exist, its pages are built."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import browser
import pytest

from emkd_tf.cli import COMMANDS, main

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_COMMAND = re.compile(r"^\s*(?:emkd +(?P<name>[a-z]+)|python train\.py)(?P<rest>.*)$")
_FLAG = re.compile(r"(?<![\w-])--([a-z][\w-]*)")


def commands(text):
    """Yields the name and the flags of each command of a page."""
    for line in text.replace("\\\n", " ").splitlines():
        if found := _COMMAND.match(line):
            rest = found["rest"].partition(" #")[0]
            yield found["name"] or "train", _FLAG.findall(rest)


@pytest.fixture(scope="module")
def known_flags():
    """The flags of each command, as its help page lists them."""
    found = {}
    for name in COMMANDS:
        with (
            contextlib.redirect_stdout(io.StringIO()) as shown,
            contextlib.suppress(SystemExit),
        ):
            main([name, "--help", "all"])
        found[name] = set(_FLAG.findall(shown.getvalue())) | {"help", "print-config"}
        assert len(found[name]) > 3
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_flags_exist(page, known_flags):
    for name, used in commands(page.read_text(encoding="utf-8")):
        assert name in known_flags | {"help": set()}, name
        assert set(used) <= known_flags.get(name, set(used)), name


def test_pages_name_many_commands():
    """Else the test above would check nothing."""
    found = [c for page in PAGES for c in commands(page.read_text(encoding="utf-8"))]
    assert len(found) > 40
    assert {"report", "train", "experiments", "compare"} <= {name for name, _ in found}


def test_every_page_is_in_the_site():
    listed = (REPOSITORY / "mkdocs.yml").read_text()
    for page in (REPOSITORY / "docs").rglob("*.md"):
        assert str(page.relative_to(REPOSITORY / "docs")) in listed


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs of the extra docs is not installed")
    pytest.importorskip("mkdocstrings", reason="likewise mkdocstrings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    api = (tmp_path / "api" / "objectives" / "index.html").read_text()
    method = (tmp_path / "method" / "index.html").read_text()
    (address,) = set(re.findall(r'href="([^"]*#[^"]*\.distillation_loss)"', method))
    assert f'id="{address.partition("#")[2]}"' in api
    assert api.count("<details") >= 8  # the source of each function


@pytest.mark.slow
@pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))
def test_a_cell_gives_a_name_its_own_width_and_a_command_room(tmp_path):
    style = (REPOSITORY / "docs" / "stylesheets" / "tables.css").read_text()
    command = "python train.py --dataset beauty --preset cpu --distillation false"
    cells = "".join(f"<td>{cell}</td>" for cell in ["0.0652"] * 9)
    (tmp_path / "page.html").write_text(
        f"<style>{style} code {{ word-break: break-word }}</style>"
        "<div class=md-typeset style='width: 300px; overflow: auto'><table><tr>"
        f"<td><code>seed</code><td>of <code>emkd</code>: a name</td>{cells}"
        f"<td><code>{command}</code></td></tr></table></div>"
    )
    with browser.browser() as driver:
        driver.get((tmp_path / "page.html").as_uri())
        codes = driver.find_elements("tag name", "code")
        *names, room = (code.size["width"] for code in codes)
    assert len(names) == 2
    assert max(names) < 80
    assert room > 200  # of a table that scrolls


def test_main_has_a_command_for_each_line_of_the_overview(capsys):
    assert main(["help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)
