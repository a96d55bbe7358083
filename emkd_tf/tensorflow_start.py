"""Starts TensorFlow without its own lines."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile

from emkd_tf.standard_error import STDERR, standard_error_to


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
    with tempfile.TemporaryFile() as written:
        try:
            with standard_error_to(written):
                importlib.import_module("tensorflow")
        except BaseException:
            written.seek(0)
            os.write(STDERR, written.read())
            raise
