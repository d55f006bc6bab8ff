"""Opening a design: its mesh, the pressure that CFD found on it, its coefficients; also out of archives."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data.catalogue.recognise import CASES
from data.catalogue.records import CorpusFile, Design
from data.catalogue.store import Catalogue
from data.corpora import drivaernet
from data.corpora.runs import FIXED_AREA, RUN_CORPORA
from data.errors import DrivAerError

if TYPE_CHECKING:
    from data.car import CarMesh
    from data.corpora.case import Case
    from data.corpora.morphed_families import MorphedFamily
    from data.corpora.pressure import SurfacePressure
    from data.mesh import RawMesh


@dataclass(frozen=True, eq=False)
class OpenDesign:
    """A design with all that is on disk of it.

    car: in the car frame. pressure: Cp on points of its own, in the car frame too; None where there is none.
    mesh_source: file that the mesh is of, for people. warnings: plain sentences.
    """

    design: Design
    car: CarMesh
    pressure: SurfacePressure | None
    mesh_source: str
    warnings: tuple[str, ...] = ()


def file_of(catalogue: Catalogue, design: str, kind: str) -> CorpusFile | None:
    """The file of a design to read: one that is on disk, unpacked before zipped; None where there is none."""
    return _to_read(catalogue.files(design=design, kind=kind)).get((design, kind))


def files_to_read(catalogue: Catalogue) -> dict[tuple[str, str], CorpusFile]:
    """The file to read of every design and kind; see `file_of`."""
    return _to_read(catalogue.files())


def _to_read(files: Sequence[CorpusFile]) -> dict[tuple[str, str], CorpusFile]:
    here = [file for file in files if file.state == "here" and file.design is not None]
    in_order = sorted(here, key=lambda file: (file.member != "", file.path), reverse=True)
    return {(str(file.design), file.kind): file for file in in_order}


@contextmanager
def on_disk(catalogue: Catalogue, file: CorpusFile) -> Iterator[Path]:
    """The path of a file; for an archive's member that of a temporary copy, removed at the end.

    Raises DrivAerError where it has gone since the last scan, or the archive is damaged.
    """
    path = catalogue.root / file.path
    if not path.is_file():
        raise DrivAerError("is not there any more", file=path, fix="run 'data scan' again")
    if not file.member:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="drivaer-") as folder:
        copy = Path(folder, Path(file.member).name)
        try:
            with zipfile.ZipFile(path) as archive, archive.open(file.member) as packed, copy.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
        except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
            fix = "fetch the archive again"
            raise DrivAerError(f"{file.member} cannot be unpacked ({error})", file=path, fix=fix) from error
        except OSError as error:
            raise DrivAerError(f"cannot be unpacked ({error.strerror or error})", file=path) from error
        yield copy


def open_design(catalogue: Catalogue, design_id: str) -> OpenDesign:
    """Read a design's mesh and pressure. Raises DrivAerError where there is no such design or no mesh of it on disk."""
    design = catalogue.design(design_id)
    if design is None:
        raise DrivAerError(f"there is no design {design_id}", file=catalogue.path)
    if design.corpus == CASES:
        return _open_case(catalogue, design)
    car, source = load_mesh(catalogue, design)
    pressure = pressure_of(catalogue, design)
    if pressure is None:
        return OpenDesign(design, car, None, source, car.warnings)
    return OpenDesign(design, car, pressure.placed(car.frame), source, (*car.warnings, *pressure.warnings))


def pressure_of(catalogue: Catalogue, design: Design) -> SurfacePressure | None:
    """Cp that CFD found on a design, in the frame of its mesh's file, of a case in the car frame; None without a file.

    Raises DrivAerError where the file holds none, or cannot be read.
    """
    from data.corpora.pressure import read_pressure

    if design.corpus == CASES:
        return _open_case(catalogue, design).pressure
    file = file_of(catalogue, design.id, "pressure")
    if file is None:
        return None
    with on_disk(catalogue, file) as path:
        return read_pressure(path, design.corpus, shown=shown(file))


