"""How fast ``data verify`` hashes, and what a download costs beside its bytes.

``python benchmarks/verifying.py``
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.dataverse_server import Dataverse, Faults, Stored
from benchmarks.download_faults import DOI, fetch
from data.catalogue import CorpusFile, open_catalogue
from data.download.integrity import WORKERS, verify

_FILE_BYTES = 128 << 20
_N_FILES = 4
_N_SMALL = 500
_SMALL_BYTES = 200_000


def hashing(folder: Path, kind: str, workers: int) -> float:
    """GB for a second of processor time, the files in memory already; the disk is what it is."""
    with open_catalogue(folder) as catalogue:
        files = [path for path in sorted(folder.iterdir()) if path.suffix == ".zip"]
        algorithm = kind.replace("-", "").lower()
        rows = []
        for path in files:
            stat = path.stat()
            value = hashlib.new(algorithm, path.read_bytes()).hexdigest()
            rows.append(CorpusFile(path.name, "archive", None, "", stat.st_size, stat.st_mtime_ns, kind, value))
        catalogue.upsert_files(rows)
        times = []
        for _ in range(3):
            started = time.process_time()
            assert verify(catalogue, workers=workers).is_right
            times.append(time.process_time() - started)
    return len(files) * _FILE_BYTES / min(times) / 1e9


def many_small(folder: Path) -> float:
    """Files for a second of processor time, the server's own on loopback included; each is redirected to a store."""
    stored = [Stored(i, f"F_D_WM_WW_{i:04d}.vtk", os.urandom(_SMALL_BYTES)) for i in range(1, _N_SMALL + 1)]
    with Dataverse({DOI: stored}, Faults(redirects=True)).serving() as served:
        started = time.process_time()
        assert fetch(served, folder).is_complete
        return _N_SMALL / (time.process_time() - started)


def table() -> str:
    rows = ["| what | rate |", "|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i in range(_N_FILES):
            (folder / f"{i}.zip").write_bytes(os.urandom(_FILE_BYTES))
        for kind in ("MD5", "SHA-1", "SHA-256"):
            for workers in sorted({1, WORKERS}):
                rate = hashing(folder, kind, workers)
                at_once = f"{workers} file{'s' * (workers > 1)} at once"
                rows.append(f"| data verify, {kind}, {at_once} | {rate:.2f} GB a core-second |")
    with tempfile.TemporaryDirectory() as name:
        rows.append(
            f"| data get, files of 0.2 MB from loopback, checked | {many_small(Path(name)):.0f} a core-second |"
        )
    return "\n".join(rows)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(table())


if __name__ == "__main__":
    main()
