"""What a solver has written into its case, and what of it the next one can go on from."""

from __future__ import annotations

import shutil
from pathlib import Path

_NEEDED = ("U", "p", "k", "omega", "nut", "phi")  # to go on from


def last_written(folder: Path) -> int:
    """The last iteration that can be gone on from; 0 where there is none but the start."""
    whole = [{time for time, place in _times(part).items() if _is_whole(place)} for part in _parts(folder)]
    return max(set.intersection(*whole), default=0)


def drop_half_written(folder: Path) -> None:
    """Remove the iterations that a solver was stopped in the middle of writing: the next one would begin there."""
    last = last_written(folder)
    for part in _parts(folder):
        for time, place in _times(part).items():
            if time > last:
                shutil.rmtree(place)


def forget_means(folder: Path) -> None:
    """Let the solver begin anew with the means over its last iterations: that window has moved."""
    for part in (folder, *_processor_folders(folder)):
        for place in _times(part).values():
            shutil.rmtree(place / "uniform" / "functionObjects", ignore_errors=True)
            for mean in place.glob("*Mean"):
                mean.unlink()


def _parts(folder: Path) -> list[Path]:
    """Where the solver writes: a folder for each of its processes, or the case itself."""
    return _processor_folders(folder) or [folder]


def _processor_folders(folder: Path) -> list[Path]:
    return sorted(folder.glob("processor*"))


def _times(part: Path) -> dict[int, Path]:
    return {int(path.name): path for path in part.glob("[1-9]*") if path.name.isdigit() and path.is_dir()}


def _is_whole(time: Path) -> bool:
    return all((time / name).is_file() for name in _NEEDED)
