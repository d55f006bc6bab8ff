"""Names that a server chose, made into paths that stay inside of a folder on any system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_OURS = re.compile(r"(.*\.part(\.json)?|catalogue\.sqlite.*|\.drivaer.*)$", re.IGNORECASE)
_LONGEST = 180
"""Bytes of a name: file systems take 255, and the suffixes of unfinished files need room."""


def safe_path(*labels: str) -> PurePosixPath:
    """A relative path made of what a server calls a file and its folders.

    ``..``, drives, roots, characters and names that Windows reserves, control and direction-changing characters lose
    their meaning; other scripts stay. Two names that end alike here are told apart by ``distinct``.
    """
    words = [word for label in labels for word in re.split(r"[/\\]", label)]
    return PurePosixPath(*([_safe_name(word) for word in words if word.strip(" .")] or ["_"]))


def _safe_name(word: str) -> str:
    word = unicodedata.normalize("NFC", word)
    word = "".join("_" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in word)
    word = _FORBIDDEN.sub("_", word).strip(" ").rstrip(".")
    if _RESERVED.match(word) or _OURS.match(word):
        word = f"_{word}" if _RESERVED.match(word) else f"{word}_"
    encoded = word.encode()
    if len(encoded) <= _LONGEST:
        return word
    stem, dot, suffix = word.rpartition(".")
    suffix = f".{suffix}" if dot and len(suffix) <= 8 else ""
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    room = _LONGEST - len(suffix.encode()) - 9
    return f"{encoded[:room].decode(errors='ignore')}~{digest}{suffix}"


def distinct(path: PurePosixPath, taken: set[str], number: int) -> PurePosixPath:
    """``path``, or with ``number`` in its name where a file system without cases would see one that is ``taken``.

    taken: grows by the path.
    """
    while str(path).casefold() in taken:
        path = path.with_name(f"{path.stem}~{number}{path.suffix}")
    taken.add(str(path).casefold())
    return path
