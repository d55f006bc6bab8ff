"""Studies as ``.drivaer`` files: a zip of study.json and small thumbnails. Meshes stay where they are."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import KeptCfd
from drivaer_app.desk.study_state import MorphSettings, Pin, StudyState, Variant
from drivaer_app.files import STUDY_SUFFIX, absolute, checksum_of
from drivaer_app.origin import Origin
from drivaer_app.predict import Reading
from drivaer_app.results import Result

FORMAT = 1
_DOCUMENT = "study.json"
_LARGEST_DOCUMENT = 256 << 20  # bytes: beyond any real study, short of filling the memory


@dataclass(frozen=True, eq=False)
class SavedVariant:
    """What a study keeps of a variant besides its place in the state. thumbnail: (h, w, 3) uint8 or None.

    cfd: of the latest run that came to its end.
    """

    result: Result | None = None
    previous: Result | None = None
    thumbnail: np.ndarray | None = None
    cfd: KeptCfd | None = None


@dataclass(frozen=True, eq=False)
class SavedStudy:
    """A study as written. kept: by variant key. view: what was on screen. origin: file of an autosaved study."""

    state: StudyState
    kept: Mapping[str, SavedVariant] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    origin: Path | None = None


def write_study(path: str | Path, study: SavedStudy) -> None:
    """Write a study, replacing a file of that name once complete. Raises DrivAerError where it cannot be written."""
    path = absolute(path)
    document = {
        "format": FORMAT,
        "baseline": study.state.baseline,
        "model": study.state.model,
        "conditions": asdict(study.state.conditions),
        "pins": [asdict(pin) for pin in study.state.pins],
        "view": dict(study.view),
        "origin": None if study.origin is None else str(study.origin),
        "variants": [_variant_out(v, study.kept.get(v.key, SavedVariant()), path.parent) for v in study.state.variants],
    }
    with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_DOCUMENT, json.dumps(document, indent=1, ensure_ascii=False))
        for key, kept in study.kept.items():
            if kept.thumbnail is not None and study.state.variant(key):
                archive.writestr(f"thumbnails/{key}.png", _png(kept.thumbnail), zipfile.ZIP_STORED)


def written_path(path: str | Path | None) -> Path:
    """Where a study is written that is to go to ``path``. Raises DrivAerError where there is none."""
    if path is None:
        raise DrivAerError("the study has no file yet", fix="save it under a name")
    target = absolute(path)
    return target if target.suffix.lower() == STUDY_SUFFIX else target.with_name(target.name + STUDY_SUFFIX)


def read_study(path: str | Path) -> SavedStudy:
    """Raises DrivAerError for a file that is no study, is damaged, or was written by a newer program."""
    path = absolute(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_DOCUMENT).file_size > _LARGEST_DOCUMENT:
                raise ValueError("too large")
            document = json.loads(archive.read(_DOCUMENT))
            pictures = {Path(n).stem: archive.read(n) for n in archive.namelist() if n.startswith("thumbnails/")}
        if document["format"] != FORMAT:
            raise DrivAerError(f"study format {document['format']} is not {FORMAT}", file=path, fix="update drivaer")
        variants = tuple(_variant_in(stored, path.parent) for stored in document["variants"])
        pins = tuple(_pin_in(stored) for stored in document.get("pins", ()))  # studies of before have none
        conditions = Conditions(**document["conditions"])
        state = StudyState(variants, document["baseline"], conditions, document["model"], pins)
        kept = {
            stored["key"]: _kept_in(stored, pictures.get(stored["key"]), path.parent) for stored in document["variants"]
        }
        origin = document.get("origin")
        return SavedStudy(state, kept, document["view"], Path(origin) if origin else None)
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror or error})", file=path) from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DrivAerError(
            "is no study, or a damaged one", file=path, fix="open an older copy, or the meshes"
        ) from error


def find_moved(missing: Mapping[str, Path], checksums: Mapping[str, str], folder: str | Path) -> dict[str, Path]:
    """Where files that are not at their place are below a folder: by name, and by checksum where one is known.

    missing: key -> where the file was. checksums: key -> SHA-256. A file of the right name and another content is
    taken only where no checksum is known. Returns key -> file for those that were found.
    """
    by_name: dict[str, list[Path]] = {}
    wanted = {path.name for path in missing.values()}
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in wanted.intersection(names):
            by_name.setdefault(name, []).append(Path(root, name))
    found = {}
    for key, path in missing.items():
        for candidate in by_name.get(path.name, []):
            if not checksums.get(key) or checksum_of(candidate) == checksums[key]:
                found[key] = candidate
                break
    return found


def _variant_out(variant: Variant, kept: SavedVariant, folder: Path) -> dict[str, Any]:
    return {
        "key": variant.key,
        "name": variant.name,
        "file": _relative(variant.file, folder),
        "absolute": str(variant.file),
        "reading": asdict(variant.reading),
        "morph": None if variant.morph is None else {"base": variant.morph.base, "values": dict(variant.morph.values)},
        "origin": None if variant.origin is None else variant.origin.to_json(),
        "result": None if kept.result is None else kept.result.to_json(),
        "previous": None if kept.previous is None else kept.previous.to_json(),
        "cfd": None if kept.cfd is None else _cfd_out(kept.cfd, folder),
    }


def _cfd_out(kept: KeptCfd, folder: Path) -> dict[str, Any]:
    return {**kept.to_json(), "folder": _relative(kept.folder, folder), "absolute": str(kept.folder)}


def _variant_in(stored: dict[str, Any], folder: Path) -> Variant:
    file = _place(stored["file"], stored["absolute"], folder)
    morph = stored["morph"] and MorphSettings(stored["morph"]["base"], tuple(sorted(stored["morph"]["values"].items())))
    origin = stored.get("origin") and Origin.from_json(stored["origin"])
    return Variant(stored["key"], stored["name"], file, Reading(**stored["reading"]), morph, origin)


def _pin_in(stored: dict[str, Any]) -> Pin:
    x, y, z = (float(value) for value in stored["place"])
    return Pin((x, y, z), str(stored["note"]))


def _kept_in(stored: dict[str, Any], picture: bytes | None, folder: Path) -> SavedVariant:
    results = (stored[name] and Result.from_json(stored[name]) for name in ("result", "previous"))
    cfd = stored.get("cfd")  # studies of before know nothing of it
    kept = cfd and KeptCfd.from_json(cfd, _place(cfd["folder"], cfd["absolute"], folder))
    return SavedVariant(*results, None if picture is None else _pixels(picture), kept or None)


def _place(relative: str, old: str, folder: Path) -> Path:
    """Where it lies beside the study; else, where that exists, its old place."""
    here, before = absolute(folder / relative), Path(old)
    return before if before.exists() and not here.exists() else here


def _relative(file: Path, folder: Path) -> str:
    """With forward slashes on every system; absolute where there is no way from the folder (another drive)."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:
        return file.as_posix()


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def _pixels(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
