"""The REST port: POST /v1/models/NAME[/versions/N]:predict."""

import http.server
import json
import re
from urllib.parse import unquote

from json_tensors import inputs_of, outputs_text
from servables import Code, RefusedError, find

_PREDICT = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+))?:predict")
_HTTP = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._send(200, self._predict(body))
        except RefusedError as error:
            text = json.dumps({"error": error.message})
            self._send(_HTTP.get(error.code, 500), text)

    def _predict(self, body):
        path = _PREDICT.fullmatch(self.path)
        if path is None:
            message = f"Malformed request: POST {self.path}"
            raise RefusedError(Code.INVALID_ARGUMENT, message)
        version = int(path[2]) if path[2] else None
        servable = find(self.server.servables, unquote(path[1]), version)
        signature_name, inputs, is_row_format = inputs_of(body, servable.signatures)
        return outputs_text(servable.predict(signature_name, inputs), is_row_format)

    def _send(self, status, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def rest_server(servables):
    """Returns a server that listens."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.servables = servables
    return server
