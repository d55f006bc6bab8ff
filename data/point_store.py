"""Clouds of points kept on disk: sampled once, then read by training and evaluation as fast as the disk is.

A store is a folder of one file a quantity, in which every cloud has a record of the same size, mapped into memory; and
an SQLite index that says which record is whose. It belongs to one set of settings, whose hash is the folder's name:
with other settings it is another folder, so nothing stale is ever read. A record is in the index once it is wholly
written, together with the checksum of the mesh that it was sampled from.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from data.errors import DrivAerError

SAMPLER = 1
"""Count up when ``data.sampling`` or what comes before it gives other points for the same mesh."""

_FIELDS = {"points": ("<f4", 3), "normals": ("<f2", 3), "cp": ("<f4", 1)}
_INDEX = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS clouds (
    design TEXT PRIMARY KEY, record INTEGER NOT NULL, checksum TEXT NOT NULL, size INTEGER, mtime_ns INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS next_record (record INTEGER NOT NULL);
INSERT INTO next_record SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM next_record);
COMMIT;
"""


class Layout(Protocol):
    """What a store keeps of each of its cars."""

    @property
    def n_points(self) -> int: ...

    @property
    def key(self) -> str:
        """Name of the store's folder: changes with everything that changes what is kept."""

    @property
    def fields(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each quantity."""


@dataclass(frozen=True)
class PointSettings:
    """What is kept of each design.

    n_points: in a cloud; fewer are a prefix of it, which is even over the surface too. draw: which of many samples.
    normals: also keep them. pressure: also keep Cp at the points; NaN where a design has none.
    """

    n_points: int = 10_000
    draw: int = 0
    normals: bool = False
    pressure: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.n_points <= 1_000_000:
            raise DrivAerError(f"{self.n_points} points are out of range", fix="choose from 1 to 1,000,000")

    @property
    def key(self) -> str:
        """Name of the store's folder: says the settings, and changes with everything that changes the points."""
        text = json.dumps({**asdict(self), "sampler": SAMPLER}, sort_keys=True)
        extras = "n" * self.normals + "p" * self.pressure
        return f"{self.n_points}{extras}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def fields(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each quantity that is kept."""
        wanted = {"points": True, "normals": self.normals, "cp": self.pressure}
        kept = {name: _FIELDS[name] for name, on in wanted.items() if on}
        return {name: (kind, (self.n_points, width)) for name, (kind, width) in kept.items()}


@dataclass(frozen=True)
class MeshStamp:
    """Which files a cloud is of: SHA-256 of their bytes, their size together and the latest time."""

    checksum: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, eq=False)
class StoredCloud:
    """A design's points, read-only, as they lie on disk.

    points: (N, 3) float32 m, car frame. normals: (N, 3) float16, out of the car; cp: (N,) float32; None if not kept.
    """

    design: str
    points: np.ndarray
    normals: np.ndarray | None
    cp: np.ndarray | None


