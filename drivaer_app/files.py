"""Files as users name them: what a study's is called, their place from the root, the checksum of what is in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from data.errors import MeshError

STUDY_SUFFIX = ".drivaer"


def absolute(file: str | Path) -> Path:
    """The path from the root, links left as the user named them."""
    return Path(os.path.abspath(file))


def checksum_of(file: str | Path) -> str:
    """SHA-256 of a file's bytes. Raises MeshError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise MeshError(f"cannot be read ({error.strerror})", file=file, fix="check the name") from error
    return digest.hexdigest()
