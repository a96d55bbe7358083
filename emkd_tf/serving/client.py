"""What both clients share: histories to a request, outputs to recommendations."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from emkd_tf.errors import InputError, ServingError
from emkd_tf.serving import request

_OUTPUTS = ("item_ids", "scores", "unknown_items", "is_popular")
_REMEDIES = {
    "NOT_FOUND": "Check the model's name and version, and that the server loaded it.",
    "INVALID_ARGUMENT": "Compare signature, inputs and number of rows with the "
    "README.md beside the export and with the server's max_batch_size.",
    "FAILED_PRECONDITION": "Compare the signature with the README.md beside the "
    "export; where the server joins requests into batches, set `separator`.",
    "RESOURCE_EXHAUSTED": "Send fewer histories in one call.",
    "DEADLINE_EXCEEDED": "Raise `timeout_seconds` or send fewer histories in one call.",
    "UNAVAILABLE": "Start the server, or check its address and port (usually 8500 for "
    "gRPC, 8501 for REST).",
    "UNIMPLEMENTED": "Check that this is the port of TensorFlow Serving.",
}


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """What a served model recommends for B histories.

    Attributes:
        item_ids: B lists of at most k raw ids, best first; fewer where the history
            leaves fewer items.
        scores: B lists of as many floats, in float32 precision.
        unknown_items: [B] how many items of each history are not in the catalogue.
        is_popular: [B] True where no item of the history is known and the most popular
            items are returned.
    """

    item_ids: list[list[str]]
    scores: list[list[float]]
    unknown_items: list[int]
    is_popular: list[bool]


class Client(abc.ABC):
    """Asks a server for recommendations; `with` closes the connection.

    Args:
        address: of the server, "host:port".
        model: its name on the server.
        version: None for the server's choice, usually the newest.
        separator: of the export's `history_joined` signature (in its card.json). Set it
            if the server batches requests: histories of any lengths then fit together.
        timeout_seconds: how long to wait for the server, > 0.

    Raises:
        InputError: `timeout_seconds` is not such a number.
    """

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        separator: str | None = None,
        timeout_seconds: float = 10.0,
    ):
        request.require_seconds(timeout_seconds)
        self.address, self.model, self.version = address, model, version
        self._separator, self._timeout_seconds = separator, timeout_seconds

    @abc.abstractmethod
    def predict(
        self, inputs: Mapping[str, Sequence], signature_name: str = "serving_default"
    ) -> dict[str, list]:
        """Calls any signature of the model.

        Args:
            inputs: nested lists or arrays by name, of equal lengths in every dimension.
            signature_name: one of the signatures in the export's README.md.

        Returns:
            Nested lists by name: str, float, int or bool.

        Raises:
            InputError: inputs that cannot be sent.
            ServingError: the server refused, failed or did not answer.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connection."""

    def recommend(self, histories: Sequence[Sequence[str]], k: int) -> Recommendations:
        """Recommends items that are not in the histories.

        Args:
            histories: B lists or arrays of raw ids, oldest first, of any lengths.
            k: items wanted for each, 1 to the length of the model's lists.

        Raises:
            InputError: not lists of ids, or `k` beyond the model's lists.
            ServingError: the server refused, failed, did not answer or answered with
                something else.
        """
        request.require_length(k)
        rows = request.lists_of_ids(histories)
        if not rows:
            return Recommendations([], [], [], [])
        if self._separator is None:
            outputs = self.predict({"history": request.padded(rows)})
        else:
            joined = request.joined(rows, self._separator)
            outputs = self.predict({"history": joined}, "history_joined")
        return self._recommendations(outputs, len(rows), k)

    def _recommendations(
        self, outputs: dict[str, list], num_rows: int, k: int
    ) -> Recommendations:
        """Cuts lists to k items and drops empty places."""
        if missing := set(_OUTPUTS) - set(outputs):
            raise self._error(
                "UNKNOWN", f"it answers without {', '.join(sorted(missing))}"
            )
        item_ids, scores, unknown_items, is_popular = (outputs[n] for n in _OUTPUTS)
        if not _are_recommendations(outputs, num_rows):
            raise self._error(
                "UNKNOWN",
                f"it does not answer {num_rows} histories with a list of item ids and "
                "as many scores each",
            )
        longest = len(item_ids[0])
        if k > longest:
            raise InputError(
                f"`k` is {k}, but `{self.model}` was exported with lists of {longest}: "
                f"ask for at most {longest}, or export it again with a larger k."
            )
        kept = [[i for i in row[:k] if i] for row in item_ids]
        return Recommendations(
            kept,
            [row[: len(ids)] for row, ids in zip(scores, kept, strict=True)],
            unknown_items,
            is_popular,
        )

    def _error(self, status: str, reason: str) -> ServingError:
        """Returns an error of one line: who, what in the server's words, what to do."""
        remedy = _REMEDIES.get(status, "Look into the server's log.")
        version = "" if self.version is None else f" version {self.version}"
        return ServingError(
            f"Model `{self.model}`{version} at {self.address}: {status}: "
            f"{' '.join(reason.split()).rstrip('.')}. {remedy}",
            status,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _are_recommendations(outputs: dict[str, list], num_rows: int) -> bool:
    """Whether outputs are rows of as many items as scores, at least one."""
    columns = [outputs[name] for name in _OUTPUTS]
    if not all(isinstance(c, list) and len(c) == num_rows for c in columns):
        return False
    lists = [*outputs["item_ids"], *outputs["scores"]]
    if not all(isinstance(row, list) and row for row in lists):
        return False
    items = [item for row in outputs["item_ids"] for item in row]
    is_even = len({len(row) for row in lists}) == 1
    return is_even and all(isinstance(item, str) for item in items)
