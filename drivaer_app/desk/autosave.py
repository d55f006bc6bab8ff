"""Studies that outlive a crash: written aside while open, offered again when their program is gone.

Each session holds a lock on a file of its own. The system drops the lock with the process, however it ended, so an
autosaved study whose lock can be had belongs to nobody any more.
"""

from __future__ import annotations

import logging
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from data.errors import DrivAerError
from drivaer_app.desk.study_file import SavedStudy, read_study, write_study
from drivaer_app.files import STUDY_SUFFIX

_log = logging.getLogger(__name__)


def autosave_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("drivaer", appauthor=False) / "autosave"


@dataclass(frozen=True)
class Leftover:
    """A study that a session left behind. saved_at: seconds since the epoch."""

    file: Path
    saved_at: float

    def read(self) -> SavedStudy:
        return read_study(self.file)

    def discard(self) -> None:
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".lock").unlink(missing_ok=True)


class Autosave:
    """One session's copy of its study."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or autosave_folder()
        self.file = self.folder / f"{uuid.uuid4().hex[:12]}{STUDY_SUFFIX}"
        self._lock: IO[bytes] | None = None

    def write(self, study: SavedStudy) -> None:
        """Keep this state. A disk that takes nothing is noted in the log: it must not stop the work."""
        try:
            if self._lock is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = open(self.file.with_suffix(".lock"), "a+b")  # noqa: SIM115 - held until the session ends
                _try_lock(self._lock)
            write_study(self.file, study)
        except (OSError, DrivAerError) as error:
            _log.warning("the study could not be autosaved: %s", error)

    def clear(self) -> None:
        """Nothing to keep any more: saved, or closed on purpose."""
        self.file.unlink(missing_ok=True)

    def close(self) -> None:
        """The session ended well."""
        self.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            self.file.with_suffix(".lock").unlink(missing_ok=True)


def leftovers(folder: Path | None = None) -> list[Leftover]:
    """Studies of sessions that ended without closing them, the latest first."""
    folder = folder or autosave_folder()
    found = []
    for file in folder.glob(f"*{STUDY_SUFFIX}"):
        if not file.name.startswith(".") and not _is_held(file.with_suffix(".lock")):
            found.append(Leftover(file, file.stat().st_mtime))
    return sorted(found, key=lambda leftover: -leftover.saved_at)


def _is_held(lock: Path) -> bool:
    try:
        with open(lock, "r+b") as handle:
            return not _try_lock(handle)
    except FileNotFoundError:
        return False


def _try_lock(handle: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
