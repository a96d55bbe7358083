"""The trainings of an experiment: one per row and seed, in a run directory named after
everything that determines it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from emkd_tf.config import BESIDE_TRAINING, KEYS, Config, from_flat, to_flat
from emkd_tf.config.files import NO_PRESET
from emkd_tf.config.flags import as_flags
from emkd_tf.config.run_names import CONFIG_FILE
from emkd_tf.config.sections.data import OF_MODEL
from emkd_tf.data.download import sha256
from emkd_tf.data.prepare import own_hashes
from emkd_tf.errors import InputError
from emkd_tf.experiments.grid import Experiment
from emkd_tf.training.command_line import read_training
from emkd_tf.training.run_config import changed_settings, read_config

# Settings in which rows may not differ: they decide the data and what is ranked.
_SHARED = ("protocol", *(key for key, of in KEYS.items() if of == "data"))
_OF_ROWS = {*BESIDE_TRAINING, *OF_MODEL, "history_order"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One training of an experiment.

    Attributes:
        label: of its row.
        seed: of its training.
        config: all its settings; equal ones share a run, across experiments.
        arguments: flags of `emkd train`.
    """

    label: str
    seed: int
    config: Config
    arguments: Sequence[str]

    @property
    def run_dir(self) -> Path:
        """Where its run is, or will be."""
        return Path(self.config.run.runs_dir) / str(self.config.run.name)

    @property
    def is_finished(self) -> bool:
        return (self.run_dir / "metrics.json").exists()

    @property
    def is_begun(self) -> bool:
        return self.run_dir.exists()


def cells(
    experiment: Experiment,
    dataset: str,
    *,
    preset: str | None = None,
    seeds: int = 1,
    flags: Sequence[str] = (),
) -> list[Cell]:
    """Returns the trainings of an experiment on a dataset, checked as `emkd train`
    checks them.

    Args:
        experiment: of kind runs or parameters.
        dataset: its name.
        preset: replaces those of the experiment and its rows.
        seeds: trainings per row, with seeds from 0.
        flags: further settings of all of them, such as --data-dir.

    Raises:
        InputError: a row that training does not accept, or that cannot be compared
            with the others.
    """
    found = [
        _cell(experiment, dataset, label, preset, seed, flags)
        for label in experiment.rows
        for seed in range(seeds)
    ]
    _require_comparable(experiment, found)
    return found


def _require_comparable(experiment: Experiment, cells: Sequence[Cell]) -> None:
    """Refuses rows with other data or another protocol, before they are trained."""
    first, *others = cells
    wanted = to_flat(first.config)
    for cell in others:
        found = to_flat(cell.config)
        for key in _SHARED:
            if key not in _OF_ROWS and found[key] != wanted[key]:
                raise InputError(
                    f"Rows {first.label!r} and {cell.label!r} of {experiment.name} "
                    f"cannot be compared: their `{key}` are {wanted[key]} and "
                    f"{found[key]}; give all rows the same."
                )


def _cell(
    experiment: Experiment,
    dataset: str,
    label: str,
    preset: str | None,
    seed: int,
    flags: Sequence[str],
) -> Cell:
    settings = dict(experiment.rows[label])
    own = settings.pop("preset", experiment.preset)
    preset = preset or own
    arguments = [f"--dataset={dataset}", f"--seed={seed}", "--export=false", *flags]
    arguments += [f"--preset={preset or NO_PRESET}"]
    arguments += as_flags(settings)
    try:
        return cell_of(label, arguments)
    except InputError as error:
        raise InputError(f"Row {label!r} of {experiment.name}: {error}") from None


def cell_of(label: str, arguments: Sequence[str]) -> Cell:
    """Returns the training of a command line, whose run is named after its settings.

    Args:
        label: what it is called.
        arguments: flags of `emkd train`, without --name.

    Raises:
        InputError: training does not accept them, or their run has other settings.
    """
    config = read_training("emkd train", "", arguments).settings.config
    seed = config.training.seed
    name = f"{config.data.dataset}-{config.model.model}-{_hash(config)}-seed{seed}"
    run = dataclasses.replace(config.run, name=name)
    config = dataclasses.replace(config, run=run)
    cell = Cell(label, seed, config, [*arguments, f"--name={name}"])
    _require_same(cell)
    return cell


def _require_same(cell: Cell) -> None:
    """Refuses a run whose settings do not match its name, as with another version's
    defaults."""
    if not (cell.run_dir / CONFIG_FILE).exists():
        return
    if changed := changed_settings(read_config(cell.run_dir), cell.config):
        raise InputError(
            f"{cell.run_dir} was trained with other settings, {', '.join(changed)}; "
            "move it away to train it anew."
        )


def _hash(config: Config) -> str:
    """Hashes everything that determines a training except its seed: changed settings
    and another log make other runs. Defaults are left out, so that a new setting does
    not rename earlier runs."""
    defaults = to_flat(from_flat({}))
    decisive = {
        key: value
        for key, value in to_flat(config).items()
        if key not in BESIDE_TRAINING and key != "seed" and value != defaults[key]
    }
    if teacher := config.objective.distill:
        results = Path(teacher) / "metrics.json"
        decisive["distill"] = sha256(results) if results.exists() else teacher
    if files := _own_hashes(config.data):
        decisive["files"] = files
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:8]


_own_hashes = functools.cache(own_hashes)  # for all rows of a grid
