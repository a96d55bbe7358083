"""What a finished run wrote besides its ranks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from emkd_tf.atomic_files import read_json
from emkd_tf.evaluation.run_ranks import RunRanks, read_run
from emkd_tf.run_reading import read_epochs, reading

_VALIDATION = "validation/"


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """A finished run, as its directory describes it.

    Attributes:
        ranks: of the test.
        metrics, dataset, environment: the content of these files.
        epochs: the rows of `history.jsonl`; empty for a counted model.
        settings: `config.yaml` as text.
    """

    ranks: RunRanks
    metrics: dict[str, Any]
    dataset: dict[str, Any]
    environment: dict[str, Any]
    epochs: list[dict[str, Any]]
    settings: str

    @property
    def path(self) -> Path:
        return self.ranks.path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def networks(self) -> dict[str, dict[str, float]]:
        """Test metrics of each network alone, if there are several."""
        found = self.metrics.get("test_by_network", {})
        return found if len(found) > 1 else {}

    def stages(self) -> list[str | None]:
        """Returns the names of its trainings in their order; None for the only one."""
        return list(dict.fromkeys(row.get("stage") for row in self.epochs))

    def curve(self, key: str, stage: str | None = None) -> tuple[list, list]:
        """Returns the epochs that hold a value, and the values.

        Args:
            key: of a row of the history, such as `loss/total`.
            stage: whose epochs to take, if a run has several trainings.
        """
        rows = [r for r in self.epochs if key in r and r.get("stage") == stage]
        return [row["epoch"] for row in rows], [row[key] for row in rows]

    def validation_curves(self, metric: str) -> dict[str, tuple[list, list]]:
        """Returns a validation metric by epoch: the ensemble's as "", and those of its
        networks, if logged."""
        keys = {f"{_VALIDATION}{metric}": ""}
        keys.update({f"{network}/{metric}": network for network in self.networks})
        curves = {}
        for key, name in keys.items():
            for stage in self.stages():
                epochs, values = self.curve(key, stage)
                if epochs:
                    curves[name] = epochs, values
        return curves

    def loss_terms(self, stage: str | None) -> list[str]:
        """Returns the names of a training's losses, "total" first."""
        rows = [row for row in self.epochs if row.get("stage") == stage]
        keys = [key.split("/") for key in rows[0] if key.startswith("loss/")]
        return [names[0] for _, *names in keys if len(names) == 1]


def read_files(path: Path) -> RunFiles:
    """Reads a finished run.

    Raises:
        InputError: not a run, or an unfinished or damaged one.
    """
    ranks = read_run(path, "test")
    return RunFiles(
        ranks=ranks,
        metrics=_content(path / "metrics.json"),
        dataset=_content(path / "dataset.json"),
        environment=_content(path / "environment.json"),
        epochs=read_epochs(path),
        settings=(path / "config.yaml").read_text(encoding="utf-8"),
    )


def _content(file: Path) -> dict[str, Any]:
    with reading(file):
        content = read_json(file)
        if not isinstance(content, dict):
            raise TypeError(file)
        return content
