"""The one exception family for mistakes that a user can cause and mend."""

from __future__ import annotations

from pathlib import Path


class DrivAerError(Exception):
    """What is wrong, in which file, what to do.

    The command line prints ``str(error)`` as one line; the window shows it in place.
    Anything that is not a ``DrivAerError`` is a bug of ours and keeps its traceback.
    """

    def __init__(self, what: str, *, file: str | Path | None = None, fix: str = ""):
        self.what = " ".join(str(what).split())
        self.file = None if file is None else Path(file)
        self.fix = " ".join(fix.split())
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message on one line: ``file: what; fix``."""
        start = f"{self.file}: " if self.file is not None else ""
        end = f"; {self.fix}" if self.fix else ""
        return f"{start}{self.what}{end}"

    def __str__(self) -> str:
        return self.line


class MeshError(DrivAerError):
    """A mesh file that cannot be read, or holds nothing that can be predicted."""


class ModelError(DrivAerError):
    """A model folder or weights file that cannot be used."""
