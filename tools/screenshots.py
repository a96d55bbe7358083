"""Takes the pictures of docs/images with headless Chromium, from a finished run.

python tools/screenshots.py runs/NAME
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browser
import requests
from PIL import Image

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
# The views of TensorBoard, and a text that appears when they are drawn.
VIEWS = {
    "custom_scalars": "Quality of the run",
    "projector": "Points:",
}
_DRAWN_SECONDS = 5.0  # after the text has appeared
_PATIENCE_SECONDS = 600.0
_COLOURS = 128  # per picture, for small files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="directory of a finished run")
    parser.add_argument(
        "--output", type=Path, default=IMAGES, help="folder to write to"
    )
    arguments = parser.parse_args()
    if reason := browser.missing():
        sys.exit(f"screenshots: {reason}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for picture in take(arguments.run, arguments.output):
        print(picture)


def take(run: Path, folder: Path) -> list[Path]:
    """Takes every picture of a run.

    Returns:
        The files.
    """
    return [*of_report(run, folder), *of_tensorboard(run, folder)]


def of_report(run: Path, folder: Path) -> list[Path]:
    """Takes the top of the report on a screen, and on a phone with the dark theme."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["report", f"--run={run}", f"--output={scratch}"]
        subprocess.run([sys.executable, "-m", "emkd_tf", *command], check=True)
        page = (Path(scratch) / "report.html").as_uri()
        files = []
        for name, size, theme in (
            ("report", (1100, 1400), "light"),
            ("report-phone", (390, 844), "dark"),
        ):
            with browser.browser(*size, theme=theme) as driver:
                driver.get(page)
                files.append(save(driver, folder / f"{name}.png"))
    return files


def of_tensorboard(run: Path, folder: Path) -> list[Path]:
    """Takes the views of TensorBoard."""
    files = []
    with tensorboard(run) as address, browser.browser(1300, 900) as driver:
        for view, text in VIEWS.items():
            open_view(driver, f"{address}/#{view}", text)
            files.append(save(driver, folder / f"tensorboard-{view}.png"))
    return files


def open_view(driver, address: str, text: str) -> None:
    """Opens a view of TensorBoard afresh and waits for a text in it."""
    driver.get("about:blank")  # else the previous view stays in the page
    driver.get(address)
    wait_for(driver, text)


@contextmanager
def tensorboard(run: Path) -> Iterator[str]:
    """Runs TensorBoard on a single run, under its name, and yields its address."""
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(run / "logs", Path(folder) / "runs" / run.resolve().name)
        server = subprocess.Popen(
            [*command, "--logdir", "runs"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://localhost:{port}"
            wait_until(lambda: answers(address), "TensorBoard does not answer")
            yield address
        finally:
            server.terminate()
            server.wait()


def answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/data/runs", timeout=30).json() != []
    except requests.ConnectionError:
        return False


def texts_of(driver) -> list[str]:
    """Returns the texts of the page, including its components and frames."""
    return driver.execute_script(
        "const all = n => [n, ...[...n.childNodes].flatMap(all),"
        " ...[n.shadowRoot, n.contentDocument].flatMap(m => m ? all(m) : [])];"
        "return all(document.body).filter(n => n.nodeType === 3)"
        ".map(n => n.data.trim()).filter(Boolean)"
    )


def wait_for(driver, text: str) -> None:
    """Waits until a text is in the page and drawn."""
    wait_until(
        lambda: any(text in each for each in texts_of(driver)),
        f"no {text!r} in the page",
    )
    time.sleep(_DRAWN_SECONDS)


def wait_until(is_so, otherwise: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.5)


def save(driver, path: Path) -> Path:
    """Saves what the browser shows, with few colours."""
    driver.save_screenshot(str(path))
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
    return path


if __name__ == "__main__":
    main()
