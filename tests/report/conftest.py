"""A finished run as the report reads it."""

import pytest

from emkd_tf.report.run_files import read_files
from emkd_tf.training.run_model import open_run


@pytest.fixture(scope="session")
def files(finished_run):
    return read_files(finished_run[0])


@pytest.fixture(scope="session")
def opened(finished_run):
    """Its histories and its model."""
    _, histories, model = open_run(finished_run[0])
    return histories, model
