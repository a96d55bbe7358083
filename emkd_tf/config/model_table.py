"""The models by name: where they are and which settings they read.

Loads no TensorFlow until a class is asked for: help and checks of settings need only
the table.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.config.loading import load

_ANY_ENCODER = frozenset({"encoder", "hidden_units", "dropout"}).union(
    *(entry.reads for entry in ENCODERS.values())
)
_TRANSFORMER = {"hidden_units", "num_blocks", "num_heads", "dropout"}
_NETWORKS = _ANY_ENCODER | {
    *("num_networks", "tie_item_embeddings", "max_length"),
    *("attribute_embeddings", "item_loss", "num_sampled", "num_negatives"),
    *("distillation", "distillation_weight", "temperature", "l2"),
}
_NEXT_ITEM = _NETWORKS | {"rows"}
_DISTILLED = _NEXT_ITEM | {"distill", "distill_items"}
_ITEM_KNN = {"max_length", "num_neighbours", "shrinkage", "num_last", "decay"}
_CONTRAST = _NEXT_ITEM | {"contrast_weight"}
_CL4SREC = _CONTRAST | {"crop_share", "mask_share", "reorder_share"}
_DUOREC = (_CONTRAST | {"contrast_views"}) - {"rows"}
_CASER = _NEXT_ITEM | {"num_targets", "user_vectors"}
_BERT4REC = _NETWORKS | {"window_step", "mask_probability", "last_item_rows"}
_MMINFOREC = _ANY_ENCODER | {
    *("num_networks", "max_length", "rows"),
    *("temperature", "memory_slots", "memory_dropout"),
    *("prediction_steps", "item_encodings", "initial_bound", "l2"),
}
_EMKD_BY_TASK = {
    "masked_item": frozenset(
        {
            *("window_step", "num_views", "mask_probability"),
            *("mask_at_least_one", "contrast_self_term"),
        }
    ),
    "next_item": frozenset({"rows"}),
}
_EMKD = _NETWORKS.union(*_EMKD_BY_TASK.values()) | {
    *("task", "attribute_prediction", "attribute_weight"),
    *("contrast_weight", "intra_contrast", "cross_contrast"),
}
_S3REC = (_NEXT_ITEM - _ANY_ENCODER) | {
    *_TRANSFORMER,
    *("pretrain_epochs", "pretrain_batch_size"),
    *("mask_probability", "attribute_prediction"),
}


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """A model of the table.

    Attributes:
        path: its module and class.
        by_task: the same for each value of `task` that has another class.
        title: its name in papers.
        reads: the settings of model and loss that it reads.
        reads_by_task: those of them that it reads for one task only.
        rows: how it cuts histories into rows, a value of the setting `rows`, if it does
            not read that setting.
        preset: used by a training that asks for none; None for its file's own settings.
        is_trained: it is trained in steps; other models are counted and have no
            checkpoint or export.
    """

    path: str
    title: str
    reads: frozenset[str]
    by_task: dict[str, str] = dataclasses.field(default_factory=dict)
    reads_by_task: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    rows: str | None = None
    preset: str | None = None
    is_trained: bool = True


MODELS = {
    "emkd": ModelEntry(
        "emkd_tf.models.emkd:EMKD",
        "EMKD",
        _EMKD,
        {"next_item": "emkd_tf.models.emkd_next_item:EMKDNextItem"},
        _EMKD_BY_TASK,
        preset="quick",
    ),
    "sasrec": ModelEntry(
        "emkd_tf.models.sasrec:SASRec", "SASRec", _NEXT_ITEM | {"scale_embeddings"}
    ),
    "distilled": ModelEntry(
        "emkd_tf.models.distilled:Distilled", "Distilled", _DISTILLED
    ),
    "s3rec": ModelEntry("emkd_tf.models.s3rec:S3Rec", "S3-Rec", _S3REC),
    "esasrec": ModelEntry("emkd_tf.models.sasrec:SASRec", "eSASRec", _NEXT_ITEM),
    "bert4rec": ModelEntry("emkd_tf.models.bert4rec:BERT4Rec", "BERT4Rec", _BERT4REC),
    "caser": ModelEntry("emkd_tf.models.caser:Caser", "Caser", _CASER),
    "fdsa": ModelEntry(
        "emkd_tf.models.fdsa:FDSA",
        "FDSA",
        (_NEXT_ITEM - {"attribute_embeddings"}) | {"attribute_pooling"},
    ),
    "mminforec": ModelEntry(
        "emkd_tf.models.mminforec:MMInfoRec", "MMInfoRec", _MMINFOREC
    ),
    "gru4rec": ModelEntry("emkd_tf.models.gru4rec:GRU4Rec", "GRU4Rec", _NEXT_ITEM),
    "poprec": ModelEntry(
        "emkd_tf.models.popularity:PopRec",
        "PopRec",
        frozenset({"max_length"}),
        is_trained=False,
    ),
    "markov": ModelEntry(
        "emkd_tf.models.markov:Markov",
        "Markov",
        frozenset({"max_length", "smoothing"}),
        is_trained=False,
    ),
    "itemknn": ModelEntry(
        "emkd_tf.models.itemknn:ItemKNN",
        "ItemKNN",
        frozenset(_ITEM_KNN),
        is_trained=False,
    ),
    "cl4srec": ModelEntry("emkd_tf.models.cl4srec:CL4SRec", "CL4SRec", _CL4SREC),
    "duorec": ModelEntry(
        "emkd_tf.models.duorec:DuoRec", "DuoRec", _DUOREC, rows="prefix"
    ),
}
DEFAULT_MODEL = "emkd"
BASELINE = "poprec"  # which every run is compared with


def model_class(name: str, task: str = "") -> Any:
    """Returns the class of a model, a `Recommender` if it is trained.

    Args:
        name: of the model in MODELS.
        task: the setting, if the model reads it.
    """
    entry = MODELS[name]
    return load(entry.by_task.get(task, entry.path))


def readers(key: str) -> list[str]:
    """Returns the models that read a setting; none if all do."""
    return [name for name, entry in MODELS.items() if key in entry.reads]


def unread(model: str, task: str | None = None) -> frozenset[str]:
    """Returns the settings that a model does not read: those of other models and, if
    its task is given, those of its other tasks."""
    every = frozenset().union(*(entry.reads for entry in MODELS.values()))
    entry = MODELS[model]
    by_task = entry.reads_by_task.items()
    others = [keys for of, keys in by_task if task not in (None, of)]
    return (every - entry.reads).union(*others)
