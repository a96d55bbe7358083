"""The folder shows the architecture: imports point down, tests mirror the package."""

import ast
import configparser
import re
from pathlib import Path

import pytest
import yaml

import emkd_tf
from emkd_tf.config.model_table import MODELS

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "emkd_tf"
MODULES = sorted(PACKAGE.rglob("*.py"))

BASE = {"special_ids", "errors", "atomic_files", "run_reading", "standard_error"}
MAY_IMPORT = {
    "special_ids": set(),
    "errors": set(),
    "atomic_files": {"errors"},
    "run_reading": {"errors"},
    "keras2": set(),
    "standard_error": set(),
    "tensorflow_start": {"standard_error"},
    "config": {"errors"},
    "data": BASE | {"config"},
    "kernels": {"special_ids"},
    "encoders": {"special_ids", "kernels"},
    "objectives": {"special_ids", "kernels"},
    "models": {
        *("special_ids", "errors", "config", "kernels"),
        *("encoders", "objectives", "data"),
    },
    "retrieval": BASE | {"models", "data"},
    "evaluation": BASE | {"config", "data", "models", "retrieval"},
    "board": BASE | {"config", "data", "models", "evaluation"},
    "export": BASE | {"data", "models", "retrieval"},
    "serving": {"errors"},
    "spark": BASE | {"config", "data", "models", "retrieval", "export"},
    "experiments": BASE | {"config", "data", "models", "evaluation", "training"},
    "report": {
        *BASE,
        *("config", "data", "models"),
        *("retrieval", "evaluation", "training"),
    },
    "training": {
        *BASE,
        *("config", "data", "models"),
        *("retrieval", "evaluation", "export", "board"),
    },
}
# May import everything.
COMMAND_LINE = ("__init__", "__main__", "cli", "commands", "notebook")
# Checked where they are used: the mirror would only repeat these tests.
NO_MIRROR = {
    "special_ids.py",
    "__main__.py",  # tests/test_cli.py calls it
    "training/run_cold.py",  # tests/commands/test_opening.py: lists and exports
    "config/flag_errors.py",  # tests/config/test_flags.py: every mistake
    "config/rules.py",  # tests/config/test_sections.py: every rule
    "config/model_table.py",  # tests/config/test_files.py: every model's settings
    "config/encoder_table.py",  # tests/models/test_from_config.py, tests/contracts.py
    "config/loading.py",  # by the tables
    "encoders/blocks.py",  # tests/encoders: every encoder of blocks
    "models/item_loss.py",  # tests/models/test_item_losses.py
    "models/ranker.py",  # tests/evaluation/test_evaluator.py
    "models/loss_weights.py",  # tests/models/test_emkd.py
    "models/pretraining_head.py",  # tests/models/test_s3rec_pretraining.py
    "config/sections/data.py",  # tests/config/test_sections.py
    "config/sections/model.py",  # tests/config/test_sections.py
    "config/sections/objective.py",  # tests/config/test_sections.py
    "config/sections/training.py",  # tests/config/test_sections.py
    "config/sections/run.py",  # tests/config/test_sections.py
    "kernels/compute.py",  # names alone
    "data/sources.py",  # tests/data/test_prepare.py: every source by its counts
    "data/examples/examples.py",  # tests/data/examples/test_stream.py
    "models/sasrec.py",  # tests/models/test_next_item.py: what it inherits
    "experiments/figure.py",  # tests/experiments/test_pages.py
    "notebook/data.py",  # tests/test_notebook.py
    "notebook/run.py",  # likewise
    "notebook/questions.py",  # likewise
    "models/cl4srec.py",  # tests/models/test_view_contrast.py
    "models/duorec.py",  # likewise
    "export/reload.py",  # tests/export/test_saved_model.py runs it
    "export/ops.py",  # tests/export/test_checks.py: exports are held to it
    "commands/train.py",  # tests/test_cli.py, tests/training/test_run.py
    "commands/arguments.py",  # tests/commands/test_evaluate.py and others
}


def part(path):
    """The package or module right below emkd_tf."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    if part(path) in COMMAND_LINE:
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
    assert len(text.splitlines()) <= (200 if part(path) == "models" else 250)
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_functions_are_short(path):
    """Signatures and docstrings aside; a comment `# long: REASON` above a function
    says why it has more than 40 lines."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            num_lines = node.end_lineno - body[0].lineno + 1 if body else 0
            has_reason = "# long: " in text.splitlines()[node.lineno - 2]
            assert num_lines <= 40 or has_reason, node.name


# Words of code that name a model, and what else they may mean.
MODEL_WORDS = {
    *MODELS,
    *(entry.title for entry in MODELS.values()),
    *(
        path.partition(":")[2]
        for entry in MODELS.values()
        for path in (entry.path, *entry.by_task.values())
    ),
}
OTHERWISE = {
    # The program, in command lines to type.
    "emkd": {"commands", "data", "experiments", "report", "spark"},
    "caser": {"encoders", "config"},  # an encoder is called like the model
    "S3-Rec": {"data"},  # a layout of files
    "s3rec": {"data"},  # of the module that reads it
}


def code_words(path):
    """Yields the identifiers of a module and the words of its texts, of docstrings only
    those that are help pages."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in docstrings or path.parent.name == "sections":
                # A program may be called by its name, and so may a package.
                text = re.sub(r"emkd[ :-]|emkd_tf", "", node.value)
                yield from re.findall(r"[\w-]+", text)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from node.module.split(".")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_models_are_named_in_their_files_and_in_the_table_alone(path):
    if part(path) == "models" or path.name == "model_table.py":
        return
    named = MODEL_WORDS & set(code_words(path))
    assert {w for w in named if part(path) not in OTHERWISE.get(w, ())} == set()


def test_names_of_models_would_be_found():
    for name in ("sasrec", "duorec", "fdsa"):
        path = PACKAGE / "models" / f"{name}.py"
        assert MODELS[name].title in set(code_words(path))
    assert "poprec" in set(code_words(PACKAGE / "config" / "model_table.py"))


def test_spark_is_imported_in_its_own_room_alone():
    """And there only when it is used: `emkd` starts without pyspark."""
    for path in MODULES:
        tree = ast.parse(path.read_text())
        nodes = ast.walk(tree) if part(path) != "spark" else iter(tree.body)
        for node in nodes:
            names = [a.name for a in getattr(node, "names", [])]
            module = getattr(node, "module", None) or ""
            is_spark = module.startswith("pyspark") or "pyspark" in names
            assert not is_spark or is_for_types(tree, node), path


def is_for_types(tree, node):
    """Returns whether an import stands below `if TYPE_CHECKING`."""
    guarded = [n for n in tree.body if isinstance(n, ast.If)]
    return any(node in ast.walk(n) for n in guarded if "TYPE_CHECKING" in ast.dump(n))


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


def test_versions_that_stand_in_two_files_agree():
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert cited["version"] == emkd_tf.__version__
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    rev = hooks["repos"][0]["rev"]
    assert f"ruff=={rev[1:]}\n" in (REPOSITORY / "setup.cfg").read_text()
