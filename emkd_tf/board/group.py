"""A run and its networks as TensorBoard lists them: one group, with a name each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar

from emkd_tf.evaluation.metrics import CUTOFFS

# Charts by category: a title, and a regular expression for the tags that it holds.
_CHARTS = {
    "Quality of the run and its networks": {
        **{f"NDCG@{k}": f"validation/NDCG@{k}" for k in CUTOFFS},
        **{f"HR@{k}": f"validation/HR@{k}" for k in CUTOFFS},
        "cross entropy of the next item": "validation/cross_entropy",
    },
    "Losses of the training": {
        "total": "loss/total",
        "terms": r"loss/(?!total).*",
    },
    "Agreement between networks": {
        "KL divergence": r"divergence/.*",
        "share of the top 10 in common": r"overlap/.*",
    },
    "Machine": {
        "learning rate": "learning_rate",
        "examples a second": "examples_per_second",
        "memory, GiB": r"memory/.*",
    },
}

_OF_NETWORK = re.compile(r"(?P<kind>loss/)?(?P<network>network_\d+)/(?P<metric>.+)")


class Group:
    """Writes the curves of a run and of its networks.

    A network's value has the same tag as the run's, so that one chart shows both.

    Args:
        folder: of the run's event files; each network has a folder in it.
        networks: their names; a single one is the run itself.
    """

    def __init__(self, folder: Path, networks: Sequence[str] = ()):
        several = networks if len(networks) > 1 else ()
        self._writers = {
            name: tf.summary.create_file_writer(str(folder / name))
            for name in ("", *several)
        }
        with self._writers[""].as_default(step=0):
            tf.summary.experimental.write_raw_pb(
                custom_scalar.pb(_layout()).SerializeToString()
            )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Writes values of a step; `network_1/NDCG@10` is a network's in validation,
        `loss/network_1/next_item` its part of a loss; both are left out if it is the
        run itself."""
        for key, value in values.items():
            of_network = _OF_NETWORK.fullmatch(key)
            name, tag = "", key
            if of_network:
                name, kind = of_network["network"], of_network["kind"] or "validation/"
                tag = kind + of_network["metric"]
            writer = self._writers.get(name)
            if writer is not None:
                with writer.as_default(step=step):
                    tf.summary.scalar(tag, value)
        for writer in self._writers.values():
            writer.flush()

    def write_text(self, name: str, markdown: str) -> None:
        """Writes a text of the run."""
        with self._writers[""].as_default(step=0):
            tf.summary.text(name, markdown)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


def _layout() -> layout_pb2.Layout:
    return layout_pb2.Layout(
        category=[
            layout_pb2.Category(
                title=category,
                chart=[
                    layout_pb2.Chart(
                        title=title,
                        multiline=layout_pb2.MultilineChartContent(tag=[tag]),
                    )
                    for title, tag in charts.items()
                ],
            )
            for category, charts in _CHARTS.items()
        ]
    )
