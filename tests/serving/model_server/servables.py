"""Loads and runs SavedModels with TensorFlow's session, as TensorFlow Serving does."""

from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

Code = grpc.StatusCode


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def find(servables, name, version=None):
    """Returns a servable by its name and, where given, its version."""
    found = servables.get(name)
    if found is None or version not in (None, found.version):
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise RefusedError(Code.NOT_FOUND, f"Servable not found for request: {asked}")
    return found


class Servable:
    """The largest version of a model.

    Args:
        name: of the model.
        base_path: folder of its versions.
        max_batch_size: of the server's batching parameters; None without batching.
    """

    def __init__(self, name, base_path, max_batch_size=None):
        self.name, self._max_batch_size = name, max_batch_size
        self.version = max(
            int(p.name) for p in Path(base_path).iterdir() if p.name.isdecimal()
        )
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            model = tf.compat.v1.saved_model.load(
                self._session, ["serve"], f"{base_path}/{self.version}"
            )
        self.signatures = model.signature_def
        self._callables = {
            key: self._callable(signature)
            for key, signature in self.signatures.items()
            if signature.inputs
        }

    def predict(self, signature_name, inputs):
        """Runs a signature.

        Args:
            signature_name: "" for the default one.
            inputs: arrays by name.

        Returns:
            Arrays by name.

        Raises:
            RefusedError: TensorFlow Serving would refuse the request.
        """
        key = signature_name or "serving_default"
        if key not in self._callables:
            message = f'Serving signature key "{key}" not found.'
            raise RefusedError(Code.FAILED_PRECONDITION, message)
        _check_names(set(inputs), self.signatures[key].inputs)
        values = [inputs[name] for name in sorted(inputs)]
        self._check_batch(values)
        try:
            outputs = self._callables[key](*values)
        except tf.errors.OpError as error:
            code = next(c for c in Code if c.value[0] == error.error_code)
            raise RefusedError(code, error.message) from None
        names = sorted(self.signatures[key].outputs)
        return dict(zip(names, outputs, strict=True))

    def _callable(self, signature):
        """The session's own callable. Unlike Session.run it checks nothing in Python:
        what is wrong is found, and said, where TensorFlow Serving finds it."""
        options = config_pb2.CallableOptions()
        options.feed.extend(signature.inputs[i].name for i in sorted(signature.inputs))
        fetched = (signature.outputs[o].name for o in sorted(signature.outputs))
        options.fetch.extend(fetched)
        return self._session._make_callable_from_options(options)

    def _check_batch(self, values):
        limit = self._max_batch_size
        if limit is None:
            return
        sizes = {np.shape(value)[0] for value in values}
        if len(sizes) > 1:
            message = "Batching session Run() input tensors must have equal 0th-"
            raise RefusedError(Code.INVALID_ARGUMENT, f"{message}dimension size")
        if max(sizes) > limit:
            raise RefusedError(
                Code.INVALID_ARGUMENT,
                f"Task size {max(sizes)} is larger than maximum input batch size "
                f"{limit}",
            )


def _check_names(sent, expected):
    """Checks the names of a request's inputs against those of the signature."""
    wanted = set(expected)
    extra, missing = sent - wanted, wanted - sent
    if len(sent) != len(wanted):
        raise RefusedError(
            Code.INVALID_ARGUMENT,
            f"input size does not match signature: {len(sent)}!={len(wanted)} "
            f"len({_set(sent)}) != len({_set(wanted)}). Sent extra: {_set(extra)}. "
            f"Missing but required: {_set(missing)}.",
        )
    for name in sorted(missing):
        raise RefusedError(
            Code.INVALID_ARGUMENT,
            f"Signature input alias: {name}(feed name: {expected[name].name}) not "
            "found in request and no default value provided. Inputs expected to be in "
            f"the request {_set(sent)}, or default input alias set: ",
        )


def _set(names):
    return "{" + ",".join(sorted(names)) + "}"
