"""What lies in a folder: every file with its size and time, and what is in its archives, without reading contents."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from data.errors import DrivAerError

UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".aria2", ".incomplete")


@dataclass(frozen=True)
class FileEntry:
    """A file below the walked folder. path: relative, with forward slashes."""

    path: str
    size: int
    mtime_ns: int

    @cached_property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @cached_property
    def suffix(self) -> str:
        """Lower case, with the dot."""
        return os.path.splitext(self.name)[1].lower()


def walk(folder: Path, warnings: list[str]) -> Iterator[FileEntry]:
    """All files below a folder but hidden ones, in a stable order; folders that cannot be opened become warnings.

    Linked folders are followed once, wherever they point.
    """
    seen: set[tuple[int, int]] = set()
    todo = [(folder, "")]
    while todo:
        here, prefix = todo.pop()
        try:
            stat = os.stat(here)
            if stat.st_ino and (stat.st_dev, stat.st_ino) in seen:
                continue
            seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda e: e.name)
        except OSError as error:
            warnings.append(f"{prefix or '.'}: cannot be opened ({error.strerror})")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{prefix}{entry.name}"
            if not _is_text(path):
                warnings.append(f"{path.encode(errors='backslashreplace').decode()}: its name is no text; rename it")
                continue
            try:
                if entry.is_dir():
                    folders.append((here / entry.name, f"{path}/"))
                elif entry.is_file():
                    stat = entry.stat()
                    yield FileEntry(path, stat.st_size, stat.st_mtime_ns)
            except OSError as error:
                warnings.append(f"{path}: cannot be looked at ({error.strerror})")
        todo += reversed(folders)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # bytes of a name that are no UTF-8
        return False
    return True


def members(archive: Path) -> list[tuple[str, int]]:
    """Names and sizes of a zip's files, from its directory alone. Raises DrivAerError for one that has none."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return [(m.filename, m.file_size) for m in opened.infolist() if not m.is_dir()]
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        if _begins_like_a_zip(archive):
            fix = "it is not wholly copied or downloaded: fetch it again"
            raise DrivAerError("is cut short: its directory, at the end, is missing", file=archive, fix=fix) from error
        raise DrivAerError("is no zip file", file=archive, fix="fetch it again") from error
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror or error})", file=archive) from error


def is_cut_short(stl: Path, size: int) -> bool:
    """Whether a binary STL is shorter than its header promises; opened only where its size is none that an STL has."""
    if (size - 84) % 50 == 0:
        return False
    try:
        with stl.open("rb") as file:
            head = file.read(84)
    except OSError:
        return False
    if len(head) < 84 or head.isascii() and head.lstrip().startswith(b"solid"):
        return False  # ASCII
    return size < 84 + 50 * int.from_bytes(head[80:], "little")


def _begins_like_a_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"
