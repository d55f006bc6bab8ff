"""Which file each input's fields and picture go to; decided before any work is done."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivaer_app.cli.terminal import BadUsage

PICTURE_SUFFIXES = (".png",)


@dataclass(frozen=True)
class Outputs:
    """Input file -> output file; empty where nothing was asked for."""

    fields: dict[Path, Path]
    pictures: dict[Path, Path]


def plan_outputs(files: Sequence[Path], field: str | None, picture: str | None) -> Outputs:
    """Raises BadUsage where two results would share a file, an input would be overwritten, or a suffix is unknown."""
    from drivaer_app.field_files import FIELD_SUFFIXES

    return Outputs(
        _plan("--field", files, field, FIELD_SUFFIXES),
        _plan("--picture", files, picture, PICTURE_SUFFIXES),
    )


def _plan(option: str, files: Sequence[Path], out: str | None, suffixes: tuple[str, ...]) -> dict[Path, Path]:
    if out is None:
        return {}
    target = Path(out)
    if _is_folder(out):
        _make_folder(option, target)
        planned = {file: target / (name + suffixes[0]) for file, name in zip(files, _names(files), strict=True)}
    else:
        _check_suffix(option, target, suffixes)
        if not target.absolute().parent.is_dir():
            raise BadUsage(f"{option} {out}: there is no folder {target.parent}")
        if len(files) > 1:
            raise BadUsage(f"{option} {out} is one file for {len(files)} meshes; give a folder: {option} out/")
        planned = dict.fromkeys(files, target)
    for file, output in planned.items():
        if output.exists() and file.exists() and output.samefile(file):
            raise BadUsage(f"{option} would overwrite the input {file}; give another place")
    return planned


def _is_folder(out: str) -> bool:
    return Path(out).is_dir() or out.endswith(("/", os.sep)) or Path(out).suffix == ""


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadUsage(f"{option} {folder}: the folder cannot be made ({error.strerror})") from error


def _check_suffix(option: str, target: Path, suffixes: tuple[str, ...]) -> None:
    suffix = target.suffix.lower()
    if suffix in suffixes:
        return
    near = difflib.get_close_matches(suffix, suffixes, n=1, cutoff=0.5)
    hint = f". Did you mean {target.with_suffix(near[0]).name}?" if near else ""
    raise BadUsage(f"{option} {target.name}: must be {' '.join(suffixes)} or a folder{hint}")


def _names(files: Sequence[Path]) -> list[str]:
    """A name for each file's output: the plain name where that is unique, else with suffix, else numbered."""
    plain = [_stem(file) for file in files]
    counts = Counter(plain)
    names = [file.name if counts[name] > 1 else name for file, name in zip(files, plain, strict=True)]
    used: Counter[str] = Counter()
    unique = []
    for name in names:
        used[name] += 1
        unique.append(name if used[name] == 1 else f"{name}-{used[name]}")
    return unique


def _stem(file: Path) -> str:
    """``car`` of car.stl and of car.stl.gz."""
    return Path(file.stem).stem if file.suffix.lower() == ".gz" else file.stem
