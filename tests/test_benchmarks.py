"""Benchmarks, tools and examples find what they take from the package."""

import ast
import importlib
from pathlib import Path

import mypy.api
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted(
    path
    for name in ("benchmarks", "tools", "examples")
    for path in ROOT.glob(f"{name}/*.py")
)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_every_name_is_there(path):
    missing = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if (node.module or "").partition(".")[0] != "emkd_tf":
            continue
        module = importlib.import_module(node.module)
        for alias in node.names:
            if not hasattr(module, alias.name):
                try:  # a module of the package
                    importlib.import_module(f"{node.module}.{alias.name}")
                except ImportError:
                    missing.append(f"{node.module}.{alias.name}")
    assert missing == []


def test_every_call_has_the_arguments_that_it_needs():
    said = mypy.api.run(["--check-untyped-defs", *map(str, PROGRAMS)])[0]
    assert [line for line in said.splitlines() if "[call-arg]" in line] == []
    assert "checked" in said  # it did not give up before


def test_there_are_programs():
    assert len(PROGRAMS) > 15
