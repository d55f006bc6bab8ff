"""What a page on a dataset does in the background: look through folders, verify, fetch, make a study of designs.

All functions block; a face runs them in ``Jobs``. Each takes the job, which hears of its progress and may cancel it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.catalogue.listing import Overview, overview
from data.errors import DrivAerError
from drivaer_app.catalogues import remember, scan_place
from drivaer_app.desk.jobs import Job
from drivaer_app.paths import cache, own_catalogues

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.catalogue.records import Design
    from data.control import Control
    from data.download.get import DownloadResult
    from data.download.integrity import Verified
    from data.download.plan import DownloadPlan
    from data.download.progress import TransferProgress
    from data.download.repair import Repaired
    from data.download.session import Download
    from drivaer_app.desk.study_state import DesignFile

MOST_OPENED = 200
"""Designs in one study; a batch does more."""


@dataclass(frozen=True)
class Opened:
    """designs: to make a study of, in order. refused: a line each for those whose mesh cannot be had.

    with_pressure: whether CFD's pressure on one of them is on disk.
    """

    designs: tuple[DesignFile, ...]
    refused: tuple[str, ...]
    with_pressure: bool


def open_corpus(folder: Path, job: Job) -> Overview:
    """Bring a folder's catalogue up to date and look at it. folder: or ``built-in``, or a catalogue's file.

    A folder that cannot be written gets its catalogue in the user's own data. Raises DrivAerError.
    """
    from data.catalogue.scan import scan

    if folder.is_file():
        return overview(folder)
    job.report(0.1, "looking through the folder")
    folder, place = scan_place(folder)
    if place is None and folder.is_dir() and not os.access(folder, os.W_OK):
        own_catalogues().mkdir(parents=True, exist_ok=True)
        place = own_catalogues() / f"{_digest(str(folder.absolute()))}.sqlite"
    found = scan(folder, catalogue=place)
    remember(found.catalogue)
    job.report(0.8, "reading the catalogue")
    if not found.n_designs:
        fix = "give a folder with meshes, archives or tables of a corpus that is known"
        raise DrivAerError("holds no designs", file=folder, fix=fix)
    return overview(found.catalogue)


def verify_corpus(path: Path, job: Job, control: Control) -> Verified:
    """Hash every file of a catalogue again. Raises DrivAerError, Cancelled."""
    from data.catalogue import open_catalogue
    from data.download.integrity import verify

    with open_catalogue(path) as catalogue:
        return verify(catalogue, control=control, on_progress=_reporting(job))


@dataclass(frozen=True)
class Repair:
    """wrong: paths of the files that were bad, missing or cut short, of so many. done: what became of them."""

    wrong: tuple[str, ...]
    n_files: int
    done: Repaired


def repair_corpus(path: Path, job: Job, control: Control, token: str | None = None) -> Repair:
    """Fetch again what is wrong of a catalogue's files. path: the catalogue's. Raises DrivAerError, Cancelled."""
    from data.catalogue import open_catalogue
    from data.download.get import working_in
    from data.download.integrity import verify
    from data.download.repair import Repairer

    with open_catalogue(path) as catalogue, working_in(Path(catalogue.root)):
        found = verify(catalogue, trusting=True, control=control, on_progress=_reporting(job))
        repairer = Repairer(catalogue, token=token, control=control)
        done = repairer.repair(found.to_fetch, on_progress=_reporting(job))
        return Repair(found.to_fetch, found.n_files, done)


def plan_download(download: Download, job: Job) -> DownloadPlan:
    """Ask the server what a download would be. Raises DrivAerError, Cancelled."""
    job.report(0.1, f"asking {download.transport.server}")
    return download.plan()


def carry_out(download: Download, plan: DownloadPlan, job: Job) -> DownloadResult:
    """Fetch what was planned, after somebody accepted its licences. Raises DrivAerError, Cancelled."""
    from data.catalogue import CATALOGUE_NAME
    from data.download.get import check_space

    check_space(plan)
    result = download.run(plan, accepted_by="question", on_progress=_reporting(job))
    remember(plan.folder / CATALOGUE_NAME)
    return result


def designs_of(path: Path, designs: Sequence[str], job: Job) -> Opened:
    """A mesh file for each design: its own, or a copy of what is in an archive or bent from a family's mesh.

    Copies are kept in the cache, where the same design finds them again. Raises DrivAerError where none has a mesh.
    """
    from data.catalogue import open_catalogue
    from data.catalogue.opening import file_of

    if len(designs) > MOST_OPENED:
        what = f"{len(designs)} designs are too many for one study"
        raise DrivAerError(what, fix=f"select up to {MOST_OPENED}; 'drivaer batch' predicts any number")
    found, refused, with_pressure = [], [], False
    with open_catalogue(path, read_only=True) as catalogue:
        for number, design in enumerate(designs):
            job.report(number / len(designs), design)
            try:
                found.append(_design_file(catalogue, design))
                with_pressure |= any(file_of(catalogue, design, kind) for kind in ("pressure", "case"))
            except DrivAerError as error:
                refused.append(f"{design}: {error.what}")
    if not found:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise DrivAerError(f"{refused[0]}{more}", fix="choose designs whose mesh is on disk")
    return Opened(tuple(found), tuple(refused), with_pressure)


def _design_file(catalogue: Catalogue, design_id: str) -> DesignFile:
    from data.catalogue.opening import reading_of
    from data.catalogue.recognise import CASES
    from drivaer_app.desk.study_state import DesignFile
    from drivaer_app.origin import origin_of
    from drivaer_app.predict import Reading

    design = catalogue.design(design_id)
    if design is None:
        raise DrivAerError(f"there is no design {design_id} any more", file=catalogue.path)
    origin = origin_of(catalogue, design)
    if design.corpus == CASES:
        return DesignFile(_case_as_mesh(catalogue, design), Reading("m", "z", "-x"), origin)
    return DesignFile(_mesh_file(catalogue, design), Reading(**reading_of(design.corpus)), origin)


def _mesh_file(catalogue: Catalogue, design: Design) -> Path:
    from data.catalogue.opening import file_of, on_disk

    file = file_of(catalogue, design.id, "mesh") or file_of(catalogue, design.id, "pressure")
    if file is None:
        raise DrivAerError("its mesh is not on disk")
    if not file.member:
        return catalogue.root / file.path
    copy = _place(catalogue, design, Path(file.member).suffix)
    archive = catalogue.root / file.path
    if not _is_newer(copy, archive):
        with on_disk(catalogue, file) as unpacked:
            _kept(copy, lambda unfinished: shutil.copyfile(unpacked, unfinished))
    return copy


def _case_as_mesh(catalogue: Catalogue, design: Design) -> Path:
    """The surface of a CFD case, in metres in the car frame."""
    from data.catalogue.opening import file_of, open_design
    from data.mesh import RawMesh
    from drivaer_app.shapes.mesh_files import write_mesh

    file = file_of(catalogue, design.id, "case")
    for suffix in (".stl", ".ply"):
        copy = _place(catalogue, design, suffix)
        if file is not None and _is_newer(copy, catalogue.root / file.path):
            return copy
    car = open_design(catalogue, design.id).car
    copy = _place(catalogue, design, ".stl" if len(car.faces) else ".ply")
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_mesh(copy, RawMesh(car.vertices, car.faces, normals=car.normals, unit="m"))
    return copy


def _place(catalogue: Catalogue, design: Design, suffix: str) -> Path:
    """A file of its own in the cache, named after the design as far as files can be."""
    name = re.sub(r"[^\w.-]+", "_", design.id.rpartition("/")[2]).strip(".") or "design"
    return cache() / "designs" / _digest(f"{catalogue.path}\n{design.id}") / f"{name[:80]}{suffix}"


def _kept(copy: Path, write: Callable[[Path], object]) -> None:
    from data.replacing import replacing

    copy.parent.mkdir(parents=True, exist_ok=True)
    with replacing(copy) as unfinished:
        write(unfinished)


def _is_newer(copy: Path, source: Path) -> bool:
    return copy.is_file() and source.is_file() and copy.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _reporting(job: Job) -> Callable[[TransferProgress], None]:
    def report(now: TransferProgress) -> None:
        if not job.is_cancelled:  # else the control stops the work at a place where it can be stopped
            done = now.bytes_done / now.bytes_total if now.bytes_total else now.n_done / max(now.n_files, 1)
            job.report(min(done, 1.0), f"{now.n_done} of {now.n_files} files")

    return report
