"""Logging to a small file, so that a bug keeps its traceback while the user reads one line."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler

from drivaer_app.paths import log_file

_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_KEEP_BYTES = 1_000_000


def start_logging(*, debug: bool = False) -> None:
    """Log to the log file, and with ``debug`` also to stderr. A log that cannot be written is done without."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    handlers: list[logging.Handler] = []
    try:
        path = log_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(RotatingFileHandler(path, maxBytes=_KEEP_BYTES, backupCount=1, encoding="utf-8", delay=True))
    except OSError:
        handlers.append(logging.NullHandler())
    if debug:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(handler)


def log_bug(log: logging.Logger, error: BaseException) -> str:
    """Keep the traceback of the exception being handled; returns the one line that the user reads."""
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    reason = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {reason} (this is a bug in drivaer; the traceback is in {log_file()})"
