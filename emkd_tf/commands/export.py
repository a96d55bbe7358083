"""`emkd export`: a model folder for TF Serving, or a check of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.commands.arguments import RUN_KEYS, required_run, run_arguments
from emkd_tf.commands.opening import COLD_ITEMS, Opened, opened
from emkd_tf.commands.terminal import say, say_lost
from emkd_tf.config.rules import require
from emkd_tf.tensorflow_start import load_tensorflow

if TYPE_CHECKING:
    from emkd_tf.config import Config
    from emkd_tf.data.histories import Histories
    from emkd_tf.export.vectors import IndexQuality
    from emkd_tf.models.ensemble import Ensemble


def export(arguments: Sequence[str]) -> None:
    """Export the best checkpoint of a run for TF Serving, or check an export."""
    keys = (*RUN_KEYS, "saved_models_dir", "k")
    values = run_arguments(
        export,
        arguments,
        keys,
        network={
            "type": str,
            "help": "export only this network: a number from 1, or best (validation)",
        },
        cold_items=COLD_ITEMS,
        index={"type": str, "help": "faiss: an approximate index beside the export"},
        verify={"type": str, "help": "folder of a version: only check it again"},
    )
    if values["verify"] is not None:
        _verify(values["verify"])
        return
    path = required_run(export, values)
    load_tensorflow()
    index = values["index"]
    require(index in (None, "faiss"), "index", "faiss", index)
    from emkd_tf.data.cold_items import IDS_FILE

    with opened(path, values, keys) as run:
        folder, quality = _write(run, path, values)
    if quality is not None:
        say(f"Index: {quality}")
    if run.cold:
        say(f"Cold items: {len(run.cold):,}, in {folder / IDS_FILE}")
    say(f"Export: {folder}")


def _write(
    run: Opened, path: Path, values: dict[str, Any]
) -> tuple[Path, IndexQuality | None]:
    from emkd_tf.training.results import export_run
    from emkd_tf.training.run_model import require_ensemble

    config, histories, model, cold = run
    without = "it has no SavedModel; `emkd recommend` --output writes its lists"
    ensemble = require_ensemble(model, config, without)
    name = path.resolve().name
    if values["network"] is not None:
        ensemble = _alone(ensemble, histories, config, values["network"])
        name += f"-{ensemble.names[0]}".replace("/", "-")
    folder = Path(config.run.saved_models_dir) / name
    return export_run(
        config, histories, ensemble, path, folder, index=values["index"], cold=cold
    )


def _alone(
    ensemble: Ensemble, histories: Histories, config: Config, network: str
) -> Ensemble:
    """Returns one network, by its number or the best in validation, and says how it
    compares with all of them."""
    from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
    from emkd_tf.evaluation.metrics import SELECTION_METRIC, summarize

    is_known = network == "best" or network.isdecimal()
    require(is_known, "network", "a number or best", network)
    chosen = None if network == "best" else ensemble.alone(int(network))
    if len(ensemble.towers) == 1:
        return ensemble
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split in ("validation", "test"):
        ranks = rank_users(ensemble, histories, split, members=True)
        for member, of_member in ranks.items():
            metrics = summarize(of_member[config.run.excluding])
            found.setdefault(member, {})[split] = metrics
    if chosen is None:
        validation = [found[n]["validation"][SELECTION_METRIC] for n in ensemble.names]
        chosen = ensemble.alone(1 + validation.index(max(validation)))
    name = chosen.names[0]
    say(f"Network: {name}")
    say_lost("the ensemble", found[ENSEMBLE], found[name])
    return chosen


def _verify(folder: str) -> None:
    load_tensorflow()
    from emkd_tf.export.checks import verify

    count = verify(Path(folder))
    say(f"{folder}: {count} requests are answered as when exported")
