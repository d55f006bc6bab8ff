"""The results of batches in one SQLite file: written car by car, never half, read by reports and by the next run.

A result belongs to a mesh's checksum and to settings; a file is where such a mesh was found. So a renamed copy shares
its result and a changed mesh gets a new one beside the old. SQLite's rollback journal makes each car whole or absent
whatever ends the process, and lets two processes write into one store in turn.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.batch.work import FIELDS, SUFFIXES, CarOutcome
from drivaer_app.drag_along import DragAlong
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings
from drivaer_app.results import Result
from drivaer_app.version import __version__

if TYPE_CHECKING:
    from gnn.model_config import ModelConfig

FILE = "results.sqlite"
FORMAT = 1
_APPLICATION = 0x64727642  # "drvB": tells a store from other SQLite files
_PATIENCE = 60.0  # seconds that another process may hold the file
_FOLDERS = {FIELDS: "fields"}
_LONGEST_STEM = 60

_SCHEMA = """
CREATE TABLE models (digest TEXT PRIMARY KEY, name TEXT NOT NULL, card TEXT NOT NULL, config TEXT NOT NULL);
CREATE TABLE settings (key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(digest), told TEXT NOT NULL);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, settings TEXT NOT NULL REFERENCES settings(key), baseline TEXT, started TEXT NOT NULL,
    version TEXT NOT NULL);
CREATE TABLE results (
    checksum TEXT, settings TEXT REFERENCES settings(key), predicted TEXT NOT NULL, version TEXT NOT NULL,
    record TEXT NOT NULL, result TEXT NOT NULL, drag_along BLOB, kept TEXT NOT NULL,
    PRIMARY KEY (checksum, settings));
CREATE TABLE files (
    path TEXT, settings TEXT REFERENCES settings(key), checksum TEXT, error TEXT NOT NULL, parameters TEXT NOT NULL,
    seen TEXT NOT NULL,
    PRIMARY KEY (path, settings));
