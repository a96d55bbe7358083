"""What a search tries: settings with their ranges or choices, from YAML files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.config import BESIDE_TRAINING, KEYS, Config, from_flat, nearest, to_flat
from emkd_tf.config.files import CONFIGS_DIR, load_yaml
from emkd_tf.config.model_table import MODELS, unread
from emkd_tf.config.sections.data import OF_MODEL
from emkd_tf.errors import InputError

if TYPE_CHECKING:
    import optuna

FOLDER = CONFIGS_DIR / "search"
_NEVER = {*BESIDE_TRAINING, "model", "seed", "protocol", "recommend_seen"}
SEARCHED = {
    key
    for key, section in KEYS.items()
    if key not in _NEVER and (section != "data" or key in OF_MODEL)
}
_OF_RANGE = {"low", "high", "log", "step"}
_DIGITS = 4  # of a number from a range: more are meaningless


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both whole or both not.

    Attributes:
        low, high: inclusive.
        log: uniform over the logarithms.
        step: between two of them, or None.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = Mapping[str, Range | tuple]


def read_space(config: Config, file: Path | None = None) -> Space:
    """Reads what to try for a config's model: what `configs/search` says for all
    trained models and for this one, or a file instead. A setting that is null is left
    as it is.

    Raises:
        InputError: it is empty, or has something that training does not accept.
    """
    model = config.model.model
    space: dict[str, Range | tuple] = {}
    for path in _files(model) if file is None else [file]:
        values = load_yaml(path)
        if not isinstance(values, dict):
            raise InputError(f"{path} must hold `setting: choices` lines.")
        for key, value in values.items():
            _require_searched(path, key)
            space.pop(key, None)
            if value is not None and not _is_left_out(path, config, key):
                space[key] = _checked(path, key, value, config)
    if not space:
        raise InputError(f"There is nothing to search for {model}; give --space FILE.")
    return space


def as_yaml(space: Space) -> dict[str, Any]:
    """Returns a space as its file would have it, with every key of a range written
    out."""
    return {
        key: dataclasses.asdict(of) if isinstance(of, Range) else list(of)
        for key, of in space.items()
    }


def _files(model: str) -> list[Path]:
    """A model that is counted has no learning rate and the like."""
    of_all = [FOLDER / "all.yaml"] if MODELS[model].is_trained else []
    own = FOLDER / f"{model}.yaml"
    return [*of_all, *([own] if own.exists() else [])]


def _require_searched(path: Path, key: Any) -> None:
    if key not in SEARCHED:
        hint = nearest(str(key), SEARCHED)
        raise InputError(f"{path}: `{key}` cannot be searched. {hint}")


def _is_left_out(path: Path, config: Config, key: str) -> bool:
    """A file for all models, or for all tasks of one, may name what some do not
    read."""
    model, task = config.model.model, config.objective.task
    if key not in unread(model, task):
        return False
    if path.parent == FOLDER:
        return True
    of = f"{model} with `task` {task}" if key not in unread(model) else model
    raise InputError(f"{path}: `{key}` is not a setting of {of}; leave it out.")


def _checked(path: Path, key: str, value: Any, config: Config) -> Range | tuple:
    found = _parsed(value)
    if found is None:
        raise InputError(
            f"{path}: `{key}` must be a list of choices, numbers or words, or "
            f"{{low: 0.1, high: 0.5}} with `log: true` or a `step`, got {value!r}."
        )
    if isinstance(found, Range) and isinstance(to_flat(config)[key], float):
        found = dataclasses.replace(found, low=float(found.low), high=float(found.high))
    _require_drawable(path, key, found, config)
    ends = (found.low, found.high) if isinstance(found, Range) else found
    refused = {each: error for each in ends if (error := _refusal(config, key, each))}
    if refused and path.parent == FOLDER and not isinstance(found, Range):
        # A file for all models: what does not fit the other settings is not tried.
        return tuple(each for each in found if each not in refused)
    for error in refused.values():
        raise InputError(f"{path}: {error}")
    return found


def _require_drawable(path: Path, key: str, of: Range | tuple, config: Config) -> None:
    if isinstance(of, Range) and of.is_whole and isinstance(of.step, float):
        raise InputError(
            f"{path}: the `step` of `{key}` must be a whole number, as its ends are, "
            f"got {of.step}."
        )
    if key == "steps" and config.training.epochs != 0:
        raise InputError(
            f"{path}: `steps` is read with `epochs` 0 alone; give --epochs 0."
        )


def _refusal(config: Config, key: str, value: Any) -> InputError | None:
    try:
        from_flat({**to_flat(config), key: value})
    except InputError as error:
        return error
    return None


def _parsed(value: Any) -> Range | tuple | None:
    if isinstance(value, list):
        is_flat = not any(
            each is None or isinstance(each, list | dict) for each in value
        )
        return tuple(value) if value and is_flat else None
    if not isinstance(value, dict) or not {"low", "high"} <= set(value) <= _OF_RANGE:
        return None
    found = Range(**value)
    return found if _is_range(found) else None


def _is_range(found: Range) -> bool:
    step = 1 if found.step is None else found.step
    if any(type(each) not in (int, float) for each in (found.low, found.high, step)):
        return False
    if found.log is True:
        return 0 < found.low < found.high and found.step is None
    return found.log is False and found.low < found.high and step > 0


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    """Returns the settings of a trial, by flat name."""
    return {key: _suggested(trial, key, of) for key, of in space.items()}


def _suggested(trial: optuna.Trial, key: str, of: Range | tuple) -> Any:
    if not isinstance(of, Range):
        return trial.suggest_categorical(key, of)
    if of.is_whole:
        step = int(of.step or 1)
        return trial.suggest_int(key, int(of.low), int(of.high), step=step, log=of.log)
    value = trial.suggest_float(key, of.low, of.high, step=of.step, log=of.log)
    return float(f"{value:.{_DIGITS}g}")


def inside(space: Space, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those settings of a config that lie in the space, as a first trial."""
    return {key: settings[key] for key, of in space.items() if _has(of, settings[key])}


def _has(of: Range | tuple, value: Any) -> bool:
    if not isinstance(of, Range):
        return value in of
    if value is None or not of.low <= value <= of.high:
        return False
    steps = (value - of.low) / of.step if of.step else 0.0
    return abs(steps - round(steps)) < 1e-9  # 0.3 is not three times 0.1
