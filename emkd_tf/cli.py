"""The command line: `emkd COMMAND ...`.

TensorFlow loads only when a command needs it, so `emkd --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from emkd_tf import __version__
from emkd_tf.commands.compare import compare
from emkd_tf.commands.ensemble import ensemble
from emkd_tf.commands.evaluate import evaluate
from emkd_tf.commands.experiments import experiments
from emkd_tf.commands.export import export
from emkd_tf.commands.prepare import prepare
from emkd_tf.commands.recommend import recommend
from emkd_tf.commands.report import report
from emkd_tf.commands.terminal import say, two_columns
from emkd_tf.commands.train import train
from emkd_tf.commands.tune import tune
from emkd_tf.commands.validate import validate
from emkd_tf.config import nearest
from emkd_tf.config.help import FLAGS
from emkd_tf.errors import USER_ERRORS, InputError

_INTERRUPTED = 130
_NOT_READ = 141  # a shell's code for a program ended by a closed pipe


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    command.__name__: command
    for command in (
        *(validate, prepare, train, ensemble),
        *(evaluate, compare, report, recommend, export),
        *(experiments, tune),
    )
}


def _overview() -> str:
    commands = two_columns({name: str(COMMANDS[name].__doc__) for name in COMMANDS})
    return "\n".join(
        [
            *("usage: emkd COMMAND [--SETTING VALUE] ...", "", *commands, ""),
            "emkd COMMAND --help, or emkd help COMMAND, shows its main settings, and",
            "--help all every one. emkd --version prints the version.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in FLAGS:
        arguments = ["help"]
    command, *rest = arguments
    if command == "help" and rest:
        command, rest = rest[0], ["--help", *rest[1:]]
    try:
        if command in ("--version", "help"):
            say(f"emkd {__version__}" if command == "--version" else _overview())
        elif command not in COMMANDS:
            hint = nearest(command, COMMANDS)
            raise InputError(f"Unknown command `{command}`. {hint}")
        else:
            COMMANDS[command](rest)
    except USER_ERRORS as error:
        print(f"emkd: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        print(f"emkd: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return _NOT_READ
    return 0


def _discard_output() -> None:
    """Keeps Python from writing once more, on exit, to a pipe that nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
