"""Tables that need no training: counts of datasets and of weights."""

from __future__ import annotations

from collections.abc import Sequence

from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.cells import cells
from emkd_tf.experiments.grid import Experiment


def counts(experiment: Experiment, flags: Sequence[str]) -> TextTable:
    """Prepares the datasets and counts them, beside the published counts.

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
        values = {
            "users": f"{found['users']:,}",
            "items": f"{found['items']:,}",
            "actions": f"{found['actions']:,}",
            "attributes": f"{found['attributes']:,}",
            "actions per user": f"{found['actions_per_user']:.1f}",
            "sparsity": f"{found['sparsity_percent']:.2f} %",
        }
        published = experiment.published.get(dataset, {})
        for name, value in values.items():
            known = published.get(name, {}).get("value")
            rows.append(
                [f"{dataset}, {name}", value, "" if known is None else str(known)]
            )
    return TextTable(experiment.title, ["", "prepared", "published"], rows)


def parameters(
    experiment: Experiment, flags: Sequence[str], preset: str | None = None
) -> TextTable:
    """Builds each row's model for each dataset and counts the weights of its encoders
    with their embeddings, and all.

    Args:
        experiment: of kind parameters.
        flags: settings such as --data-dir.
        preset: in place of those of the experiment and its rows.
    """
    from emkd_tf.data.prepare import prepare
    from emkd_tf.models.recommender import Recommender
    from emkd_tf.training.setup import build_model

    rows = [[label] for label in experiment.rows]
    for dataset in experiment.datasets:
        of_dataset = cells(experiment, dataset, preset=preset, flags=flags)
        for row, cell in zip(rows, of_dataset, strict=True):
            model = build_model(cell.config, prepare(cell.config.data))
            assert isinstance(model, Recommender)  # the others have no weights
            found = model.parameters()
            row += [f"{found[part] / 1e6:.2f}" for part in ("encoders", "all")]
            known = experiment.published.get(dataset, {}).get(cell.label, {})
            row.append(f"{known['M']:.2f}" if "M" in known else "")
    header = ["row"]
    for dataset in experiment.datasets:
        header += [f"{dataset}, encoders", "all", "published"]
    return TextTable(experiment.title, header, rows)
