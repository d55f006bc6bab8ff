"""The catalogue's SQLite file: opened, read, written.

Any number of processes may read and write it at once: each change is one transaction, and who finds it locked waits.
It survives a kill at any time, as SQLite does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

from data.catalogue.records import CorpusFile, Design
from data.errors import DrivAerError

CATALOGUE_NAME = "catalogue.sqlite"
SCHEMA_VERSION = 1
_APPLICATION_ID = 0x44726976  # "Driv": tells a catalogue from other SQLite files
_BUSY_SECONDS = 60.0
_NOT_A_DATABASE = ("file is not a database", "malformed", "file is encrypted")

_SCHEMA = """
CREATE TABLE designs (
    id TEXT PRIMARY KEY,
    corpus TEXT NOT NULL,
    design_class TEXT,
    style TEXT,
    underbody TEXT,
    wheels TEXT,
    cd REAL, cd_std REAL, cl REAL, cl_std REAL, clf REAL, clr REAL,
    area REAL,
    cd_first REAL,
    label_version TEXT,
    split TEXT,
    notes TEXT NOT NULL DEFAULT '',
    parameters TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT NOT NULL,
    member TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,
    design TEXT,
    size INTEGER,
    mtime_ns INTEGER,
    checksum_type TEXT,
    checksum TEXT,
    checked_ns INTEGER,
    url TEXT,
    datafile_id TEXT,
    state TEXT NOT NULL DEFAULT 'here',
    PRIMARY KEY (path, member)
) WITHOUT ROWID;
CREATE INDEX files_of_design ON files (design, kind);
CREATE INDEX files_of_kind ON files (kind, state);
CREATE TABLE tags (
    design TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (design, tag)
) WITHOUT ROWID;
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""

_DESIGN_COLUMNS = tuple(f.name for f in fields(Design))
_FILE_COLUMNS = tuple(f.name for f in fields(CorpusFile))


class Catalogue:
    """An open catalogue; a context manager. Not to be shared between threads: open one in each.

    path: of the SQLite file. root: the folder that its files' paths start from.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool):
        self.path = path
        self.read_only = read_only
        self.connection = connection
        self.root = Path(path.parent, self.fact("root", "."))

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = True) -> Catalogue:
        """The catalogue in a folder or file that ``drivaer data scan`` made; see ``open_catalogue``."""
        return open_catalogue(path, read_only=read_only)

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of what is done inside is kept, or after an error nothing. Waits for other writers."""
        if self.connection.in_transaction:  # part of a larger one
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    # Designs

    def upsert_designs(self, designs: Iterable[Design]) -> None:
        """Add designs, or replace what is known of them but for split and notes where the new ones have none."""
        columns = ", ".join(_DESIGN_COLUMNS)
        kept = {"split": "coalesce(excluded.split, split)", "notes": "iif(excluded.notes = '', notes, excluded.notes)"}
        changes = ", ".join(f"{c} = {kept.get(c, f'excluded.{c}')}" for c in _DESIGN_COLUMNS[1:])
        statement = (
            f"INSERT INTO designs ({columns}) VALUES ({', '.join('?' * len(_DESIGN_COLUMNS))}) "
            f"ON CONFLICT (id) DO UPDATE SET {changes}"
        )
        with self.changing() as connection:
            connection.executemany(statement, map(_design_row, designs))

    def design(self, design_id: str) -> Design | None:
        """A design by its exact id."""
        found = self.connection.execute(
            f"SELECT {', '.join(_DESIGN_COLUMNS)} FROM designs WHERE id = ?", (design_id,)
        ).fetchone()
        return None if found is None else _design(found)

    def designs(self, ids: Sequence[str] | None = None) -> list[Design]:
        """All designs, or those with the given ids, in the order of their ids."""
        statement = f"SELECT {', '.join(_DESIGN_COLUMNS)} FROM designs"
        rows = self.connection.execute(f"{statement} ORDER BY id").fetchall()
        chosen = None if ids is None else set(ids)
        return [_design(row) for row in rows if chosen is None or row[0] in chosen]

    def count(self) -> int:
        """How many designs there are."""
        return self.connection.execute("SELECT count(*) FROM designs").fetchone()[0]

    # Files

    def upsert_files(self, files: Iterable[CorpusFile]) -> None:
        """Add files, or replace what is known of those with the same path and member."""
        changes = ", ".join(f"{c} = excluded.{c}" for c in _FILE_COLUMNS if c not in ("path", "member"))
        statement = (
            f"INSERT INTO files ({', '.join(_FILE_COLUMNS)}) VALUES ({', '.join('?' * len(_FILE_COLUMNS))}) "
            f"ON CONFLICT (path, member) DO UPDATE SET {changes}"
        )
        with self.changing() as connection:
            connection.executemany(statement, ([getattr(f, c) for c in _FILE_COLUMNS] for f in files))

    def remove_files(self, keys: Iterable[tuple[str, str]]) -> None:
        """Forget files by (path, member); nothing happens on disk."""
        with self.changing() as connection:
            connection.executemany("DELETE FROM files WHERE path = ? AND member = ?", keys)

    def files(
        self, *, design: str | None = None, kind: str | None = None, state: str | None = None, path: str | None = None
    ) -> list[CorpusFile]:
        """Files that are all of what is given, by path and member."""
        asked = {"design": design, "kind": kind, "state": state, "path": path}
        given = {name: value for name, value in asked.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "1"
        rows = self.connection.execute(
            f"SELECT {', '.join(_FILE_COLUMNS)} FROM files WHERE {where} ORDER BY path, member", tuple(given.values())
        )
        found = [CorpusFile(**dict(zip(_FILE_COLUMNS, row, strict=True))) for row in rows]
        for file in found:
            self._check_inside(file.path)
        return found

    def _check_inside(self, path: str) -> None:
        """A catalogue may come from a stranger, and its paths are opened, written and removed."""
        pure = PurePath(path)
        if pure.anchor or ".." in pure.parts or "\0" in path:
            raise DrivAerError(
                f"names a file that lies outside of its folder ({path[:80]!r})",
                file=self.path,
                fix="do not trust it; 'data scan' makes a new one where it is removed",
            )

    # Tags, notes and facts

    def tag(self, ids: Iterable[str], tag: str) -> None:
        with self.changing() as connection:
            connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", ((i, tag) for i in ids))

    def untag(self, ids: Iterable[str], tag: str) -> None:
        with self.changing() as connection:
            connection.executemany("DELETE FROM tags WHERE design = ? AND tag = ?", ((i, tag) for i in ids))

    def tags(self, design: str) -> list[str]:
        return [tag for (tag,) in self.connection.execute("SELECT tag FROM tags WHERE design = ?", (design,))]

    def note(self, design: str, text: str) -> None:
        """Replace a design's note."""
        with self.changing() as connection:
            connection.execute("UPDATE designs SET notes = ? WHERE id = ?", (text, design))

    def fact(self, name: str, default: str = "") -> str:
        """A fact of the whole catalogue, such as ``licence_accepted``."""
        found = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return default if found is None else found[0]

    def set_fact(self, name: str, value: str) -> None:
        with self.changing() as connection:
            connection.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )


