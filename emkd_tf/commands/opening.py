"""Opens a run for a command, with cold items if asked for."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emkd_tf.commands.arguments import given
from emkd_tf.config.rules import require

if TYPE_CHECKING:
    from emkd_tf.config import Config
    from emkd_tf.data.histories import Histories

COLD_ITEMS: dict[str, Any] = {
    "type": str,
    "help": "attributes: recommend items without actions too, by their attributes",
}


class Opened(NamedTuple):
    """A run.

    Attributes:
        config, histories, model: see `training.run_model.open_run`.
        cold: raw ids of the items that nobody chose; empty unless asked for.
    """

    config: Config
    histories: Histories
    model: Any
    cold: frozenset[str]


@contextlib.contextmanager
def opened(path: Path, values: dict[str, Any], keys: Sequence[str]) -> Iterator[Opened]:
    """Opens a run, for as long as the block.

    Args:
        path: of the run.
        values: the command's arguments, including `cold_items`.
        keys: those of them that may replace the run's own settings.

    Raises:
        InputError: see `open_run` and `open_with_cold_items`.
    """
    overrides = given(values, keys)
    if values["cold_items"] is None:
        from emkd_tf.training.run_model import open_run

        yield Opened(*open_run(path, overrides), frozenset())
        return
    chosen = values["cold_items"]
    require(chosen == "attributes", "cold_items", "attributes", chosen)
    from emkd_tf.training.run_cold import open_with_cold_items

    with tempfile.TemporaryDirectory() as folder:
        config, histories, ensemble, cold = open_with_cold_items(
            path, overrides, Path(folder)
        )
        yield Opened(config, histories, ensemble, frozenset(cold))
