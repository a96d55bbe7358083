"""Fixtures of all tests."""

import os
import subprocess
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

import emkd_tf  # noqa: F401  chooses Keras 2 before any test imports TensorFlow

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile` a process has whole files, but of the pages, which take
    long and share nothing, one at a time."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrPage(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return nodeid if file.endswith("test_pages.py") else file

    return ByFileOrPage(config, log)


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
    "user_core": 3,
    "item_core": 1,
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
def tiny_attributes(tiny_log, tmp_path_factory) -> Path:
    """A CSV of the attributes of the tiny log's items; every fifth item has none."""
    import polars as pl

    items = pl.read_csv(tiny_log)["item"].unique().sort().to_list()
    rows = [
        (item, f"kind {number % size}")
        for number, item in enumerate(items)
        for size in range(3, 3 + number % 5)
    ]
    path = tmp_path_factory.mktemp("tiny") / "attributes.csv"
    pl.DataFrame(rows, schema=["item", "kind"], orient="row").write_csv(path)
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


@pytest.fixture(scope="session")
def finished_run(tiny_base, tiny_log, tmp_path_factory) -> tuple:
    """A trained and exported run of the tiny log: its directory, its settings and the
    process that made it. Tests leave it as it is."""
    import trainings

    folder = tmp_path_factory.mktemp("run")
    settings = {
        **tiny_base,
        "interactions": tiny_log,
        "cache_dir": folder / "cache",
        "runs_dir": folder / "runs",
        "saved_models_dir": folder / "saved_models",
        "name": "tiny",
    }
    return folder / "runs" / "tiny", settings, trainings.train(settings)


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


@pytest.fixture
def saved_run(tmp_path):
    """Returns a function that writes by hand what `emkd compare` reads of a run."""
    import json

    import numpy as np
    import polars as pl
    import yaml

    def write(name: str, ranks, *, users=None, settings=None, own=None, **columns):
        path = tmp_path / name
        path.mkdir(parents=True)
        own = {"name": "shop", "fingerprint": "f0", "model": "EMKD", **(own or {})}
        protocol = own.pop("protocol", "unseen")
        settings = {"epochs": 3, "max_length": 15, "seed": 0, **(settings or {})}
        (path / "config.yaml").write_text(yaml.safe_dump({**settings, "name": name}))
        (path / "dataset.json").write_text(json.dumps(own))
        metrics = {"model": own["model"], "protocol": protocol}
        (path / "metrics.json").write_text(json.dumps(metrics))
        ranks = np.asarray(ranks, np.int32)
        users = users or [f"u{user}" for user in range(len(ranks))]
        frame = {"user": users}
        for split in ("validation", "test"):
            for each in ("unseen", "window", "all"):
                frame[f"{split}_{each}"] = ranks
            for column, values in columns.items():
                frame[f"{split}_{column}"] = values
        pl.DataFrame(frame).write_parquet(path / "per_user.parquet")
        return path

    return write
