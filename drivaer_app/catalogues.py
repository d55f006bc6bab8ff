"""Which catalogue is meant: the one that is named, the one around, the one scanned last, the built-in corpus's."""

from __future__ import annotations

import logging
from pathlib import Path

from data.catalogue import CATALOGUE_NAME, find_catalogue
from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.paths import built_in_corpus, own_catalogues

_log = logging.getLogger(__name__)

BUILT_IN = "built-in"
"""What to give instead of a folder for the corpus that comes with the program."""

_LAST = "last"


def scan_place(folder: Path) -> tuple[Path, Path | None]:
    """Folder to scan and where its catalogue goes, None for into it. The built-in one goes to the user's own data."""
    if str(folder) != BUILT_IN or folder.exists():
        return folder, None
    place = own_catalogues()
    place.mkdir(parents=True, exist_ok=True)
    return built_in_corpus(), place / f"{BUILT_IN}.sqlite"


def which_catalogue(given: Path | None) -> Path:
    """The catalogue's file for a folder, a file, ``built-in``, or nothing.

    Nothing means the catalogue of this folder or one above, else the one that was scanned last.
    Raises DrivAerError where there is none.
    """
    if given is not None:
        return _given(given)
    here = find_catalogue(Path.cwd())
    last = last_catalogue()
    found = here or last
    if found is None:
        raise DrivAerError(
            "there is no catalogue here, and none was made before", fix="make one: drivaer data scan FOLDER"
        )
    return found


def remember(catalogue: Path) -> None:
    """Keep in mind which catalogue was scanned last; where that cannot be written, nothing is lost but convenience."""
    try:
        own_catalogues().mkdir(parents=True, exist_ok=True)
        with replacing(own_catalogues() / _LAST) as unfinished:
            unfinished.write_text(str(catalogue.absolute()), encoding="utf-8")
    except (OSError, DrivAerError) as error:
        _log.warning("the last catalogue is not remembered: %s", error)


def _given(given: Path) -> Path:
    if str(given) == BUILT_IN and not given.exists():
        path = own_catalogues() / f"{BUILT_IN}.sqlite"
        if not path.is_file():
            raise DrivAerError("the built-in corpus has no catalogue yet", fix=f"make it: drivaer data scan {BUILT_IN}")
        return path
    path = given / CATALOGUE_NAME if given.is_dir() else given
    if not path.is_file():
        raise DrivAerError("there is no catalogue", file=given, fix=f"make one: drivaer data scan {given}")
    return path


def last_catalogue() -> Path | None:
    """The catalogue that was scanned last, if it is still there."""
    try:
        path = Path((own_catalogues() / _LAST).read_text(encoding="utf-8"))
    except OSError:
        return None
    return path if path.is_file() else None
