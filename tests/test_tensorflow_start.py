"""What TensorFlow says while it starts, in processes of their own."""

import os
import subprocess
import sys

import pytest

LOADS = "from emkd_tf.tensorflow_start import load_tensorflow; load_tensorflow(); "


def said(program, **environment):
    clean = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stderr


def test_nothing_is_said_from_python():
    warns = "import tensorflow as tf; tf.get_logger().warning('retracing')"
    assert said(LOADS + warns) == ""
    assert said(LOADS + "import tensorflow", TF_CPP_MIN_LOG_LEVEL="0")


def test_a_run_of_ones_own_asks_for_tensorflow_quietly(finished_run):
    opened = f"import emkd_tf; run = emkd_tf.open_run({str(finished_run[0])!r}); "
    assert said(f"{opened}assert len(run.recommend([['item 1']], k=2)) == 2") == ""
    assert said(f"{opened}assert len(run.evaluate()) == 3") == ""


def test_what_somebody_else_imported_says_what_it_says():
    other = "import emkd_tf, tensorflow as tf; "
    assert "retracing" in said(other + LOADS + "tf.get_logger().warning('retracing')")


def test_why_an_import_failed_is_shown(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os; os.write(2, b'no such library'); raise ImportError('broken')"
    )
    with pytest.raises(subprocess.CalledProcessError) as failed:
        said(LOADS, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    assert "no such library" in failed.value.stderr
