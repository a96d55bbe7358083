"""The report of finished runs: gathered, drawn, and written as one page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jinja2

from emkd_tf import __version__
from emkd_tf.atomic_files import write_bytes, write_text, writes_to
from emkd_tf.evaluation.run_ranks import require_comparable
from emkd_tf.report import sections
from emkd_tf.report.cards import data_section, recipe
from emkd_tf.report.examples import choose
from emkd_tf.report.lists import lists_of_test_users
from emkd_tf.report.pictures import Picture, drawing
from emkd_tf.report.run_files import RunFiles, read_files
from emkd_tf.training.run_model import open_run

PAGE = "report.html"
_EXAMPLES = 6


def write_report(
    run_dirs: Sequence[Path],
    folder: Path,
    *,
    metric: str = "NDCG@10",
    k: int = 10,
    titles: Mapping[str, str] | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> list[Path]:
    """Writes a page that needs nothing else, and its pictures as PNG files.

    Args:
        run_dirs: finished runs of the same data and protocol.
        folder: to write to; made if it does not exist.
        metric: of the curves and groups of users.
        k: items per list.
        titles: of items by id.
        advance: called with how many more lists have been made.

    Returns:
        The files, the page first.

    Raises:
        InputError: runs that cannot be opened or compared, or a folder that cannot be
            written.
    """
    runs = [read_files(path) for path in run_dirs]
    require_comparable([run.ranks for run in runs])
    names = _names(runs)
    lists = {}
    for name, run in zip(names, runs, strict=True):
        _, histories, model = open_run(run.path)
        k = min(k, histories.num_items)
        protocol = run.ranks.protocol
        lists[name] = lists_of_test_users(model, histories, protocol, k, advance)
    with drawing():
        found = [
            *sections.metrics_sections(runs, metric),
            sections.networks_section(runs, metric),
            sections.curves_section(runs, metric),
            sections.lists_section(lists, histories, k),
            data_section(runs[0].dataset, histories),
        ]
    parts = [section for section in found if section]
    page = _template().render(
        title=", ".join(names),
        runs=runs,
        sections=parts,
        examples=choose(lists, histories, titles or {}, _EXAMPLES),
        recipes=[recipe(run) for run in runs],
        k=k,
        version=__version__,
    )
    pictures = [picture for section in parts for picture in section.pictures]
    return _write(folder, page, pictures)


def _names(runs: Sequence[RunFiles]) -> list[str]:
    """Returns short names of runs: those of their directories, if these differ."""
    short = [run.name for run in runs]
    is_clear = len(set(short)) == len(short)
    return short if is_clear else [str(run.path) for run in runs]


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emkd_tf.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment.get_template("report.html.jinja")


def _data_uri(picture: Picture) -> str:
    encoded = base64.b64encode(picture.svg.encode()).decode()
    return f"data:image/svg+xml;base64,{encoded}"


def _write(folder: Path, page: str, pictures: Sequence[Picture]) -> list[Path]:
    files = [folder / f"{picture.name}.png" for picture in pictures]
    with writes_to(folder, "--output"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, picture in zip(files, pictures, strict=True):
            write_bytes(file, picture.png)
        write_text(folder / PAGE, page)
    return [folder / PAGE, *files]