def reference_area(design: Design) -> float | None:
    """m² that a design's coefficients refer to where that is one area for many cars; None for the car's own."""
    if design.corpus == drivaernet.NAME and design.label_version == "first":
        return drivaernet.FIRST_AREA
    if design.corpus in RUN_CORPORA and design.label_version == FIXED_AREA:
        return RUN_CORPORA[design.corpus].reference_area
    return None


def load_mesh(catalogue: Catalogue, design: Design, frontal_area: float | None = None) -> tuple[CarMesh, str]:
    """A design's mesh as a car, and the file that it is of; unit and axes are known where the corpus is.

    frontal_area: m², instead of measuring it.
    """
    from data.load import load_car

    if design.corpus == CASES:
        opened = _open_case(catalogue, design)
        return opened.car, opened.mesh_source
    file = file_of(catalogue, design.id, "mesh") or file_of(catalogue, design.id, "pressure")
    if file is None:
        raise _no_mesh(catalogue, design)
    with on_disk(catalogue, file) as path:
        known = reading_of(design.corpus)
        unit, up, forward = (known.get(name, "auto") for name in ("unit", "up", "forward"))
        car = load_car(path, unit=unit, up=up, forward=forward, frontal_area=frontal_area)
    return replace(car, path=catalogue.root / file.path), shown(file)


def shown(file: CorpusFile) -> str:
    """``F_D_WM_WW_1.zip: F_D_WM_WW_0001.stl``"""
    return f"{file.path}: {file.member}" if file.member else file.path


def reading_of(corpus: str) -> dict[str, str]:
    """How a corpus's meshes are to be read: unit, up and forward; nothing where that has to be found out."""
    if corpus == drivaernet.NAME:
        return {"unit": "m", "up": "z", "forward": "-x"}
    if corpus in RUN_CORPORA:
        return {"unit": "m", "up": RUN_CORPORA[corpus].up, "forward": "-x"}
    return {}


def _no_mesh(catalogue: Catalogue, design: Design) -> DrivAerError:
    states = sorted({f.state for f in catalogue.files(design=design.id, kind="mesh")})
    what = f"the mesh of {design.id} is {' and '.join(states)}" if states else f"there is no mesh of {design.id}"
    fix = "fetch it with 'data get'" if design.corpus == drivaernet.NAME else "put it into the folder and scan again"
    return DrivAerError(what, file=catalogue.root, fix=fix)


def _open_case(catalogue: Catalogue, design: Design) -> OpenDesign:
    """A CFD case: the surface of its family bent to the design, or the points that its file holds."""
    from data.corpora.case_files import read_case
    from data.corpora.pressure import SurfacePressure
    from data.load import place_car
    from data.mesh import RawMesh

    file = file_of(catalogue, design.id, "case")
    if file is None:
        raise DrivAerError(f"the case of {design.id} is not on disk", file=catalogue.root)
    path = catalogue.root / file.path
    case = read_case(path)
    family_file = path.parents[1] / "families" / f"{case.family}.npz"
    if case.family and case.amounts is not None and family_file.is_file():
        family = _family(family_file)
        surface, area = RawMesh(*family.mesh_on(case.amounts), path=path, unit="m"), None
        centres, vectors = family.faces_on(case.amounts)
        pressure = SurfacePressure.on_faces(centres, vectors, case.face_cp, half=True)
    elif case.geometry is not None:
        surface, area = _point_cloud(case), case.frontal_area
        pressure = SurfacePressure.of_case(case)
    else:
        fix = "it needs the geometry that it was bent from; open a case of resources/corpus/procedural_cars"
        raise DrivAerError("this case keeps coefficients and fields, but no geometry", file=path, fix=fix)
    car = place_car(surface, unit="m", up="z", forward="-x", frontal_area=area)
    pressure = replace(pressure.placed(car.frame), source=f"{file.path}, Cp")
    return OpenDesign(design, replace(car, path=path), pressure, file.path, car.warnings)


def _point_cloud(case: Case) -> RawMesh:
    import numpy as np

    from data.mesh import RawMesh

    points, normals, _ = case.on_whole_car()
    return RawMesh(points.astype(float), np.zeros((0, 3), np.int32), normals=normals, unit="m")


@lru_cache(maxsize=4)
def _family(path: Path) -> MorphedFamily:
    from data.corpora.morphed_families import read_family

    return read_family(path)
