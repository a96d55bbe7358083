"""The REST client; needs neither TensorFlow nor gRPC."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests

from emkd_tf.errors import InputError
from emkd_tf.serving.client import Client

# TensorFlow Serving's own table, inverted: from HTTP back to gRPC.
_STATUSES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SHOWN = 300  # characters of an answer that is not JSON


class RestClient(Client):
    """Asks a server's REST port, "host:8501", or an address that begins with https://.

    `timeout_seconds` bounds the connection and each wait for more of the answer.
    """

    def __init__(self, address: str, model: str, **options: Any):
        super().__init__(address, model, **options)
        base = address if "://" in address else f"http://{address}"
        version = "" if self.version is None else f"/versions/{self.version}"
        name = quote(model, safe="")
        self._url = f"{base.rstrip('/')}/v1/models/{name}{version}:predict"
        self._session = requests.Session()

    def predict(
        self, inputs: Mapping[str, Sequence], signature_name: str = "serving_default"
    ) -> dict[str, list]:
        content: dict[str, Any] = {
            "signature_name": signature_name,
            "inputs": dict(inputs),
        }
        try:
            body = json.dumps(content, default=_of_array, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"The inputs are no JSON: {error}.") from None
        try:
            answer = self._session.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout_seconds,
            )
        except requests.Timeout as error:
            raise self._error("DEADLINE_EXCEEDED", str(error)) from None
        except requests.RequestException as error:
            raise self._error("UNAVAILABLE", str(error)) from None
        return self._outputs(answer)

    def close(self) -> None:
        self._session.close()

    def _outputs(self, answer: requests.Response) -> dict[str, list]:
        try:
            content = answer.json()
        except requests.JSONDecodeError:
            content = None
        content = content if isinstance(content, dict) else {}
        if answer.ok and isinstance(content.get("outputs"), dict):
            return content["outputs"]
        reason = content.get("error") or answer.text[:_SHOWN] or answer.reason
        raise self._error(_STATUSES.get(answer.status_code, "UNKNOWN"), str(reason))


def _of_array(values: Any) -> list:
    """Returns NumPy arrays and numbers, which JSON cannot encode, as Python's."""
    if not hasattr(values, "tolist"):
        raise TypeError(f"{type(values).__name__} is of no type that JSON has")
    return values.tolist()
