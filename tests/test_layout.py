"""The folder shows the architecture: imports point down, tests mirror the package."""

import ast
import configparser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "emkd_tf"
MODULES = sorted(PACKAGE.rglob("*.py"))

BASE = {"special_ids", "errors", "files"}
MAY_IMPORT = {
    "special_ids": set(),
    "errors": set(),
    "files": set(),
    "keras2": set(),
    "terminal": set(),
    "config_sections": {"errors"},
    "config": {"config_sections", "errors"},
    "config_files": {"config", "errors"},
    "settings": {"config", "config_files", "errors"},
    "data": BASE | {"config"},
    "fusion": set(),
    "precision": set(),
    "encoders": {"special_ids", "fusion", "precision"},
    "objectives": {"special_ids", "fusion", "precision"},
    "models": {
        "special_ids",
        "errors",
        "fusion",
        "precision",
        "encoders",
        "objectives",
    },
    "baselines": {"special_ids", "encoders", "objectives", "models"},
    "retrieval": BASE | {"models", "data"},
    "evaluation": {"special_ids", "data", "models", "retrieval"},
    "export": BASE | {"data", "models", "retrieval"},
    "serving": {"errors"},
    "training": {
        *BASE,
        *("config", "config_files", "data", "models", "baselines"),
        *("retrieval", "evaluation", "export"),
    },
}
# Checked where they are used: the mirror would only repeat these tests.
NO_MIRROR = {
    "special_ids.py",
    "errors.py",
    "data/sources.py",  # tests/data/test_prepare.py: every source by its counts
    "export/reload.py",  # tests/export/test_saved_model.py runs it
    "export/ops.py",  # tests/export/test_checks.py: exports are held to it
    "terminal.py",  # tests/test_cli.py, tests/test_run_commands.py: what is printed
}


def part(path):
    """The package or module right below emkd_tf."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    if part(path) in ("__init__", "cli", "run_commands"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name and name.startswith("emkd_tf."):
                used = name.split(".")[1]
                assert used == part(path) or used in MAY_IMPORT[part(path)], name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_are_small_and_explained(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))


def test_every_module_has_its_test_file():
    missing = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if path.name != "__init__.py"
        and str(path.relative_to(PACKAGE)) not in NO_MIRROR
        and not (
            REPOSITORY
            / "tests"
            / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        ).exists()
    ]
    assert missing == []


def test_every_package_is_installed():
    """setup.cfg lists the packages, since configs/ is one of them in a wheel."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    listed = set(parser["options"]["packages"].split())
    folders = {path.parent for path in MODULES}
    names = {".".join(f.relative_to(REPOSITORY).parts) for f in folders}
    assert listed == names | {"emkd_tf.configs"}
