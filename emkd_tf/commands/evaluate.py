"""`emkd evaluate`: the metrics of a finished run."""

from __future__ import annotations

from collections.abc import Sequence

from emkd_tf.commands.arguments import RUN_KEYS, given, required_run, run_arguments
from emkd_tf.commands.terminal import metrics_table, repeats_apart, say_repeats
from emkd_tf.config.rules import require_one_of
from emkd_tf.tensorflow_start import load_tensorflow


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate the best checkpoint of a run."""
    split = {"type": str, "default": "test", "help": "test or validation"}
    values = run_arguments(evaluate, arguments, RUN_KEYS, split=split)
    path = required_run(evaluate, values)
    require_one_of("split", ("test", "validation"), values["split"])
    load_tensorflow()
    from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
    from emkd_tf.evaluation.metrics import summarize
    from emkd_tf.evaluation.targets import summarize_repeats, targets_of
    from emkd_tf.training.run_model import open_run
    from emkd_tf.training.run_sum import title_of

    config, histories, model = open_run(path, given(values, RUN_KEYS))
    ranks = rank_users(model, histories, values["split"], members=True)
    of_ensemble, protocol = ranks.pop(ENSEMBLE), config.run.excluding
    model_name = title_of(path, config)
    by_protocol = {f"{model_name}, {p}": summarize(of_ensemble[p]) for p in of_ensemble}
    repeats = summarize_repeats(
        of_ensemble[protocol], targets_of(histories, values["split"])
    )
    apart = {f"{k}, {protocol}": v for k, v in repeats_apart(repeats).items()}
    networks = {
        f"{name}, {protocol}": summarize(of_network[protocol])
        for name, of_network in (ranks.items() if len(ranks) > 1 else ())
    }
    title = f"{config.data.dataset}, {values['split']}, by protocol"
    metrics_table(title, {**by_protocol, **apart, **networks})
    say_repeats(repeats, protocol)
