"""`emkd ensemble`: the sum of finished runs, without training."""

from __future__ import annotations

from collections.abc import Sequence

from emkd_tf.commands.arguments import given
from emkd_tf.commands.terminal import show_result
from emkd_tf.config.flags import settings_parser
from emkd_tf.config.run_names import run_path
from emkd_tf.errors import InputError
from emkd_tf.tensorflow_start import load_tensorflow

_KEYS = (
    *("name", "runs_dir", "saved_models_dir", "export", "k"),
    *("protocol", "recommend_seen"),
)


def ensemble(arguments: Sequence[str]) -> None:
    """Add up the scores of finished runs, evaluate and export the sum."""
    parser = settings_parser("emkd ensemble", ensemble.__doc__, _KEYS)
    parser.add_argument(
        "--run", action="append", help="run directory, or its name in runs/; repeat it"
    )
    parser.set_defaults({key: None for key in _KEYS})
    parser.epilog = "Settings that are not given are the first run's own."
    values = parser.parse(arguments)
    paths = [run_path(run) for run in values["run"] or ()]
    if len({path.resolve() for path in paths}) < max(2, len(paths)):
        raise InputError("`emkd ensemble` needs --run RUN twice or more, each another.")
    load_tensorflow()
    from emkd_tf.training.run_sum import add_up

    show_result("Ensemble", add_up(paths, given(values, _KEYS)))
