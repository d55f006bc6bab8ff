"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import DrivAerError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name beside ``path`` to write to, which replaces ``path`` at the end; an error changes nothing.

    Raises DrivAerError where the file cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        fix = "" if path.parent.is_dir() else "make the folder first"
        raise DrivAerError(f"cannot be written ({error.strerror or error})", file=path, fix=fix) from error
    finally:
        unfinished.unlink(missing_ok=True)
