"""The commands on a finished run: evaluate, recommend, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from emkd_tf.errors import InputError
from emkd_tf.settings import settings_parser
from emkd_tf.terminal import metrics_table, progress, say, show

if TYPE_CHECKING:
    from emkd_tf.retrieval.recommend import Recommender

# What a command may change of a run: where things are, not what was trained.
_RUN_KEYS = ("data_dir", "cache_dir", "interactions", "attributes", "protocol")


def _run_arguments(
    command: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    keys: Sequence[str],
    *,
    instead_of_run: str | None = None,
    **own: dict[str, Any],
) -> tuple[Path | None, dict[str, Any]]:
    """Reads the arguments of a command on a run: --run, settings, and the command's
    own, of which one may take the place of --run."""
    parser = settings_parser(f"emkd {command.__name__}", command.__doc__, keys)
    parser.add_argument("--run", type=str, help="run directory (required)")
    for name, options in own.items():
        parser.add_argument(f"--{name}", **options)
    # Only what is given replaces the run's own settings.
    parser.set_defaults({key: None for key in keys})
    values = parser.parse(arguments)
    if values["run"] is not None:
        return Path(values["run"]), values
    if instead_of_run and values[instead_of_run] is not None:
        return None, values
    raise InputError(f"`emkd {command.__name__}` needs --run RUN, a run directory.")


def _given(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if values[key] is not None}


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate the best checkpoint of a run."""
    split = {"type": str, "default": "test", "help": "test or validation"}
    path, values = _run_arguments(evaluate, arguments, _RUN_KEYS, split=split)
    if values["split"] not in ("test", "validation"):
        raise InputError(
            f"`split` must be test or validation, got {values['split']!r}."
        )
    from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
    from emkd_tf.evaluation.metrics import summarize
    from emkd_tf.training.run_dir import open_run

    config, histories, model = open_run(path, _given(values, _RUN_KEYS))
    ranks = rank_users(model, histories, values["split"], members=True)
    by_protocol = {
        f"EMKD, {protocol}": summarize(of_users)
        for protocol, of_users in ranks.pop(ENSEMBLE).items()
    }
    protocol = config.run.protocol
    networks = {
        f"{name}, {protocol}": summarize(of_network[protocol])
        for name, of_network in ranks.items()
    }
    title = f"{config.data.dataset}, {values['split']}, by protocol"
    metrics_table(title, {**by_protocol, **networks})


def recommend(arguments: Sequence[str]) -> None:
    """Recommend items for one history, a file of them or all users."""
    own = {
        "history": "item ids, oldest first, joined by commas, or by the separator of "
        "exports where ids hold commas",
        "input": "CSV or Parquet file, a history a row: columns user and history",
        "output": "CSV or Parquet file to write; of all users if there is no --input",
    }
    path, values = _run_arguments(
        recommend,
        arguments,
        _RUN_KEYS,
        **{name: {"type": str, "help": text} for name, text in own.items()},
        k={"type": int, "default": 10, "help": "items to recommend"},
    )
    history, source, output = (values[name] for name in own)
    if (history is None) == (output is None) or (source and not output):
        raise InputError(
            "`emkd recommend` needs --history ID,ID,... or --output FILE, the latter "
            "with --input FILE if not for all users of the run."
        )
    if values["k"] < 1:
        raise InputError(f"`k` must be at least 1, got {values['k']}.")
    from emkd_tf.retrieval import batch
    from emkd_tf.retrieval.recommend import Recommender
    from emkd_tf.training.run_dir import open_run

    if output is not None:
        batch.check_output(Path(output))
    config, histories, model = open_run(path, _given(values, _RUN_KEYS))
    recommender = Recommender(model.ensemble, histories)
    if history is not None:
        _print_list(recommender, history, values["k"])
        return
    frame = batch.own_histories(histories)
    if source is not None:
        from emkd_tf.data.history_files import scan_histories

        frame = scan_histories(
            Path(source), recommender.separator, config.data.user_column
        )
    with progress("histories") as advance:
        summary = batch.write_recommendations(
            recommender, frame, Path(output), values["k"], advance
        )
    say(
        f"{output}: {summary.histories:,} histories, {summary.popular:,} without a "
        f"known item (popular items), {summary.unknown_items:,} unknown items dropped"
    )


def _print_list(recommender: Recommender, history: str, k: int) -> None:
    answer = recommender.recommend([history.split(recommender.separator)], k)
    if answer.unknown[0]:
        names = ", ".join(answer.unknown[0])
        print(f"Not in the training data, dropped: {names}", file=sys.stderr)
    if answer.is_popular[0]:
        print("No known item: these are the most popular.", file=sys.stderr)
    table = Table("", "item", "score")
    pairs = zip(answer.item_ids[0], answer.scores[0], strict=True)
    for place, (item, score) in enumerate(pairs, 1):
        if item:
            table.add_row(str(place), item, f"{score:.4f}")
    show(table)


def export(arguments: Sequence[str]) -> None:
    """Export the best checkpoint of a run for TF Serving, or check an export."""
    keys = (*_RUN_KEYS, "saved_models_dir", "k")
    path, values = _run_arguments(
        export,
        arguments,
        keys,
        instead_of_run="verify",
        network={"type": int, "help": "export this network alone, from 1"},
        index={"type": str, "help": "faiss: an approximate index beside the export"},
        verify={"type": str, "help": "folder of a version: check it again, no more"},
    )
    from emkd_tf.export.checks import verify

    if values["verify"] is not None:
        count = verify(Path(values["verify"]))
        say(f"{values['verify']}: {count} questions are answered as when exported")
        return
    if values["index"] not in (None, "faiss"):
        raise InputError(f"`index` must be faiss, got {values['index']!r}.")
    from emkd_tf.export.saved_model import export_saved_model
    from emkd_tf.training.run_dir import open_run, read_card

    config, histories, model = open_run(path, _given(values, keys))
    ensemble, name = model.ensemble, path.resolve().name
    if values["network"] is not None:
        ensemble = ensemble.alone(values["network"])
        name += f"-{ensemble.networks[0].name}"
    folder, quality = export_saved_model(
        ensemble,
        histories,
        Path(config.run.saved_models_dir) / name,
        k=config.run.k,
        card=read_card(path, ensemble),
        index=values["index"],
    )
    if quality is not None:
        say(f"Index: {quality}")
    say(f"Export: {folder}")
