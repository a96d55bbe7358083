"""Fixtures of all tests."""

import os
import subprocess
import sys
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


TINY = {
    "hidden_units": 8,
    "num_blocks": 1,
    "num_networks": 2,
    "num_views": 2,
    "max_length": 6,
    "batch_size": 32,
    "epochs": 2,
    "learning_rate": 0.01,
    "k": 5,
    "min_user_actions": 3,
    "min_item_actions": 1,
}


@pytest.fixture(scope="session")
def tiny_log(tmp_path_factory) -> Path:
    """A CSV log of 60 users and 40 items with awkward ids."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(0)
    names = [f"item {i}" for i in range(37)] + ["naïve café ☕", 'the "quoted"', "a|b"]
    rows = [
        (f"user{user}", names[item], time)
        for user in range(60)
        for time, item in enumerate(rng.permutation(40)[: rng.integers(4, 12)])
    ]
    path = tmp_path_factory.mktemp("tiny") / "tiny.csv"
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(path)
    return path


@pytest.fixture(scope="session")
def tiny_base() -> dict:
    """Flat settings of a model that trains in seconds."""
    return dict(TINY)


@pytest.fixture
def tiny_settings(tiny_base, tiny_log, cache, tmp_path) -> dict:
    """Flat settings of a run of seconds that writes under `tmp_path` only."""
    return {
        **tiny_base,
        "dataset": "tiny",
        "interactions": str(tiny_log),
        "cache_dir": cache,
        "runs_dir": str(tmp_path / "runs"),
        "saved_models_dir": str(tmp_path / "saved_models"),
        "name": "tiny",
    }


def flags(settings: dict) -> list[str]:
    """Settings as a command line."""
    return [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]


@pytest.fixture(scope="session")
def finished_run(tiny_base, tiny_log, tmp_path_factory) -> tuple:
    """A trained and exported run of the tiny log: its directory, its settings and the
    process that made it. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("run")
    settings = {
        **tiny_base,
        "interactions": tiny_log,
        "cache_dir": folder / "cache",
        "runs_dir": folder / "runs",
        "saved_models_dir": folder / "saved_models",
        "name": "tiny",
    }
    process = subprocess.run(
        [sys.executable, "train.py", *flags(settings)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return folder / "runs" / "tiny", settings, process


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
