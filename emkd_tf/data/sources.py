"""Datasets by name: where their files are, their checksums and expected counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data import synthetic
from emkd_tf.data.delimited_rows import scan_lines
from emkd_tf.data.download import RemoteFile
from emkd_tf.data.movielens import read_movielens_1m
from emkd_tf.data.s3rec import read_s3rec_attributes, scan_sequences

_S3REC = "https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/master/data/"
_AMAZON_LICENCE = (
    "Amazon reviews 2014 (McAuley et al.), research use; as released with S3-Rec."
)


@dataclasses.dataclass(frozen=True)
class Interactions:
    """The raw content of a dataset.

    Attributes:
        actions: columns user, item (strings) and time (number), one row per action;
            they may be larger than memory.
        attributes: columns item, attribute (strings), one row per pair.
        dropped: rows that are not among the actions, by reason.
        description: how the files were read, for `dataset.json`.
        has_times: whether the times are real, not places in a file.
    """

    actions: pl.LazyFrame
    attributes: pl.DataFrame
    dropped: dict[str, int] = dataclasses.field(default_factory=dict)
    description: dict[str, Any] = dataclasses.field(default_factory=dict)
    has_times: bool = False


@dataclasses.dataclass(frozen=True)
class Source:
    """A dataset by name.

    Attributes:
        variants: alternatives, each a tuple of files and a reader of their paths. The
            first one found in the data folder is used; if none is, the last one is
            downloaded.
        licence: what the data may be used for.
        users, items, actions: counts after preparation with the dataset's own settings.
    """

    variants: tuple[tuple[tuple[RemoteFile, ...], Callable[..., Interactions]], ...]
    licence: str
    users: int
    items: int
    actions: int


def _read_s3rec(sequences: Path, attributes: Path) -> Interactions:
    actions = scan_sequences(scan_lines(sequences)).with_row_index("time")
    actions = actions.with_columns(pl.col("time").cast(pl.Int64))  # places in the file
    return Interactions(actions, read_s3rec_attributes(attributes))


def _read_movielens(archive: Path) -> Interactions:
    return Interactions(*read_movielens_1m(archive), has_times=True)


def _s3rec(stem: str, sequences_sha256: str, attributes_sha256: str):
    files = (
        RemoteFile(f"{stem}.txt", f"{_S3REC}{stem}.txt", sequences_sha256),
        RemoteFile(
            f"{stem}_item2attributes.json",
            f"{_S3REC}{stem}_item2attributes.json",
            attributes_sha256,
        ),
    )
    return files, _read_s3rec


SOURCES = {
    "beauty": Source(
        (
            _s3rec(
                "Beauty",
                "226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8",
                "129e40f67486f6877eff0f5318cfa8530ee8ac23d8b0d1de04e1bb7a2ba0b2d4",
            ),
        ),
        _AMAZON_LICENCE,
        users=22_363,
        items=12_101,
        actions=198_502,
    ),
    "toys": Source(
        (
            _s3rec(
                "Toys_and_Games",
                "176c680c688d497598c4a89a03b402c0fe78d795e5db335c2e78dd5f2d778a3f",
                "d371acd25101eedac04afc727626464b7acec770c4eda708705d51eb76eb1ad0",
            ),
        ),
        _AMAZON_LICENCE,
        users=19_412,
        items=11_924,
        actions=167_597,
    ),
    "ml-1m": Source(
        (
            # The same ratings as ids in S3-Rec's text format; only used if placed in
            # the data folder.
            (
                (
                    RemoteFile(
                        "ml-1m.txt",
                        None,
                        "567df58c3822a48e1a92c8d94b43d25fac7f06fd37b817b2a2fc9af364a1b88b",
                    ),
                    RemoteFile(
                        "ml-1m_item2attributes.json",
                        None,
                        "977908037ed1cc8a31b96f6ca1c04f60314f4cc28dbe0c43d8e970fdaf64d200",
                    ),
                ),
                _read_s3rec,
            ),
            (
                (
                    RemoteFile(
                        "ml-1m.zip",
                        "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
                        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
                    ),
                ),
                _read_movielens,
            ),
        ),
        "MovieLens 1M (GroupLens): research use, no redistribution.",
        users=6_040,
        items=3_706,
        actions=1_000_209,
    ),
}


def read_sample() -> Interactions:
    """Generates the bundled sample; see `synthetic.generate`."""
    actions, attributes = synthetic.generate()
    return Interactions(actions.lazy(), attributes)
