"""Starts TensorFlow quietly."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile

from emkd_tf.standard_error import STDERR, standard_error_to


def load_tensorflow() -> None:
    """Imports TensorFlow, unless it already is, and hides its messages: what its C++
    parts write to standard error during the import, which no setting suppresses, and
    its later notes and warnings. If the import fails, the hidden text is shown.

    With TF_CPP_MIN_LOG_LEVEL=0 in the environment this does nothing, so that whoever
    imports TensorFlow sees everything.
    """
    # A missing CUDA is not an error; TensorFlow's own errors arrive as exceptions.
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if level == "0" or "tensorflow" in sys.modules:
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with tempfile.TemporaryFile() as written:
        try:
            with standard_error_to(written):
                importlib.import_module("tensorflow")
        except BaseException:
            written.seek(0)
            os.write(STDERR, written.read())
            raise