"""


@dataclass(frozen=True, eq=False)
class StoredCar:
    """One file of a store: its result, or the line that says why there is none.

    result: on the settings' reference area; measured: the same on the area measured on the mesh.
    file: absolute, where it was found. record: as in batch.work.CarOutcome. All three are None after an error.
    drag_along: None without fields. kept: name of FIELDS, PICTURE or VIEW -> file.
    parameters: the design's, from tables beside the mesh. predicted: ISO 8601, UTC. version: of the program.
    """

    file: Path
    checksum: str | None
    error: str
    record: dict[str, Any] | None
    result: Result | None
    measured: Result | None
    drag_along: DragAlong | None
    kept: dict[str, Path]
    parameters: dict[str, float | str]
    predicted: str
    version: str


@dataclass(frozen=True, eq=False)
class Batch:
    """What a store knows of one choice of settings; cars are sorted by path. baseline: absolute, or None."""

    settings: PredictionSettings
    model: ModelIdentity
    cars: tuple[StoredCar, ...]
    baseline: Path | None
    started: str
    folder: Path = field(default=Path())

    @property
    def predicted(self) -> tuple[StoredCar, ...]:
        return tuple(car for car in self.cars if car.result is not None)

    @property
    def failed(self) -> tuple[StoredCar, ...]:
        return tuple(car for car in self.cars if car.result is None)


class Store:
    """A store's file, open. Use it in one thread; close it, or use it as a context."""

    def __init__(self, folder: Path, connection: sqlite3.Connection):
        self.folder = folder
        self._connection = connection

    @classmethod
    def create(cls, folder: str | Path) -> Store:
        """The store in a folder, made where there is none. Raises DrivAerError."""
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=folder) from error
        with _explained(folder / FILE):
            connection = _connect(folder / FILE)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in _SCHEMA.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
            _check(connection, folder / FILE)
        return cls(folder, connection)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """A store that is there: its folder or its file. Raises DrivAerError."""
        path = Path(path)
        file = path / FILE if path.is_dir() else path
        if not file.is_file():
            raise DrivAerError("holds no results of a batch", file=path, fix=f"make them: drivaer batch CARS -o {path}")
        with _explained(file):
            connection = _connect(file)
            _check(connection, file)
        return cls(file.parent, connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, settings: PredictionSettings, model: ModelIdentity, baseline: Path | None) -> None:
        """Note that a run with these settings starts; reports are about the last one unless told otherwise."""
        with self._writing() as write:
            columns = (
                model.digest,
                model.name,
                model.card,
                json.dumps(model.config.document() if model.config else {}),
            )
            write("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?)", columns)
            write(
                "INSERT OR IGNORE INTO settings VALUES (?, ?, ?)",
                (settings.key, model.digest, json.dumps(settings.to_json())),
            )
            write(
                "INSERT INTO runs (settings, baseline, started, version) VALUES (?, ?, ?, ?)",
                (settings.key, None if baseline is None else _stored(baseline), _now(), __version__),
            )

    def known(self, file: str | Path, settings: PredictionSettings, wants: tuple[str, ...]) -> str | None:
        """Checksum of the mesh that was here when its result was stored, with all that is wanted of it."""
        with _explained(self.folder / FILE):
            row = self._connection.execute(
                "SELECT checksum, kept FROM files JOIN results USING (checksum, settings)"
                " WHERE path = ? AND settings = ?",
                (_stored(file), settings.key),
            ).fetchone()
        if row is None:
            return None
        kept = self._kept(row["kept"])
        return row["checksum"] if all(name in kept and kept[name].is_file() for name in wants) else None

    def put(
        self,
        outcomes: Iterable[CarOutcome],
        settings: PredictionSettings,
        parameters: Mapping[Path, Mapping[str, float | str]],
    ) -> None:
        """Keep cars' outcomes, all of them on disk when this returns. parameters: by file. Raises DrivAerError.

        One transaction for those that came together: waiting for the disk is what a store spends its time with.
        """
        kept = [(o, {name: self._write(o, settings, name) for name in o.kept}) for o in outcomes]
        with self._writing() as write:
            for outcome, places in kept:
                if outcome.record is not None:
                    self._put_result(write, outcome, settings, places)
                design = json.dumps(dict(parameters.get(Path(outcome.file), {})))
                row = (_stored(outcome.file), settings.key, outcome.checksum, _writable(outcome.error), design, _now())
                write("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", row)

    def _put_result(
        self, write: Callable, outcome: CarOutcome, settings: PredictionSettings, places: dict[str, str]
    ) -> None:
        key = (outcome.checksum, settings.key)
        old = write("SELECT kept FROM results WHERE checksum = ? AND settings = ?", key).fetchone()
        kept = {**(json.loads(old["kept"]) if old else {}), **places}
        columns = (json.dumps(outcome.record), json.dumps(outcome.result), outcome.drag_along, json.dumps(kept))
        row = (*key, _now(), __version__, *columns)
        write("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def settings(self) -> list[PredictionSettings]:
        """All that were used, the last first."""
        with _explained(self.folder / FILE):
            rows = self._connection.execute(
                "SELECT told FROM settings JOIN runs ON runs.settings = settings.key GROUP BY key ORDER BY max(id) DESC"
            ).fetchall()
        return [PredictionSettings.from_json(json.loads(row["told"])) for row in rows]

    def batch(self, settings: PredictionSettings | None = None) -> Batch:
        """Everything stored under these settings, the last run's unless given. Raises DrivAerError for none."""
        if settings is None:
            used = self.settings()
            if not used:
                raise DrivAerError("holds no results yet", file=self.folder, fix="run a batch into it")
            settings = used[0]
        with _explained(self.folder / FILE):
            run = self._connection.execute(
                "SELECT * FROM runs WHERE settings = ? ORDER BY id DESC LIMIT 1", (settings.key,)
            ).fetchone()
            model = self._connection.execute(
                "SELECT * FROM models WHERE digest = ?", (settings.model_digest,)
            ).fetchone()
            cars = self._connection.execute(
                "SELECT * FROM files LEFT JOIN results USING (checksum, settings) WHERE settings = ? ORDER BY path",
                (settings.key,),
            ).fetchall()
        return Batch(
            settings,
            ModelIdentity(model["name"], model["digest"], model["card"], _config(model["config"])),
            tuple(self._car(row, settings) for row in cars),
            None if run["baseline"] is None else Path(os.fsdecode(run["baseline"])),
            run["started"],
            self.folder,
        )

    def _car(self, row: sqlite3.Row, settings: PredictionSettings) -> StoredCar:
        import numpy as np

        there = row["record"] is not None
        measured = Result.from_json(json.loads(row["result"])) if there else None
        along = row["drag_along"]
        return StoredCar(
            file=Path(os.fsdecode(row["path"])),
            checksum=row["checksum"],
            error=row["error"],
            record=json.loads(row["record"]) if there else None,
            result=measured and measured.on(settings.conditions),
            measured=measured,
            drag_along=None if along is None else DragAlong(*np.frombuffer(along, "<f4").reshape(3, -1)),
            kept=self._kept(row["kept"]) if there else {},
            parameters=json.loads(row["parameters"]),
            predicted=row["predicted"] or row["seen"],
            version=row["version"] or "",
        )

    def _write(self, outcome: CarOutcome, settings: PredictionSettings, name: str) -> str:
        """Write one kept file. Returns its place below the store's folder, with forward slashes."""
        folder = _FOLDERS.get(name, "pictures")
        (self.folder / folder).mkdir(exist_ok=True)
        place = f"{folder}/{_plain(outcome.file)}-{outcome.checksum[:8]}-{settings.key[:4]}{SUFFIXES[name]}"
        with replacing(self.folder / place) as unfinished:
            unfinished.write_bytes(outcome.kept[name])
        return place

    def _kept(self, stored: str) -> dict[str, Path]:
        return {name: self.folder / place for name, place in json.loads(stored).items()}

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """One transaction."""
        with _explained(self.folder / FILE), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection.execute


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _check(connection: sqlite3.Connection, file: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise DrivAerError("is no store of batch results", file=file, fix="give another folder")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != FORMAT:
        raise DrivAerError(f"store format {found} is not {FORMAT}", file=file, fix="update drivaer")


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """What SQLite says, as a user's error."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        fix = (
            "is another program writing to it, or the disk full?" if isinstance(error, sqlite3.OperationalError) else ""
        )
        raise DrivAerError(f"the results cannot be read or written ({error})", file=file, fix=fix) from error


def _plain(file: str) -> str:
    """A file's name as one that every system takes: no separators, no blanks, not long, and not empty."""
    stem = re.sub(r"[^\w.+=-]+", "_", Path(file).name.partition(".")[0], flags=re.ASCII).strip("._-")
    return stem[:_LONGEST_STEM] or "car"


def _stored(path: str | Path) -> str | bytes:
    """A path as SQLite takes it: text, or bytes where the name is no UTF-8."""
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _config(stored: str) -> ModelConfig | None:
    from gnn.model_config import ModelConfig

    document = json.loads(stored)
    return ModelConfig.of_document(document) if document else None
