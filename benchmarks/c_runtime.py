"""Builds and runs `c_runtime.c`, which asks an export without Python.

Headers and libraries come with TensorFlow's wheel; a C compiler must be installed.
"""

from __future__ import annotations

import importlib.util
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

SOURCE = Path(__file__).with_name("c_runtime.c")
COMPILER = shutil.which("cc")
_READERS = {
    types_pb2.DT_STRING: lambda lines: lines,
    types_pb2.DT_FLOAT: lambda lines: [float(line) for line in lines],
    types_pb2.DT_INT32: lambda lines: [int(line) for line in lines],
    types_pb2.DT_BOOL: lambda lines: [line == "1" for line in lines],
}


def build(folder: Path) -> Path:
    """Compiles the program into a folder and returns its path."""
    tensorflow = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
    program = folder / "c_runtime"
    libraries = [f"-l:libtensorflow_{part}.so.2" for part in ("cc", "framework")]
    subprocess.run(
        [
            *(COMPILER, "-O2", "-Wall", "-Werror", str(SOURCE), "-o", str(program)),
            *(f"-I{tensorflow}/include", f"-L{tensorflow}", f"-Wl,-rpath,{tensorflow}"),
            *libraries,
        ],
        check=True,
    )
    return program


def ask(
    program: Path, export: Path, questions: list[dict[str, Any]], repeats: int = 0
) -> tuple[list[dict[str, list]], list[list[float]]]:
    """Asks an export.

    Args:
        program: from `build`.
        export: folder of a version.
        questions: {"signature", "inputs": {name: nested lists of texts}}.
        repeats: additional timed runs of each question.

    Returns:
        Answers {name: nested lists}, and the microseconds of each question's runs.
    """
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((export / "saved_model.pb").read_bytes())
    signatures = model.meta_graphs[0].signature_def
    text = []
    for question in questions:
        signature = signatures[question["signature"]]
        names = sorted(signature.outputs)
        text += [len(names), *(_end(signature.outputs[name].name) for name in names)]
        text.append(len(question["inputs"]))
        for name, values in question["inputs"].items():
            array = np.array(values, dtype=object)
            shape = " ".join(map(str, (array.ndim, *array.shape)))
            text += [f"{_end(signature.inputs[name].name)} {shape}", *array.ravel()]
    process = subprocess.run(
        [str(program), str(export), str(repeats)],
        input="".join(f"{line}\n" for line in text),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(process.stderr.strip().splitlines()[-1])
    lines = iter(process.stdout.split("\n"))
    answers, micros = [], []
    for question in questions:
        names = sorted(signatures[question["signature"]].outputs)
        answers.append({name: _read(lines) for name in names})
        micros.append([float(next(lines)) for _ in range(repeats)])
    return answers, micros


def _end(name: str) -> str:
    operation, _, index = name.partition(":")
    return f"{operation} {index or 0}"


def _read(lines) -> list:
    kind, _, *shape = map(int, next(lines).split())
    values = _READERS[kind]([next(lines) for _ in range(math.prod(shape))])
    return np.array(values, dtype=object).reshape(shape).tolist()
