"""The help pages of the commands: what matters first, everything on request."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.config.model_table import DEFAULT_MODEL, MODELS, readers, unread
from emkd_tf.config.rules import choices_of

FLAGS = ("-h", "--help")
_LOG = (
    *("dataset", "interactions", "attributes", "data_dir", "cache_dir"),
    *("user_column", "item_column", "time_column", "rating_column"),
    *("attribute_item_column", "attribute_columns"),
    *("min_rating", "since", "until", "duplicates", "user_core", "item_core"),
    *("split", "test_share"),
)
# The settings that a short page shows, by command; other commands have only the whole
# page.
_MAIN = {
    "train": (
        *("dataset", "preset", "config", "interactions", "attributes"),
        *("model", "max_length", "hidden_units", "num_networks", "item_loss"),
        *("epochs", "batch_size", "learning_rate", "patience", "seed", "resume"),
        *("name", "recommend_seen", "export", "k"),
    ),
    "prepare": (*_LOG, "engine"),
    "validate": ("FILE", "json", *_LOG, "model", "preset"),
    "evaluate": ("run", "split", "protocol"),
    "tune": (
        *("dataset", "interactions", "attributes", "model", "preset", "config"),
        *("space", "trials", "budget", "jobs", "study", "output", "epochs", "seed"),
    ),
    "recommend": (
        *("run", "history", "user", "input", "output", "k"),
        *("protocol", "recommend_seen"),
    ),
    "export": (
        *("run", "network", "index", "verify", "saved_models_dir", "k"),
        *("protocol", "recommend_seen"),
    ),
}
_NAMES: dict[str, Iterable[str]] = {"model": MODELS, "encoder": ENCODERS}
_WORDS = {int: "N", float: "X", str: "TEXT", bool: "true|false"}
_TITLES = {"options": "This command", "positional arguments": "Arguments"}
_WIDEST_FLAG = 26


def meaning(key: str, text: str) -> str:
    """Adds to a setting's meaning what the tables know about it: the names to choose
    from, or the only encoder or model that reads it."""
    if key in _NAMES:
        return f"{text.removesuffix('.')}: {', '.join(_NAMES[key])}"
    encoders = [name for name, entry in ENCODERS.items() if key in entry.reads]
    for kind, names in (("encoder ", encoders), ("", readers(key))):
        if len(names) == 1:
            return f"of {kind}{names[0]}: {text}"
    return text


def invoked_as(program: str) -> str:
    """Returns how a command was called: `emkd train` may be `python train.py`."""
    script, command = Path(sys.argv[0]), program.split()[-1]
    if script.name == f"{command}.py":
        return f"python {script.name}"
    is_module = script.suffix == ".py" and script.parent.name == "emkd_tf"
    return f"python -m emkd_tf {command}" if is_module else program


def asked_page(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> str | None:
    """Returns the help page that a command line asks for, if any."""
    places = [i for i, argument in enumerate(arguments) if argument in FLAGS]
    if not places:
        return None
    return page(parser, is_whole="all" in arguments[places[0] + 1 : places[0] + 2])


def page(parser: argparse.ArgumentParser, *, is_whole: bool) -> str:
    """Writes a help page with the defaults that apply.

    Args:
        parser: of the command, whose name its `prog` ends with.
        is_whole: every setting, not only the main ones.
    """
    actions = [a for group in parser._action_groups for a in group._group_actions]
    foreign = _of_other_models(actions)
    settings = [
        action
        for action in actions
        if not isinstance(action, argparse._HelpAction) and action.dest not in foreign
    ]
    command = parser.prog.split()[-1]
    main = _MAIN.get(command)
    given = [_place(action) for action in settings if not action.option_strings]
    usage = " ".join([invoked_as(parser.prog), *given, "[--SETTING VALUE] ..."])
    lines = [f"usage: {usage}", ""]
    lines += [parser.description or "", ""]
    if main and not is_whole:
        by_name = {action.dest: action for action in settings}
        for name in main:
            lines += _entry(by_name[name]) if name in by_name else []
        lines += ["", f"--help all shows all {len(settings)} settings."]
    else:
        for group in parser._action_groups:
            shown = [a for a in group._group_actions if a in settings]
            if shown:
                entries = [line for action in shown for line in _entry(action)]
                title = group.title or ""
                lines += [f"{_TITLES.get(title, title)}:", *entries, ""]
    return "\n".join([*lines, parser.epilog or ""]).rstrip()


def _of_other_models(actions: Iterable[argparse.Action]) -> frozenset[str]:
    """Returns the settings that a model chosen instead of the default would refuse."""
    models = [action.default for action in actions if action.dest == "model"]
    chosen = set(models) & set(MODELS) - {DEFAULT_MODEL}
    return frozenset().union(*map(unread, chosen))


def _entry(action: argparse.Action) -> list[str]:
    """A flag, what it means and its default, in lines as wide as the terminal."""
    flag = f"  {_place(action)}"
    if action.option_strings:
        flag = f"  {action.option_strings[-1].replace('_', '-')}{_word(action)}"
    meaning = " ".join((action.help or "").split()).removesuffix(".")
    default = None if action.nargs == 0 else action.default
    if default is not None and default != argparse.SUPPRESS and default != []:
        shown = str(default).lower() if isinstance(default, bool) else default
        meaning += f" [{shown}]"
    width = max(40, min(100, shutil.get_terminal_size().columns))
    indent = " " * _WIDEST_FLAG
    wrapped = textwrap.wrap(
        meaning, width, initial_indent=indent, subsequent_indent=indent
    )
    if len(flag) < _WIDEST_FLAG - 1 and wrapped:
        wrapped[0] = flag.ljust(_WIDEST_FLAG) + wrapped[0].lstrip()
        return wrapped
    return [flag, *wrapped]


def _place(action: argparse.Action) -> str:
    """Returns the placeholder of an argument without a flag."""
    return str(action.metavar or action.dest)


def _word(action: argparse.Action) -> str:
    """Returns the placeholder of a flag's value, if it takes one."""
    if action.nargs == 0:
        return ""
    hint: Any = getattr(action, "_typehint", None) or action.type or str
    if choices_of(hint):
        return " NAME"
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = typing.get_args(hint)[0]
    return " " + _WORDS.get(hint, "VALUE")
