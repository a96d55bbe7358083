"""A run whose lists may hold cold items, which did not exist when it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emkd_tf.config import Config
from emkd_tf.data.attribute_files import read_attributes
from emkd_tf.data.cold_items import find_cold_items, with_cold_items
from emkd_tf.data.histories import Histories
from emkd_tf.data.own_files import chosen_columns
from emkd_tf.errors import InputError
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.training.run_model import open_data, open_model, require_ensemble


def open_with_cold_items(
    run_dir: Path, overrides: dict[str, Any], folder: Path
) -> tuple[Config, Histories, Ensemble, list[str]]:
    """Opens a run and adds the items in its attributes that its log does not have.

    Args:
        run_dir: of the run.
        overrides: see `open_run`; `attributes` may be a different file from the one
            used in training, such as one with today's items.
        folder: for the texts of the ids; it must exist as long as the rest is used.

    Returns:
        The config, the histories, whose catalogue ends with the cold items, the
        networks, and the raw ids of the cold items.

    Raises:
        InputError: see `open_run`; no attributes, or a model that has no vectors.
    """
    own = {key: value for key, value in overrides.items() if key != "attributes"}
    config, histories = open_data(run_dir, own)
    data = config.data
    path = overrides.get("attributes", data.attributes)
    if path is None:
        raise InputError(
            "--cold-items attributes needs the attributes of the items: add "
            "--attributes FILE."
        )
    described = histories.description
    log_column = described.get("columns", {}).get("item")
    # From a short file of today, columns that the training had would be left out.
    columns = chosen_columns(data) or tuple(described.get("attribute_columns", ()))
    found = read_attributes(Path(path), data.attribute_item_column, columns, log_column)
    cold = find_cold_items(found.pairs, histories)
    if not cold.ids:
        raise InputError(
            f"{path} has no item beside the run's that shares an attribute with them."
        )
    grown = with_cold_items(histories, cold, folder)
    model = open_model(run_dir, config, histories, grown)
    without = "it has no vectors, and none for cold items"
    ensemble = require_ensemble(model, config, without)
    return config, grown, ensemble, cold.ids
