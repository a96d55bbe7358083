"""Trainings in a notebook, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emkd_tf.atomic_files import read_json
from emkd_tf.config import Config
from emkd_tf.config.model_table import DEFAULT_MODEL
from emkd_tf.config.rules import require_one_of
from emkd_tf.config.run_names import CONFIG_FILE, no_run, run_path
from emkd_tf.errors import InputError
from emkd_tf.notebook.data import Data, with_log
from emkd_tf.notebook.questions import (
    as_histories,
    made_folder,
    require_k,
    warn_of_unknown,
)
from emkd_tf.notebook.settings import as_arguments, known_ones
from emkd_tf.notebook.tables import Table, as_file
from emkd_tf.run_reading import read_epochs, reading, require_finished
from emkd_tf.tensorflow_start import load_tensorflow
from emkd_tf.training.command_line import read_training
from emkd_tf.training.run_config import read_config

_LISTS = {
    "history": pl.Int64,
    "rank": pl.Int64,
    "item": pl.String,
    "score": pl.Float64,
}

if TYPE_CHECKING:
    from emkd_tf.data.histories import Histories
    from emkd_tf.models.ensemble import Ensemble
    from emkd_tf.models.ranker import Scorer
    from emkd_tf.models.recommender import Recommender
    from emkd_tf.retrieval.recommend import TopKRecommender

    Model = Recommender | Ensemble | Scorer


def train(
    data: Data | Table,
    *,
    model: str = DEFAULT_MODEL,
    preset: str | None = None,
    **settings: Any,
) -> Run:
    """Trains a model, evaluates its best state, and exports it.

    Args:
        data: from `prepare`, or what that takes first: the name of a known dataset, a
            path or a table.
        model, preset: as for `emkd train`, which picks a preset if given none.
        settings: any others by flat name, such as `epochs=20`; those of the data as for
            `prepare`.

    Raises:
        InputError: a setting that is unknown, belongs to another model or is out of
            range.
        NonFiniteLossError: a loss was not finite.
    """
    known = {"model": model, "preset": preset, **known_ones(settings, "train")}
    if isinstance(data, Data):
        every = with_log(None, {**data.settings, **known})
    else:
        every = with_log(data, known)
    config = read_training("emkd train", "", as_arguments(every)).settings.config
    load_tensorflow()
    from emkd_tf.training.run import train as trained

    result = trained(config)
    if result is None:
        raise InputError("This worker writes no run; open it where the chief does.")
    return Run(result.run_dir)


def open_run(path: str | Path) -> Run:
    """Opens a run directory, which may be given by just its name in `runs/`.

    Raises:
        InputError: there is no such run.
    """
    found = run_path(path)
    if not (found / CONFIG_FILE).exists():
        raise no_run(found)
    return Run(found)


class Run:
    """A training and its best state.

    Args:
        path: its directory.

    Attributes:
        path: its directory.
    """

    def __init__(self, path: Path):
        self.path = path
        self._opened: tuple[Config, Histories, Model] | None = None
        self._lists: TopKRecommender | None = None

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`.

        Raises:
            InputError: the training is not finished, or the file is damaged.
        """
        require_finished(self.path)
        with reading(self.path / "metrics.json"):
            return read_json(self.path / "metrics.json")

    @property
    def history(self) -> pl.DataFrame:
        """One row per epoch: losses, validation metrics, rates; none for a counted
        model, or before the first epoch ends."""
        epochs = read_epochs(self.path)
        if not epochs:
            return pl.DataFrame(schema={"epoch": pl.Int64})
        # All rows: a first stage may go hundreds of rows without validation.
        return pl.from_dicts(epochs, infer_schema_length=None)

    @property
    def config(self) -> Config:
        """All settings of the run."""
        return read_config(self.path)

    @property
    def model(self) -> Model:
        """The model with its best weights, a Keras model if it is trained."""
        return self._open()[2]

    def evaluate(self, split: str = "test") -> pl.DataFrame:
        """Evaluates the best state again: one row per protocol, one column per metric.

        Args:
            split: "validation" or "test".
        """
        require_one_of("split", ("validation", "test"), split)
        _, histories, model = self._open()
        from emkd_tf.evaluation.evaluator import evaluate

        found = evaluate(model, histories, split)
        return pl.DataFrame([{"protocol": p, **values} for p, values in found.items()])

    def recommend(
        self, histories: Sequence[Sequence[Any]], k: int = 10
    ) -> pl.DataFrame:
        """Recommends items for histories of item ids, oldest first.

        Ids that are not in the training data are dropped, and a history with none left
        gets the most popular items; a warning says so.

        Args:
            histories: a list of ids for each history.
            k: items per list, > 0.

        Returns:
            One row per item: "history", its number from 0; "rank" from 1; "item";
            "score". A history that leaves fewer than k items has fewer rows.

        Raises:
            InputError: histories that are not lists of ids, or a k below 1.
        """
        k = require_k(k)
        questions = as_histories(histories)
        if not questions:
            return pl.DataFrame(schema=_LISTS)
        if self._lists is None:
            config, own, model = self._open()
            from emkd_tf.retrieval.recommend import recommender_of

            self._lists = recommender_of(model, own, config.run.excluding)
        answer = self._lists.recommend(questions, k)
        warn_of_unknown(answer)
        rows = [
            (number, rank, item, float(score))
            for number, (items, scores) in enumerate(
                zip(answer.item_ids, answer.scores, strict=True)
            )
            for rank, (item, score) in enumerate(zip(items, scores, strict=True), 1)
            if item
        ]
        return pl.DataFrame(rows, schema=_LISTS, orient="row")

    def export(self, folder: str | Path, k: int | None = None) -> Path:
        """Exports the best state for TF Serving as the next version in a folder.

        Args:
            folder: of the model; versions are numbered in it.
            k: items per list, > 0; the run's own if not given.

        Returns:
            The folder of the version.

        Raises:
            InputError: a k below 1, or a counted model.
        """
        if k is not None:
            k = require_k(k)
        config, histories, model = self._open()
        from emkd_tf.training.results import export_run
        from emkd_tf.training.run_model import require_ensemble

        ensemble = require_ensemble(model, config, f"{self.path} has no export")
        target = made_folder(folder)
        return export_run(config, histories, ensemble, self.path, target, k=k)[0]

    def report(self, folder: str | Path, titles: Table = None) -> Path:
        """Writes what the run shows as one page, with its pictures beside it.

        Args:
            folder: to write to.
            titles: table of item ids and titles, in memory or as a path; by default
                from the run's attributes, if they have any.

        Returns:
            The page.
        """
        load_tensorflow()
        from emkd_tf.data.titles import find_titles
        from emkd_tf.report.write import write_report

        data, given = self.config.data, None
        if titles is not None:
            given = str(as_file(titles, "titles", data.cache_dir))
        names = find_titles(data, given)
        return write_report([self.path], made_folder(folder), titles=names)[0]

    def _open(self) -> tuple[Config, Histories, Model]:
        if self._opened is None:
            load_tensorflow()
            from emkd_tf.training.run_model import open_run as opened

            self._opened = opened(self.path)
        return self._opened
