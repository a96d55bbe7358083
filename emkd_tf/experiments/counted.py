"""Tables that need no training: counts of datasets and of weights."""

from __future__ import annotations

from collections.abc import Sequence

from emkd_tf.config.model_table import MODELS
from emkd_tf.errors import InputError
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.cells import Cell, cells
from emkd_tf.experiments.grid import Experiment
from emkd_tf.experiments.published import COUNT, COUNTS, MILLIONS


def counts(experiment: Experiment, flags: Sequence[str]) -> TextTable:
    """Prepares the datasets and counts them, next to the published counts.

    Args:
        experiment: of kind counts.
        flags: settings such as --data-dir.
    """
    from emkd_tf.config.flags import read_settings
    from emkd_tf.data.prepare import prepare

    rows = []
    for dataset in experiment.datasets:
        arguments = [f"--dataset={dataset}", *flags]
        config = read_settings("emkd prepare", "", arguments).config
        found = prepare(config.data).description
        values = (
            f"{found['users']:,}",
            f"{found['items']:,}",
            f"{found['actions']:,}",
            f"{found['attributes']:,}",
            f"{found['actions_per_user']:.1f}",
            f"{found['sparsity_percent']:.2f} %",
        )
        published = experiment.published.get(dataset, {})
        for name, value in zip(COUNTS, values, strict=True):
            known = published.get(name, {}).get(COUNT)
            rows.append(
                [f"{dataset}, {name}", value, "" if known is None else str(known)]
            )
    return TextTable(experiment.title, ["", "prepared", "published"], rows)


def parameters(
    experiment: Experiment, flags: Sequence[str], preset: str | None = None
) -> TextTable:
    """Builds each row's model for each dataset and counts the weights of its encoders
    with their embeddings, and all weights.

    Args:
        experiment: of kind parameters.
        flags: settings such as --data-dir.
        preset: replaces those of the experiment and its rows.

    Raises:
        InputError: a row's model has no weights.
    """
    from emkd_tf.data.prepare import prepare
    from emkd_tf.models.recommender import Recommender
    from emkd_tf.training.setup import build_model

    rows = [[label] for label in experiment.rows]
    for dataset in experiment.datasets:
        of_dataset = cells(experiment, dataset, preset=preset, flags=flags)
        _require_weights(experiment, of_dataset)
        for row, cell in zip(rows, of_dataset, strict=True):
            model = build_model(cell.config, prepare(cell.config.data))
            assert isinstance(model, Recommender)
            found = model.parameters()
            row += [f"{found[part] / 1e6:.2f}" for part in ("encoders", "all")]
            known = experiment.published.get(dataset, {}).get(cell.label, {})
            row.append(f"{known[MILLIONS]:.2f}" if MILLIONS in known else "")
    header = ["row"]
    for dataset in experiment.datasets:
        header += [f"{dataset}, encoders", "all", "published"]
    return TextTable(experiment.title, header, rows)


def _require_weights(experiment: Experiment, of_dataset: Sequence[Cell]) -> None:
    for cell in of_dataset:
        model = MODELS[cell.config.model.model]
        if not model.is_trained:
            raise InputError(
                f"Row {cell.label!r} of {experiment.name}: {model.title} has no "
                "weights to count; leave the row out."
            )
