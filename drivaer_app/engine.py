"""A second process that reads meshes and runs networks, so that the window's own process never waits.

A thread would do for the waiting, but not for the stalls: importing torch, and numpy on half a million faces, hold the
interpreter's lock for tenths of a second. In its own process that work cannot stall the window, nor can a crash in a
native library take an open study along.
"""

from __future__ import annotations

import logging
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from data.errors import DrivAerError

_log = logging.getLogger(__name__)
# With -m or -c the working folder comes first on the path, and a data.py there would be taken for ours.
_START = "import sys; sys.path[:] = {path}; from {package}.engine_process import main; main()"


class Engine:
    """Calls functions in a process of its own, one after another. Started by the first call.

    environment: variables of that process besides this one's own.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._process: subprocess.Popen | None = None
        self._turn = threading.Lock()
        self._number = 0
        self._owes = False
        self._closed = False

    def call(self, function: Callable[..., Any], *arguments: Any, report: Callable[[float, str], None] | None = None):
        """What ``function(*arguments)`` returns there; its own exceptions are raised here.

        function: at a module's top level. report: given to it as the keyword ``report`` and called here with what it
        says; an exception that this raises gives the call up (the process finishes it, nobody hears the answer).
        Blocks; one call runs at a time. Raises DrivAerError where the process died.
        """
        with self._turn:
            try:
                return self._call(function, arguments, report)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
                status = self._end()
                if self._closed:
                    raise DrivAerError("the program is closing") from error
                _log.error("the engine's process ended with status %s", status, exc_info=error)
                what = f"the process that computes it ended unexpectedly (status {status})"
                raise DrivAerError(
                    what, fix="try again; if it happens again the file or its size may be the cause"
                ) from error

    def close(self) -> None:
        """End the process, also in the middle of a call."""
        self._closed = True
        self._end()

    def _call(self, function: Callable[..., Any], arguments: tuple, report: Callable[[float, str], None] | None):
        process = self._running()
        # What a call that was given up still says is heard first: while the process waits for its large answer to be
        # taken it takes no large task, and both would wait for ever.
        while self._owes:
            self._owes = pickle.loads(receive(process.stdout))[1] == "report"
        self._number += 1
        task = pickle.dumps((self._number, function, arguments, report is not None), protocol=5)
        send(process.stdin, task)
        self._owes = True
        while True:
            _, kind, content = pickle.loads(receive(process.stdout))
            if kind == "report":
                report(*content)
                continue
            self._owes = False
            if kind == "error":
                raise content
            return content

    def _running(self) -> subprocess.Popen:
        if self._closed:
            raise EOFError
        if self._process is None or self._process.poll() is not None:
            start = _START.format(path=ascii([str(place) for place in sys.path]), package=__package__)
            self._process = subprocess.Popen(
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Threads that spin while they wait take the cores that the window and other programs need.
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **self._environment},
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )
        return self._process

    def _end(self) -> int | None:
        process, self._process = self._process, None
        self._owes = False
        if process is None:
            return None
        process.kill()
        return process.wait()


def send(stream, message: bytes) -> None:
    """Write a message with its length before it."""
    stream.write(struct.pack("<Q", len(message)))
    stream.write(message)
    stream.flush()


def receive(stream) -> bytes:
    """The next message. Raises EOFError at the end of the stream."""
    (length,) = struct.unpack("<Q", _exactly(stream, 8))
    return _exactly(stream, length)


def _exactly(stream, n: int) -> bytes:
    message = stream.read(n)
    if len(message) < n:
        raise EOFError
    return message
