"""stdout for results and nothing else, stderr for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TextIO

from data.errors import DrivAerError


class BadUsage(Exception):
    """A command line that parses but makes no sense; ends with status 2."""


def say(text: str) -> None:
    """One line to the person at the terminal, on stderr."""
    print(f"drivaer: {text}", file=sys.stderr, flush=True)


@contextmanager
def results_only() -> Iterator[TextIO]:
    """The real stdout as a text file, while everything else that prints to stdout lands on stderr.

    C++ libraries write to file descriptor 1 behind Python's back (Open3D and VTK warn there), which would
    break a stream of JSON lines; so the descriptor itself is turned.
    """
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    results = open(real, "w", encoding="utf-8", errors="backslashreplace", newline="\n", closefd=False)  # noqa: SIM115
    try:
        yield results
        results.flush()
    finally:
        os.dup2(real, 1)
        os.close(real)


class Waiting:
    """What is being done right now, on stderr: a spinner at a terminal, else a line for each file of several."""

    def __init__(self, n_files: int):
        from rich.console import Console

        self._console = Console(stderr=True)
        self._n_files = n_files
        self._n_done = 0

    def on(self, what: str) -> AbstractContextManager:
        return self._console.status(what) if self._console.is_terminal else nullcontext()

    def on_file(self, name: str) -> AbstractContextManager:
        self._n_done += 1
        line = name if self._n_files == 1 else f"[{self._n_done}/{self._n_files}] {name}"
        if not self._console.is_terminal and self._n_files > 1:
            say(line)
        return self.on(line.replace("[", "\\["))


class StageProgress:
    """How far long work is, on stderr: a bar and the time left at a terminal, else a line for each tenth of a stage."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (
            "{task.description}",
            BarColumn(),
            "{task.completed}/{task.total}",
            TextColumn("{task.fields[loss]}"),
        )
        self._bars = Progress(*columns, TimeRemainingColumn(), console=console) if console.is_terminal else None
        self._stage, self._task, self._tenths = "", None, 0

    def __enter__(self) -> StageProgress:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._bars:
            self._bars.console.print(f"drivaer: {text}", highlight=False, markup=False)
        else:
            say(text)

    def report(self, stage: str, done: int, total: int, loss: float | None = None) -> None:
        """stage: what is being done; how much of it, of how much; loss, where there is one."""
        loss_text = "" if loss is None else f"loss {loss:.4f}"
        if stage != self._stage:
            self._stage, self._tenths = stage, 0
            self._task = self._bars.add_task(stage, total=total, loss="") if self._bars else None
        if self._bars:
            self._bars.update(self._task, completed=done, loss=loss_text)
        elif 10 * done // total > self._tenths:
            self._tenths = 10 * done // total
            say(f"{stage}: {done} of {total}  {loss_text}".rstrip())


@contextmanager
def error_as_json(file: object, stdout: TextIO, *, wanted: bool) -> Iterator[None]:
    """Where JSON is wanted, a failure is an object on stdout too, besides its line on stderr."""
    try:
        yield
    except DrivAerError as error:
        if wanted:
            print(json.dumps({"file": str(file), "status": "error", "error": error.line}), file=stdout, flush=True)
        raise
