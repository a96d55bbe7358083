"""A small log, and settings of it."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare


@pytest.fixture
def histories(tiny_settings):
    return prepare(from_flat(tiny_settings).data)


@pytest.fixture
def config_of(tiny_settings):
    return lambda **changes: from_flat({**tiny_settings, **changes})
