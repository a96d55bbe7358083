"""The encoders by name: where they are and which settings they read.

Loads no TensorFlow until a class is asked for.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from emkd_tf.config.loading import load

_BLOCKS = frozenset({"num_blocks", "num_heads", "initialization"})


@dataclasses.dataclass(frozen=True)
class EncoderEntry:
    """An encoder of the table.

    Attributes:
        path: its module and class.
        reads: the settings of the section `model` that are arguments of the class,
            besides `hidden_units`.
    """

    path: str
    reads: frozenset[str]


ENCODERS = {
    "bidirectional": EncoderEntry(
        "emkd_tf.encoders.bidirectional:BidirectionalEncoder", _BLOCKS
    ),
    "causal": EncoderEntry(
        "emkd_tf.encoders.causal:CausalEncoder", _BLOCKS | {"output_projection"}
    ),
    "ligr": EncoderEntry("emkd_tf.encoders.ligr:LiGREncoder", _BLOCKS),
    "post_norm": EncoderEntry("emkd_tf.encoders.post_norm:PostNormEncoder", _BLOCKS),
    "causal_post_norm": EncoderEntry(
        "emkd_tf.encoders.post_norm:CausalPostNormEncoder", _BLOCKS
    ),
    "causal_relu": EncoderEntry(
        "emkd_tf.encoders.post_norm:CausalReluEncoder", _BLOCKS
    ),
    "gru": EncoderEntry(
        "emkd_tf.encoders.gru:GRUEncoder",
        frozenset({"recurrent_units", "initialization"}),
    ),
    "caser": EncoderEntry(
        "emkd_tf.encoders.caser:CaserEncoder",
        frozenset(
            {"window", "vertical_filters", "horizontal_filters", "initialization"}
        ),
    ),
}


def encoder_class(name: str) -> Any:
    """Returns the class of a name of ENCODERS."""
    return load(ENCODERS[name].path)
