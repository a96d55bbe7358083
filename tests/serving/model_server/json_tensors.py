"""JSON bodies to arrays and back, in TensorFlow Serving's row and column formats."""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf
from servables import Code, RefusedError

_TYPE_NAMES = {tf.float32: "float", tf.float64: "double"}


def refused(message):
    return RefusedError(Code.INVALID_ARGUMENT, message)


def inputs_of(body, signatures):
    """Returns the signature's name, arrays by input and whether rows were sent."""
    content = _parsed(body)
    signature_name = content.get("signature_name", "serving_default")
    if not isinstance(signature_name, str):
        raise refused(
            f"JSON Value: {_text(content)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    if signature_name not in signatures:
        message = f'Serving signature name: "{signature_name}" not found in signature'
        raise refused(f"{message} def")
    types = {
        name: tf.as_dtype(info.dtype)
        for name, info in sorted(signatures[signature_name].inputs.items())
    }
    if "instances" in content and "inputs" in content:
        raise refused(
            f"JSON Value: {_text(content)} Not formatted correctly expecting only one "
            "of 'inputs' or 'instances' keys to exist "
        )
    if "instances" in content:
        return signature_name, _of_rows(content, types), True
    if "inputs" in content:
        return signature_name, _of_columns(content["inputs"], types), False
    raise refused("Missing 'inputs' or 'instances' key")


def outputs_text(outputs, is_row_format):
    """Returns the JSON of arrays by name."""
    columns = {name: _lists(name, array) for name, array in outputs.items()}
    if not is_row_format:
        return json.dumps({"outputs": _unnamed_if_one(columns)}, ensure_ascii=False)
    for name, array in outputs.items():
        if np.ndim(array) == 0:
            raise refused(f"Tensor name: {name} has no shape information ")
    sizes = [len(column) for column in columns.values()]
    for name, size in zip(columns, sizes, strict=True):
        if size != sizes[0]:
            raise refused(
                f"Tensor name: {name} has inconsistent batch size: {size} expecting: "
                f"{sizes[0]}"
            )
    rows = [
        _unnamed_if_one({name: column[row] for name, column in columns.items()})
        for row in range(sizes[0])
    ]
    return json.dumps({"predictions": rows}, ensure_ascii=False)


def _unnamed_if_one(values):
    return values if len(values) > 1 else next(iter(values.values()))


def _lists(name, array):
    """Nested lists; a float has the fewest digits that tell it from others."""
    array = np.asarray(array)
    if array.dtype.kind == "f":
        values = [float(str(value)) for value in array.ravel()]
    elif array.dtype.kind != "O":
        return array.tolist()
    elif name.endswith("_bytes"):
        values = [{"b64": base64.b64encode(v).decode()} for v in array.ravel()]
    else:
        values = [value.decode() for value in array.ravel()]
    nested = np.empty(len(values), object)
    nested[:] = values
    return nested.reshape(array.shape).tolist()


def _parsed(body):
    if not body:
        raise refused("JSON Parse error: The document is empty")
    try:
        content = json.loads(body)
    except json.JSONDecodeError as error:
        message = f"JSON Parse error: {error.msg} at offset: {error.pos}"
        raise refused(message) from None
    if not isinstance(content, dict):
        raise refused(f"JSON Value: {_text(content)} Is not object")
    return content


def _of_rows(content, types):
    rows = content["instances"]
    if not isinstance(rows, list):
        raise refused(
            f"JSON Value: {_text(content)} Excepting 'instances' to be an list/array"
        )
    if not rows:
        raise refused(f"JSON Value: {_text(content)} No values in 'instances' array")
    are_named = _is_named(rows[0])
    if not are_named and len(types) > 1:
        raise refused(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    arrays = {name: [] for name in types}
    for place, row in enumerate(rows):
        if _is_named(row) != are_named:
            kinds = ("object", "list") if are_named else ("value/list", "object")
            raise refused(
                f"Expecting {kinds[0]} but got {kinds[1]} at item {place} of input list"
            )
        named = row if are_named else {next(iter(types)): row}
        for name, value in named.items():
            key = f" key: {name}" if are_named else ""
            try:
                _append(arrays, types, name, value)
            except RefusedError as error:
                raise refused(
                    f"Failed to process element: {place}{key} of 'instances' list. "
                    f"Error: INVALID_ARGUMENT: {error.message}"
                ) from None
        if set(named) != set(types):
            raise refused(
                f"Failed to process element: {place} of 'instances' list. JSON object: "
                f"{_text(row)} keys must be equal to: {','.join(types)}"
            )
    return {name: np.stack(column) for name, column in arrays.items()}


def _append(arrays, types, name, value):
    if name not in types:
        raise refused(f"JSON object: does not have named input: {name}")
    array = _array(value, types[name])
    first = arrays[name][0] if arrays[name] else array
    if array.size != first.size:
        raise refused(f"Expecting tensor size: {first.size} but got: {array.size}")
    if array.shape != first.shape:
        shapes = [str(list(a.shape)).replace(" ", "") for a in (first, array)]
        raise refused(f"Expecting shape {shapes[0]} but got: {shapes[1]}")
    arrays[name].append(array)


def _of_columns(inputs, types):
    if not _is_named(inputs):
        if len(types) > 1:
            raise refused(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        return {name: _array(inputs, dtype) for name, dtype in types.items()}
    for name in types:
        if name not in inputs:
            raise refused(f"Missing named input: {name} in 'inputs' object.")
    return {name: _array(inputs[name], dtype) for name, dtype in types.items()}


def _is_named(value):
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value):
    return set(value) == {"b64"} and isinstance(value["b64"], str)


def _array(value, dtype):
    """Nested lists to an array; the first elements give the shape."""
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    leaves = []
    _collect(value, 0, shape, dtype, leaves)
    return np.array(leaves, dtype.as_numpy_dtype).reshape(shape)


def _collect(value, level, shape, dtype, leaves):
    rank = len(shape)
    if not isinstance(value, list):
        if level != rank:
            raise refused(
                f"JSON Value: {_text(value)} found at incorrect level: {level + 1} in "
                f"the JSON DOM. Expected at level: {rank}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= rank:
        raise refused(
            f"Encountered list at unexpected level: {level} expected < {rank}"
        )
    if len(value) != shape[level]:
        raise refused(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for inner in value:
        _collect(inner, level + 1, shape, dtype, leaves)


def _leaf(value, dtype):
    """A value of the tensor's type; JSON's true is no number and 1.0 no integer."""
    if isinstance(value, dict) and dtype == tf.string:
        return _decoded(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype == tf.string:
        fits = isinstance(value, str)
    elif dtype == tf.bool:
        fits = isinstance(value, bool)
    elif dtype.is_integer:
        fits = is_number and isinstance(value, int) and dtype.min <= value <= dtype.max
    else:
        fits = is_number
    if not fits:
        raise refused(
            f"JSON Value: {_text(value)} Type: {_type_name(value)} is not of expected "
            f"type: {_TYPE_NAMES.get(dtype, dtype.name)}"
        )
    return value.encode() if dtype == tf.string else value


def _decoded(value):
    if not _is_base64(value):
        message = f"JSON Value: {_text(value)} not formatted correctly for base64 data"
        raise refused(message)
    try:
        return base64.b64decode(value["b64"], validate=True)
    except binascii.Error:
        raise refused("Unable to base64 decode") from None


def _type_name(value):
    if isinstance(value, bool):
        return "True" if value else "False"
    names = {dict: "Object", list: "Array", str: "String", type(None): "Null"}
    return names.get(type(value), "Number")


def _text(value):
    return json.dumps(value, indent=4, ensure_ascii=False)
