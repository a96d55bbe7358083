"""Which Keras a process gets, in processes of their own."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

HAS_KERAS_3 = importlib.metadata.version("keras") >= "3"
only_with_keras_3 = pytest.mark.skipif(not HAS_KERAS_3, reason="Keras 2 is installed")


def run(program, **environment):
    clean = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_first_chooses_keras_2():
    process = run("import emkd_tf, tensorflow as tf; print(tf.keras.Model.__module__)")
    assert process.stdout.startswith("tf_keras" if HAS_KERAS_3 else "keras.src.engine")


@only_with_keras_3
@pytest.mark.parametrize(
    ("program", "environment"),
    [
        ("import emkd_tf", {"TF_USE_LEGACY_KERAS": "0"}),
        ("import tensorflow, emkd_tf", {}),
    ],
)
def test_keras_3_is_refused_with_the_remedy(program, environment):
    process = run(program, **environment)
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert "Set TF_USE_LEGACY_KERAS=1" in last


def test_tensorflow_first_with_the_variable_is_fine():
    process = run("import tensorflow, emkd_tf", TF_USE_LEGACY_KERAS="1")
    assert process.returncode == 0, process.stderr


def test_the_package_and_its_help_do_not_load_tensorflow():
    process = run(
        "import sys, emkd_tf.cli as c\n"
        "c.main(['--help']); c.main(['train', '--seed=x'])\n"
        "print('tensorflow' in sys.modules, 'polars' in sys.modules)"
    )
    assert process.stdout.splitlines()[-1] == "False False"
    assert "`seed`: Expected whole number" in process.stderr