def open_catalogue(path: str | Path, *, root: str | Path | None = None, read_only: bool = False) -> Catalogue:
    """Open a catalogue, or make it where there is none.

    path: the SQLite file, or the folder that it lies in. root: where its files' paths start from, for a new catalogue
    that does not lie in the corpus's folder.
    Raises DrivAerError where it cannot be opened or made, or is something else.
    """
    path = Path(path)
    if path.is_dir():
        path = path / CATALOGUE_NAME
    if read_only and not path.is_file():
        raise DrivAerError("there is no catalogue", file=path, fix="make one with 'data scan FOLDER'")
    if not path.parent.is_dir():
        raise DrivAerError("the folder of the catalogue does not exist", file=path, fix="make the folder first")
    try:
        connection = _connect(path, read_only)
        try:
            _check_or_make(connection, path, root, read_only)
            return Catalogue(path, connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _as_error(error, path) from error


def find_catalogue(start: str | Path) -> Path | None:
    """The catalogue in a folder or the nearest folder above it."""
    start = Path(start).absolute()
    for folder in (start, *start.parents):
        if (folder / CATALOGUE_NAME).is_file():
            return folder / CATALOGUE_NAME
    return None


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    connection = _connect_to_read(path) if read_only else sqlite3.connect(path, timeout=_BUSY_SECONDS)
    connection.isolation_level = None  # transactions begin where ``changing`` says so
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """A reader writes nothing, but wants SQLite's shared-memory file beside; where that cannot be, nobody writes."""
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise
        connection = sqlite3.connect(f"{uri}?immutable=1", uri=True)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _check_or_make(connection: sqlite3.Connection, path: Path, root: str | Path | None, read_only: bool) -> None:
    connection.execute("BEGIN")  # one view of it all: another process may be making the catalogue
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS)
    n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if application == _APPLICATION_ID:
        if version > SCHEMA_VERSION:
            raise DrivAerError("is a newer program's catalogue", file=path, fix="update drivaer")
        if not read_only:
            connection.execute("PRAGMA synchronous = NORMAL" if _uses_wal(connection) else "PRAGMA synchronous = FULL")
        return
    if n_tables:
        raise DrivAerError("is a database, but no catalogue", file=path, fix="give another folder or file")
    if read_only:
        raise DrivAerError("is an empty file, no catalogue", file=path, fix="make one with 'data scan FOLDER'")
    _uses_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:  # else another was faster
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        if root is not None:
            connection.execute("INSERT INTO facts VALUES ('root', ?)", (str(Path(root).absolute()),))
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


_MARKS = ("application_id", "user_version")


def _uses_wal(connection: sqlite3.Connection) -> bool:
    """Readers and a writer go on beside each other where the disk has shared memory; else SQLite's rollback journal."""
    try:
        return connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal"
    except sqlite3.OperationalError:
        connection.execute("PRAGMA journal_mode = DELETE")
        return False


def _as_error(error: sqlite3.Error, path: Path) -> DrivAerError:
    text = str(error)
    if any(words in text for words in _NOT_A_DATABASE):
        fix = "move it away and run 'data scan' again: all but tags and notes comes back"
        return DrivAerError("the catalogue is damaged, or no catalogue", file=path, fix=fix)
    if "locked" in text:
        return DrivAerError("another process keeps the catalogue locked", file=path, fix="try again when it is done")
    fix = "give a folder that can be written, or another place with --catalogue"
    return DrivAerError(f"the catalogue cannot be used ({text})", file=path, fix=fix)


def _design_row(design: Design) -> list[Any]:
    row = [getattr(design, column) for column in _DESIGN_COLUMNS]
    row[-1] = json.dumps(dict(design.parameters))
    return row


def _design(row: tuple) -> Design:
    values = dict(zip(_DESIGN_COLUMNS, row, strict=True))
    values["parameters"] = json.loads(values["parameters"])
    return Design(**values)
