"""The command line: which commands there are, and how every one of them ends.

Imports nothing heavy: ``--help`` answers at once, torch, open3d and vtk load when a command works with them.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from data.errors import DrivAerError
from drivaer_app.cli.batch import batch
from drivaer_app.cli.compare import compare
from drivaer_app.cli.corpus import corpus
from drivaer_app.cli.data import data
from drivaer_app.cli.desktop import desktop
from drivaer_app.cli.evaluate import evaluate
from drivaer_app.cli.models import models
from drivaer_app.cli.morph import morph
from drivaer_app.cli.predict import predict
from drivaer_app.cli.rank import rank
from drivaer_app.cli.report import report
from drivaer_app.cli.shapes import shapes
from drivaer_app.cli.simulate import simulate
from drivaer_app.cli.terminal import BadUsage, say
from drivaer_app.cli.train import train
from drivaer_app.cli.verify import verify
from drivaer_app.cli.window import window

# The family of typer's own usage errors; it shows only the leaves of it.
_UsageError = typer.BadParameter.__mro__[1]

_INTERRUPTED = 130
_BROKEN_PIPE = 141

_log = logging.getLogger(__name__)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(predict)
app.command()(batch)
app.command()(rank)
app.command()(report)
app.command()(compare)
app.command()(shapes)
app.command()(morph)
app.command()(simulate)
app.command()(verify)
app.command()(train)
app.command()(evaluate)
app.command()(window)
app.command()(desktop)
app.add_typer(corpus, name="corpus")
app.add_typer(models, name="models")
app.add_typer(data, name="data")


def _say_version(asked: bool) -> None:
    if asked:
        from drivaer_app.version import __version__

        typer.echo(f"drivaer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the log and tracebacks on stderr.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and leave.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Aerodynamic drag and surface pressure of a car, predicted from its mesh."""
    from drivaer_app.log import start_logging

    start_logging(debug=debug)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(arguments)
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone, which is its right; what is left to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _BROKEN_PIPE
    except DrivAerError as error:
        say(error.line)
        return 1
    except Exception as error:
        from drivaer_app.log import log_bug

        say(log_bug(_log, error))
        return 1


def _run(arguments: list[str]) -> int:
    arguments = arguments or ["window"]
    try:
        status = app(args=_debug_first(arguments), prog_name="drivaer", standalone_mode=False) or 0
    except typer.Exit as done:
        status = done.exit_code
    except (_UsageError, BadUsage) as error:
        say(_usage_line(error, arguments))
        return 2
    if status == _INTERRUPTED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return status


def _debug_first(arguments: list[str]) -> list[str]:
    """``predict car.stl --debug`` means the same as ``--debug predict car.stl``."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--debug" not in own:
        return arguments
    return ["--debug", *(a for a in own if a != "--debug"), *arguments[len(own) :]]


def _usage_line(error: Exception, arguments: list[str]) -> str:
    """What is wrong, the nearest right thing and where to read on, in one line."""
    message = error.format_message() if isinstance(error, _UsageError) else str(error)
    message = " ".join(message.replace("Value error, ", "").split()).rstrip(".")
    if "Did you mean" not in message:
        message += _nearest_choice(message, arguments)
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path if context else f'drivaer {_command(arguments)}'} --help)"


def _command(arguments: list[str]) -> str:
    """The subcommand that was asked for, with its group where it is in one."""
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    groups = {group.name for group in app.registered_groups}
    for word, after in zip(arguments, [*arguments[1:], ""], strict=True):
        if word in known:
            return word
        if word in groups:
            return f"{word} {after}".rstrip() if not after.startswith("-") else word
    return ""


def _nearest_choice(message: str, arguments: list[str]) -> str:
    """For "'milimetre' is not one of 'm', 'mm'": which of them it was likely to be."""
    wrong, _, choices = message.partition(" is not one of ")
    if not choices:
        return ""
    given = re.findall(r"'([^']*)'", wrong)[-1]
    near = difflib.get_close_matches(given, re.findall(r"'([^']*)'", choices), n=1, cutoff=0.4)
    return f". Did you mean {near[0]}?" if near else ""
