"""Exports of an untrained model with awkward ids and uneven biases."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.emkd import EMKD
from emkd_tf.retrieval.recommend import Recommender
from emkd_tf.training.build import build_model


@dataclasses.dataclass(frozen=True)
class Exported:
    """A live model and its export; tests leave both as they are."""

    model: EMKD
    histories: Histories
    recommender: Recommender
    folder: Path
    names: list[str]


@pytest.fixture(scope="session", params=[False, True], ids=["own weights", "tied"])
def exported(request, tiny_base, tiny_log, tmp_path_factory) -> Exported:
    folder = tmp_path_factory.mktemp("exported")
    settings = {
        **tiny_base,
        "dataset": "tiny",
        "interactions": str(tiny_log),
        "cache_dir": str(folder / "cache"),
        "tie_item_embeddings": request.param,
    }
    config = from_flat(settings)
    histories = prepare(config.data)
    model = build_model(config, histories)
    for network in model.networks:
        network.item_bias.assign(np.random.default_rng(1).normal(size=41))
    version, _ = export_saved_model(model.ensemble, histories, folder / "m", k=5)
    names = histories.item_ids()
    recommender = Recommender(model.ensemble, histories)
    return Exported(model, histories, recommender, version, names)


@pytest.fixture(scope="session")
def signatures(exported):
    import tensorflow as tf

    return tf.saved_model.load(str(exported.folder)).signatures
