"""Files of named arrays, small: ``.npz`` whose members are LZMA-compressed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from data.replacing import replacing


def write_members(destination: str | Path, members: Mapping[str, np.ndarray]) -> None:
    """Write arrays; replaces ``destination`` whole or not at all. numpy reads it, and it is a quarter smaller."""
    with replacing(destination) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in members.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
