"""Noticing that mesh files were saved again, or that new ones came into a folder.

By looking every second at size and time of change: it works on every system and on network drives, where change
notifications do not, and says of a file that is still being written what it needs to say: not yet.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from data.errors import DrivAerError
from data.formats import find_meshes

_log = logging.getLogger(__name__)

Stamp = tuple[int, int]


class Watch:
    """Looks at files and folders in a thread of its own.

    on_change: called there with the files that changed and then lay still for one look, and new ones in the folders.
    """

    def __init__(self, on_change: Callable[[list[Path]], None], interval: float = 1.0):
        self.interval = interval
        self._on_change = on_change
        self._known: dict[Path, Stamp] = {}
        self._moving: dict[Path, Stamp] = {}
        self._folders: tuple[Path, ...] = ()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def files(self, files: Iterable[Path], folders: Iterable[Path] = ()) -> None:
        """What to look at from now on; files that were looked at before keep their state."""
        with self._lock:
            stamps = {file: self._known.get(file) or _stamp(file) for file in files}
            for folder in folders:
                if folder not in self._folders:
                    stamps |= {file: _stamp(file) for file in _meshes(folder) if file not in stamps}
                else:
                    stamps |= {file: s for file, s in self._known.items() if file.parent == folder}
            self._known = {file: stamp for file, stamp in stamps.items() if stamp is not None}
            self._absent = {file for file, stamp in stamps.items() if stamp is None}
            self._folders = tuple(folders)

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._stop.set()

    def look(self) -> list[Path]:
        """One look; what changed since the last that was reported, and has the size and time of the previous look."""
        with self._lock:
            files = {*self._known, *self._absent, *(f for folder in self._folders for f in _meshes(folder))}
            settled = []
            for file in sorted(files):
                stamp = _stamp(file)
                if stamp is None or stamp == self._known.get(file):
                    self._moving.pop(file, None)
                elif stamp == self._moving.get(file) and stamp[0] > 0:
                    self._known[file] = stamp
                    self._absent.discard(file)
                    del self._moving[file]
                    settled.append(file)
                else:
                    self._moving[file] = stamp
            return settled

    _absent: set[Path] = frozenset()

    def _run(self) -> None:
        while not self._stop.wait(self.interval):
            try:
                if settled := self.look():
                    self._on_change(settled)
            except Exception:
                _log.exception("looking at the watched files failed; going on")


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _meshes(folder: Path) -> list[Path]:
    try:
        return find_meshes(folder)
    except DrivAerError:
        return []
