"""Starts TensorFlow without its own lines."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile

_STDERR = 2


def load_tensorflow() -> None:
    """Imports TensorFlow, unless somebody did, without what its C++ parts write to
    standard error on the way, which no setting keeps back, and without what it tells
    and warns of later; if the import fails, that is shown.

    With TF_CPP_MIN_LOG_LEVEL=0 in the environment nothing is done, so that whatever
    imports it shows everything.
    """
    # CUDA's absence is no error; TensorFlow's own errors come back as exceptions.
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if level == "0" or "tensorflow" in sys.modules:
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    sys.stderr.flush()
    before = os.dup(_STDERR)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), _STDERR)
        try:
            importlib.import_module("tensorflow")
        except BaseException:
            written.seek(0)
            os.write(before, written.read())
            raise
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
