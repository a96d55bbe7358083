"""The embeddings of items for TensorBoard's projector, with what the items are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from tensorboard.plugins.projector import projector_config_pb2 as projector

from emkd_tf.atomic_files import read_json, write_bytes, write_text
from emkd_tf.data.attributes import main_attributes
from emkd_tf.data.histories import Histories
from emkd_tf.models.ranker import Ranker

_MOST_ITEMS, _MOST_NUMBERS = 10_000, 4_000_000  # as much as a browser can hold
_ENSEMBLE = "all networks"


def write_projector(
    folder: Path,
    model: Ranker,
    histories: Histories,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Writes the item vectors of each network and of all networks together.

    Args:
        folder: of the run's event files.
        model: whose vectors to write, without the bias.
        histories: of all users; if there are many items, the most popular are taken.
        titles: by item id.
    """
    every = model.item_vectors().numpy()[:, :-1]
    members = model.members()
    tables = {_ENSEMBLE: every}
    if len(members) > 1:
        tables.update({name: every[:, m.columns[:-1]] for name, m in members.items()})
    most = min(_MOST_ITEMS, _MOST_NUMBERS // every.shape[1])
    counts = histories.training_item_counts()
    chosen = np.argsort(-counts, kind="stable")[:most]
    labels = _labels(histories, counts, chosen, titles or {})
    (folder / "items").mkdir(parents=True, exist_ok=True)
    text = labels.write_csv(separator="\t", quote_style="never")
    write_text(folder / "items" / "labels.tsv", text)
    config = projector.ProjectorConfig()
    for name, table in tables.items():
        path = f"items/{name.replace(' ', '_')}.bytes"
        vectors = np.ascontiguousarray(table[chosen], np.float32)
        write_bytes(folder / path, vectors.tobytes())
        config.embeddings.add(
            tensor_name=name,
            tensor_path=path,
            tensor_shape=vectors.shape,
            metadata_path="items/labels.tsv",
        )
    write_text(folder / "projector_config.pbtxt", str(config))


def _labels(
    histories: Histories,
    counts: np.ndarray,
    chosen: np.ndarray,
    titles: Mapping[str, str],
) -> pl.DataFrame:
    """Returns one row per item. A tab would end its cell."""
    every = histories.item_ids()
    ids = [every[item] for item in chosen.tolist()]
    names = read_json(histories.folder / "attributes.json")
    main = main_attributes(histories.attribute_offsets, histories.attribute_values)
    columns = {
        "id": ids,
        "title": [titles.get(each, each) for each in ids],
        "main_attribute": [names[m] if m >= 0 else "" for m in main[chosen].tolist()],
        "training_actions": counts[chosen],
    }
    texts = pl.col(pl.String).str.replace_all(r"[\t\r\n]", " ")
    return pl.DataFrame(columns).with_columns(texts)
