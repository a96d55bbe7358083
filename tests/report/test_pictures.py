"""Pictures that follow the reader's theme."""

import subprocess
import sys
import xml.etree.ElementTree as ET

from emkd_tf.report.pictures import drawing, finish, one_panel


def draw():
    with drawing():
        figure, axes = one_panel()
        axes.plot([1, 2], [3, 4], label="a <line> & more")
        axes.legend()
        return finish(figure, "line", "A line")


def test_text_can_be_found_and_ink_is_the_pages():
    picture = draw()
    root = ET.fromstring(picture.svg)
    texts = [text for text in map(str.strip, root.itertext()) if text]
    assert "a <line> & more" in texts
    assert "currentColor" in picture.svg
    assert "#123456" not in picture.svg
    assert "prefers-color-scheme:dark" in picture.svg
    assert "#3f87d1" in picture.svg
    assert picture.png.startswith(b"\x89PNG")


def test_the_same_drawing_is_the_same_file():
    assert draw() == draw()


def test_a_notebook_keeps_its_own_backend():
    code = (
        "import matplotlib; matplotlib.use('svg');"
        "import emkd_tf.report.pictures, emkd_tf.experiments.figure;"
        "print(matplotlib.get_backend())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "svg", done.stderr
