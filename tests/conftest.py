"""Fixtures of all tests."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

import emkd_tf  # noqa: F401  chooses Keras 2 before any test imports TensorFlow

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real datasets."""
    chosen = os.environ.get("EMKD_DATA_DIR") or REPOSITORY.parent / "shared" / "data"
    if not (Path(chosen) / "Beauty.txt").exists():
        pytest.skip(f"no real datasets in {chosen}; set EMKD_DATA_DIR to their folder")
    return Path(chosen)


@pytest.fixture
def cache(tmp_path: Path) -> str:
    """A folder for prepared datasets."""
    return str(tmp_path / "cache")
