"""Checksums as a Dataverse spells them, and a zip's own."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data.control import Control

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
_BLOCK = 1 << 20


class Hasher(Protocol):
    """What adds up a checksum."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Crc32:
    """CRC-32 in the shape of hashlib's hashes."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


@dataclass(frozen=True)
class Checksum:
    """kind: MD5, SHA-1, SHA-256, SHA-512, or CRC-32 of a file out of a zip. value: lower-case hexadecimal."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def hasher(self) -> Hasher:
        if self.kind == "CRC-32":
            return Crc32()
        return hashlib.new(_ALGORITHMS[self.kind], usedforsecurity=False)

    def of_file(self, path: Path, control: Control) -> Checksum:
        """The same kind of checksum of a file on disk. Raises OSError, Cancelled."""
        hasher = self.hasher()
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                control.check()
                hasher.update(block)
        return Checksum(self.kind, hasher.hexdigest())


def checksum_of(kind: object, value: object) -> Checksum | None:
    """None where there is nothing to check by: no value, or a kind that nobody here can compute."""
    name = str(kind or "").upper().replace("_", "-")
    name = {"CRC32": "CRC-32", "SHA1": "SHA-1", "SHA256": "SHA-256", "SHA512": "SHA-512"}.get(name, name)
    text = str(value or "").strip().lower()
    if name not in (*_ALGORITHMS, "CRC-32") or not text:
        return None
    return Checksum(name, text)
