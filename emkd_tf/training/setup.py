"""Unpacks a config into a model, its stages and their training data."""

from __future__ import annotations

import dataclasses

from emkd_tf.config import Config, model_table
from emkd_tf.data.examples.teacher_lists import TeacherLists
from emkd_tf.data.histories import Histories
from emkd_tf.models.ranker import Scorer
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.stage import Stage
from emkd_tf.training.optimizers import create_slots, make_optimizer
from emkd_tf.training.schedules import learning_rate
from emkd_tf.training.training_data import TrainingData


def model_class(config: Config) -> type[Recommender]:
    """Returns the class of the model that a config trains."""
    return model_table.model_class(config.model.model, config.objective.task)


def build_model(config: Config, histories: Histories) -> Recommender | Scorer:
    """Builds the model of a config for a dataset, trained or counted; call it under a
    strategy's scope."""
    kind = model_table.model_class(config.model.model, config.objective.task)
    return kind.create(config, histories)


def compile_model(model: Recommender, config: Config, num_steps: int) -> None:
    """Gives the model its optimizer; call it under the strategy's scope.

    Args:
        model: to compile.
        config: of the run.
        num_steps: of the whole training, over which the learning rate may fall.
    """
    training = config.training
    optimizer = make_optimizer(
        training.optimizer,
        learning_rate(
            training.learning_rate,
            training.schedule,
            training.warmup_steps,
            num_steps,
        ),
        training.weight_decay,
        training.beta_2,
    )
    create_slots(optimizer, model.trainable_variables)
    model.compile(optimizer=optimizer, jit_compile=training.jit_compile)


def stages_of(config: Config) -> list[Stage]:
    """Returns the stages of a config's model."""
    return model_class(config).stages(config)


def training_data(config: Config, histories: Histories) -> TrainingData:
    """Builds the batches that a config's model learns from in its last stage."""
    return stage_data(stages_of(config)[-1], histories)


def stage_data(
    stage: Stage, histories: Histories, lists: TeacherLists | None = None
) -> TrainingData:
    """Builds the batches of a stage, with the lists of a teacher if it has one."""
    training = stage.config.training
    examples = stage.model.examples(stage.config, histories)
    return TrainingData(
        histories,
        dataclasses.replace(examples, lists=lists),
        batch_size=training.batch_size,
        epochs=training.epochs,
        steps=training.steps,
        seed=training.seed,
    )
