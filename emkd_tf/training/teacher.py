"""The lists of a finished run's model, for another model to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.config.model_table import MODELS
from emkd_tf.data.examples.teacher_lists import TeacherLists
from emkd_tf.data.histories import Histories, left_padded, places_between
from emkd_tf.errors import InputError
from emkd_tf.evaluation.evaluator import chunk_users, user_vector_function
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.run_reading import require_finished
from emkd_tf.training import run_data
from emkd_tf.training.run_config import read_config
from emkd_tf.training.run_model import ensemble_of, open_model


def require_teacher(config: Config, histories: Histories) -> None:
    """Checks the run that a config names to learn from, before anything is written.

    Raises:
        InputError: it is not a run, not finished, on other data, or of a counted model.
    """
    if config.objective.distill is None:
        return
    run = Path(config.objective.distill)
    model = read_config(run).model.model
    run_data.same_data(run, histories)
    if not MODELS[model].is_trained:
        title = MODELS[model].title
        raise InputError(f"{run} cannot be learned from: {title} is counted.")
    require_finished(run)


def lists_of(config: Config, histories: Histories) -> TeacherLists | None:
    """Asks the model of the run that a config names for its lists; None if it names
    none.

    Args:
        config: of the training that learns from them.
        histories: of all users.

    Raises:
        InputError: its weights cannot be read.
    """
    if config.objective.distill is None:
        return None
    run = Path(config.objective.distill)
    teacher = ensemble_of(open_model(run, read_config(run), histories))
    assert teacher is not None  # see `require_teacher`
    k = min(config.objective.distill_items, histories.num_items)
    return make_lists(teacher, histories, k, only_last=config.data.rows == "prefix")


def make_lists(
    teacher: Ensemble, histories: Histories, k: int, *, only_last: bool = False
) -> TeacherLists:
    """Lists the best of all items before each action of the training parts except the
    first of a history, with the mean of its networks' scores: a sum would be larger
    than one network can learn. Each action takes 8 K bytes.

    Args:
        teacher: to ask.
        histories: of all users.
        k: K, items of a list.
        only_last: see `TeacherLists`.
    """
    items = np.zeros((len(histories.items), k), np.int32)
    scores = np.zeros((len(histories.items), k), np.float32)
    starts, ends = histories.training_bounds()
    of_user, places = places_between(starts + 1, np.maximum(ends, starts + 1))
    # Histories of similar length go together, so that little of a chunk is padding.
    lengths = np.minimum(places - starts[of_user], teacher.history_length)
    encode, item_vectors = user_vector_function(teacher), teacher.item_vectors()
    order = np.argsort(lengths, kind="stable")
    size = chunk_users(histories.num_items)
    for chunk in np.split(order, range(size, len(order), size)):
        at = places[chunk]
        begins = starts[of_user[chunk]]
        known = left_padded(histories.items, begins, at, int(lengths[chunk].max()))
        users = tf.constant(of_user[chunk], tf.int64)
        found = _best(encode(tf.constant(known), users), item_vectors, k)
        scores[at], items[at] = (part.numpy() for part in found)
    scores /= len(teacher.towers)
    return TeacherLists(items, scores, only_last)


@tf.function(autograph=False, reduce_retracing=True)
def _best(
    vectors: tf.Tensor, item_vectors: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns scores and item ids [B, K] of the best items, the best first."""
    found = tf.math.top_k(tf.matmul(vectors, item_vectors, transpose_b=True), k)
    return found.values, found.indices + 1
