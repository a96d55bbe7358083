"""Exports of an untrained model with awkward ids and uneven biases."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from weights import varied

from emkd_tf.config import from_flat
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.recommender import Recommender
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import build_model


@dataclasses.dataclass(frozen=True)
class Exported:
    """A live model and its export; tests leave both as they are."""

    model: Recommender
    histories: Histories
    recommender: VectorRecommender
    folder: Path
    names: list[str]


def export(settings: dict, folder: Path) -> Exported:
    config = from_flat({**settings, "cache_dir": str(folder / "cache")})
    histories = prepare(config.data)
    model = build_model(config, histories)
    for tower in model.towers:
        varied(tower)
        if tower.item_bias is not None:
            tower.item_bias.assign(np.random.default_rng(1).normal(size=41))
    version, _ = export_saved_model(model.ensemble, histories, folder / "m", k=5)
    names = histories.item_ids()
    recommender = VectorRecommender(model.ensemble, histories)
    return Exported(model, histories, recommender, version, names)


@pytest.fixture(scope="session")
def settings(tiny_base, tiny_log) -> dict:
    return {**tiny_base, "dataset": "tiny", "interactions": str(tiny_log)}


@pytest.fixture(scope="session")
def exported(settings, tmp_path_factory) -> Exported:
    return export(settings, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="session")
def exported_tied(settings, tmp_path_factory) -> Exported:
    """With the item embedding as output table; it has rows behind the last item."""
    tied = {**settings, "tie_item_embeddings": True}
    return export(tied, tmp_path_factory.mktemp("exported_tied"))


@pytest.fixture(scope="session", params=["exported", "exported_tied"])
def each_export(request) -> Exported:
    return request.getfixturevalue(request.param)


OF_ATTRIBUTES = {
    "sasrec": {"model": "sasrec", "scale_embeddings": True},
    "sasrec untied": {"model": "sasrec", "tie_item_embeddings": False},
    "emkd": {"task": "next_item", "tie_item_embeddings": True},
    "fdsa": {"model": "fdsa", "num_networks": 1},
    "mminforec": {"model": "mminforec"},
}


@pytest.fixture(
    scope="session",
    params=["sasrec"]
    + [pytest.param(n, marks=pytest.mark.slow) for n in OF_ATTRIBUTES if n != "sasrec"],
)
def exported_attributes(settings, tiny_attributes, request, tmp_path_factory):
    """With items that are computed from their attributes, two networks or one."""
    of_model = OF_ATTRIBUTES[request.param]
    if of_model.get("model") != "mminforec":
        of_model = {**of_model, "attribute_embeddings": True}
    with_attributes = {**settings, **of_model, "attributes": str(tiny_attributes)}
    return export(with_attributes, tmp_path_factory.mktemp("exported_attributes"))