class PointStore:
    """A store, open. Reading needs no locks; any number of processes may write to different designs at once.

    folder: that stores of all settings lie in. settings: or any other layout.
    """

    def __init__(self, folder: str | Path, settings: Layout):
        self.settings = settings
        self.path = Path(folder) / settings.key
        self._records: dict[str, tuple[int, MeshStamp]] = {}
        self._maps: dict[str, np.ndarray] = {}
        self._connection: sqlite3.Connection | None = None
        self.refresh()

    def __getstate__(self) -> dict[str, object]:
        """What another process that reads needs, such as a loader's worker."""
        return {**self.__dict__, "_maps": {}, "_connection": None}

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, design: object) -> bool:
        return design in self._records

    @property
    def designs(self) -> list[str]:
        """Ids of all that have a cloud, sorted."""
        return sorted(self._records)

    def stamp(self, design: str) -> MeshStamp | None:
        """Which mesh the design's cloud is of; None where it has none."""
        found = self._records.get(design)
        return None if found is None else found[1]

    def refresh(self) -> None:
        """Look again at what there is: another process may have added to it."""
        self._maps = {}
        index = self.path / "index.sqlite"
        if not index.is_file():
            self._records = {}
            return
        with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=60.0)) as connection:
            rows = connection.execute("SELECT design, record, checksum, size, mtime_ns FROM clouds").fetchall()
        self._records = {design: (record, MeshStamp(*stamp)) for design, record, *stamp in rows}

    def cloud(self, design: str, n_points: int | None = None) -> StoredCloud:
        """A design's cloud, or its first ``n_points``. Raises DrivAerError where there is none, or not all of it."""
        n = self.settings.n_points if n_points is None else n_points
        if n > self.settings.n_points:
            fix = f"run 'data prepare --points {n}'"
            raise DrivAerError(f"the store keeps {self.settings.n_points} points a design, not {n}", fix=fix)
        arrays = {name: self.array(design, name)[:n] for name in self.settings.fields}
        cp = arrays.get("cp")
        return StoredCloud(design, arrays["points"], arrays.get("normals"), None if cp is None else cp[:, 0])

    def array(self, design: str, name: str) -> np.ndarray:
        """One quantity of a design as it lies on disk, read-only. Raises DrivAerError where there is none."""
        if design not in self._records:
            fix = "run 'data prepare' with these settings"
            raise DrivAerError(f"there are no points of {design}", file=self.path, fix=fix)
        return self._map(name)[self._records[design][0]]

    def put(self, design: str, arrays: Mapping[str, np.ndarray], stamp: MeshStamp) -> None:
        """Keep a cloud; see ``put_many``."""
        self.put_many([(design, arrays, stamp)])

    def put_many(self, clouds: Sequence[tuple[str, Mapping[str, np.ndarray], MeshStamp]]) -> None:
        """Keep clouds: design, an array for each of the settings' fields, and what they are of.

        They replace the designs' former ones, but lie in new records: whoever reads a former one goes on doing so.
        Raises DrivAerError where the disk is full or cannot be written.
        """
        try:
            first = self._new_records(len(clouds))
            for name, (kind, shape) in self.settings.fields.items():
                content = b"".join(np.ascontiguousarray(c[1][name], kind).reshape(shape).tobytes() for c in clouds)
                self._file(name).touch()
                with self._file(name).open("r+b") as file:
                    file.seek(first * (len(content) // len(clouds)))
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            kept = {design: (first + i, stamp) for i, (design, _, stamp) in enumerate(clouds)}
            rows = [(design, record, s.checksum, s.size, s.mtime_ns) for design, (record, s) in kept.items()]
            index = self._index()
            index.execute("BEGIN IMMEDIATE")
            index.executemany("INSERT OR REPLACE INTO clouds VALUES (?, ?, ?, ?, ?)", rows)
            index.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise DrivAerError(f"points cannot be kept ({error})", file=self.path) from error
        self._records |= kept
        self._maps = {}

    def restamp(self, design: str, stamp: MeshStamp) -> None:
        """The design's mesh has another time but the same content."""
        row = (stamp.size, stamp.mtime_ns, design)
        self._index().execute("UPDATE clouds SET size = ?, mtime_ns = ? WHERE design = ?", row)
        self._records[design] = (self._records[design][0], stamp)

    def _new_records(self, n: int) -> int:
        """The first of n records that nobody has had."""
        index = self._index()
        index.execute("BEGIN IMMEDIATE")
        first = index.execute("SELECT record FROM next_record").fetchone()[0]
        index.execute("UPDATE next_record SET record = record + ?", (n,))
        index.execute("COMMIT")
        return first

    def _index(self) -> sqlite3.Connection:
        """The index, to be written; made where there is none."""
        if self._connection is None:
            self.path.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path / "index.sqlite", timeout=60.0, isolation_level=None)
            self._connection.executescript(_INDEX)
        return self._connection

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.bin"

    def _map(self, name: str) -> np.ndarray:
        """(records, *shape) of all records that are wholly there."""
        if name not in self._maps:
            kind, shape = self.settings.fields[name]
            n = self._file(name).stat().st_size // (np.dtype(kind).itemsize * math.prod(shape))
            last = max((record for record, _ in self._records.values()), default=-1)
            if n <= last:
                raise DrivAerError("the store is cut short", file=self._file(name), fix="delete it and prepare again")
            self._maps[name] = np.memmap(self._file(name), kind, "r", shape=(n, *shape))
        return self._maps[name]


def stores_in(folder: str | Path) -> Sequence[Path]:
    """Stores of all settings in a folder."""
    return sorted(p.parent for p in Path(folder).glob("*/index.sqlite"))
