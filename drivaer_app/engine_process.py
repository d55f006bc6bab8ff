"""What the engine's process does: take a task from stdin, answer on stdout, until stdin ends."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys

from data.errors import DrivAerError
from drivaer_app.engine import receive, send
from drivaer_app.log import log_bug, start_logging

_log = logging.getLogger(__name__)
_BEHIND = 2  # niceness: the window's own process comes first where both want the same core


def main() -> None:
    start_logging()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, and ends both
    if hasattr(os, "nice"):
        os.nice(_BEHIND)
    # Open3D and VTK print to descriptor 1 behind Python's back; the answers get a descriptor of their own.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            number, function, arguments, reports = pickle.loads(receive(sys.stdin.buffer))
        except EOFError:
            return
        try:
            _answer(answers, number, function, arguments, reports)
        except BrokenPipeError:  # whoever asked has been killed
            return


def _answer(answers, number: int, function, arguments: tuple, reports: bool) -> None:
    def say(kind: str, content) -> None:
        send(answers, pickle.dumps((number, kind, content), protocol=5))

    named = {"report": lambda *progress: say("report", progress)} if reports else {}
    try:
        say("answer", function(*arguments, **named))
    except DrivAerError as error:
        say("error", error)
    except Exception as error:
        say("error", DrivAerError(log_bug(_log, error)))
