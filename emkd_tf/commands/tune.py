"""`emkd tune`: a search for the settings of a model, by its validation."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emkd_tf.commands.arguments import seconds_of, take_own, training_settings
from emkd_tf.commands.terminal import say, show_text
from emkd_tf.config.rules import require_at_least, require_folder_name
from emkd_tf.errors import InputError
from emkd_tf.tensorflow_start import load_tensorflow

_OWN: dict[str, dict[str, Any]] = {
    "--space": {"help": "YAML file of what to try, instead of configs/search"},
    "--trials": {"type": int, "default": 20, "help": "trainings of the whole search"},
    "--budget": {"help": "time of the whole search, such as 90m or 2h"},
    "--jobs": {"type": int, "default": 1, "help": "trainings at a time"},
    "--study": {"help": "name of the search; dataset and model if not given"},
    "--output": {"default": "studies", "help": "folder of studies"},
}


def tune(arguments: Sequence[str]) -> None:
    """Search for the settings of a model, by its validation alone."""
    given, rest = take_own(_OWN, arguments)
    require_at_least(given, 1, "trials", "jobs")
    config = training_settings(tune, rest, _OWN)
    if config is None:
        return
    if importlib.util.find_spec("optuna") is None:
        raise InputError("`emkd tune` needs Optuna: pip install 'emkd-tf[tune]'.")
    from emkd_tf.experiments.search_space import read_space
    from emkd_tf.experiments.tuning import Search

    space = read_space(config, given.space and Path(given.space).expanduser())
    given.study = given.study or f"{config.data.dataset}-{config.model.model}"
    require_folder_name(given, "study")
    folder = Path(given.output).expanduser() / given.study
    budget = seconds_of(given.budget)
    search = Search(folder, config, rest, space, say)
    try:
        search.run(trials=given.trials, jobs=given.jobs, budget=budget)
    finally:
        load_tensorflow()
        from emkd_tf.experiments import tuning_results

        command = ["emkd", "tune", *arguments]
        files = tuning_results.write_results(search.study, config, folder, command)
    show_text(tuning_results.best_table(search.study))
    for file in files:
        say(str(file))
