"""A user's own CFD as training data: case files as they are, surfaces with pressure and wall shear made into such."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.car import CarMesh
from data.corpora.case_files import CASES, named_in_files, read_case, read_cases, write_case
from data.corpora.case_index import write_index
from data.corpora.pressure import COEFFICIENT, COEFFICIENTS, KINEMATIC, PASCAL, PRESSURES, first_named, unit_of
from data.errors import DrivAerError
from data.formats.vtk_fields import read_face_fields
from data.load import load_car, place_car
from data.mesh import RawMesh
from data.polygons import polygon_faces
from data.replacing import replacing
from drivaer_app.cfd.case_file import geometry_of
from drivaer_app.cfd.read import SurfaceFlow
from drivaer_app.cfd.simulate import CASE
from drivaer_app.cfd.wheels import find_wheels

SURFACES = (".vtp", ".vtk", ".vtu", ".vtm")

_SHEARS = ("wallShearStressMean", "wallShearStress", "CfMean", "Cf", "WallShearStress", "wall_shear", "tau_w")
_DISAGREES = 0.03  # of Cd


@dataclass(frozen=True)
class Reference:
    """What a surface's pressure refers to. speed m/s, density kg/m³, ambient: pressure far away, in the file's unit.

    area: m², of the whole car; None measures it. pressure: ``auto``, ``kinematic`` (per density, m²/s²), ``pascal`` or
    ``coefficient``. cd: as the solver told it; None integrates the surface.
    """

    speed: float = 30.0
    density: float = 1.184
    ambient: float = 0.0
    area: float | None = None
    pressure: str = "auto"
    cd: float | None = None


@dataclass(frozen=True)
class Added:
    """A case that was added. warnings: plain sentences."""

    path: Path
    cd: float
    cd_pressure: float
    cd_friction: float
    frontal_area: float
    warnings: tuple[str, ...]


def add_case(
    source: Path,
    corpus: Path,
    *,
    name: str | None = None,
    mesh: Path | None = None,
    reference: Reference | None = None,
    unit: str = "auto",
    up: str = "auto",
    forward: str = "auto",
) -> Added:
    """Add a case file, a ``simulate`` folder or a VTK surface with p and wall shear to a corpus folder.

    mesh: the car's true surface, where the VTK surface rounds it off. unit, up, forward: how both files are read.
    Raises DrivAerError for a file that is none of these, lacks a field or a reference value, or a name that is taken.
    """
    file = source / CASE if source.is_dir() else source
    if not file.exists():
        what = f"holds no {CASE}: no finished simulation" if source.is_dir() else "is not there"
        raise DrivAerError(what, file=source)
    stem = name or (source.resolve().name if source.is_dir() else source.name.split(".")[0])
    destination = corpus / CASES / f"{stem}.npz"
    if destination.exists():
        raise DrivAerError("the corpus has a case of that name", file=destination, fix="give another with --name")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=corpus) from error
    if file.suffix == ".npz":
        added = _copy_case(file, destination)
    elif file.suffix in SURFACES:
        added = _add_surface(file, destination, mesh, reference or Reference(), (unit, up, forward))
    else:
        fix = f"give a case .npz, a folder that 'simulate' made, or a surface ({', '.join(SURFACES)})"
        raise DrivAerError("is no CFD result that can be read", file=file, fix=fix)
    write_index(read_cases(corpus), corpus, ("split",))
    return added


def _copy_case(file: Path, destination: Path) -> Added:
    case = read_case(file)
    if case.geometry is None:
        raise DrivAerError("has no geometry: a compact case is of use with its generator only", file=file)
    with replacing(destination) as unfinished:
        shutil.copyfile(file, unfinished)
    numbers = (case.coefficients[name] for name in ("cd", "cd_pressure", "cd_friction"))
    return Added(destination, *numbers, case.frontal_area, ())


def _add_surface(
    file: Path, destination: Path, mesh: Path | None, reference: Reference, reading: tuple[str, str, str]
) -> Added:
    unit, up, forward = reading
    raw, p, shear, names = _read(file, reference.pressure)
    read = {"unit": unit, "up": up, "forward": forward}
    solved = place_car(raw, **read, frontal_area=reference.area)
    car = load_car(mesh, **read, frontal_area=reference.area) if mesh else solved
    cp, cf = _coefficients(p, shear, names, reference, file)
    surface = _surface(solved, raw, cp, cf)
    half = solved.frame.mirrored
    x_front, x_rear = _axles(car)
    coefficients, warnings = _integrate(car, surface, 2.0 if half else 1.0, (x_front, x_rear), reference)
    meta = {
        "name": destination.stem,
        "base": file.name,
        **named_in_files(coefficients),
        "frontal_area": car.frontal_area,
        "wheelbase": x_rear - x_front,
        "conditions": {"U": reference.speed, "rho": reference.density},
        "provenance": {"file": file.name},
        "warnings": list(warnings),
    }
    max_distance = 2.0 * float(np.sqrt(np.quantile(surface.areas, 0.99)))
    write_case(destination, meta, surface.cp, surface.cf, geometry=geometry_of(car, surface, half, max_distance))
    numbers = (coefficients[name] for name in ("cd", "cd_pressure", "cd_friction"))
    return Added(destination, *numbers, car.frontal_area, warnings)


def _read(file: Path, unit: str) -> tuple[RawMesh, np.ndarray, np.ndarray, tuple[str, str]]:
    """The surface's triangles with pressure (F,) and wall shear (F, 3) on them, and what these are called."""
    fields = read_face_fields(file)
    pressures = (*COEFFICIENTS, *PRESSURES) if unit in ("auto", COEFFICIENT) else PRESSURES
    names = first_named(fields.arrays, pressures, file), first_named(fields.arrays, _SHEARS, file)
    p, shear = (fields.arrays[name] for name in names)
    if p.ndim != 1 or shear.ndim != 2 or shear.shape[1] != 3:
        raise DrivAerError(f"{names[0]} must be a number and {names[1]} a vector on each face", file=file)
    if not (np.isfinite(p).all() and np.isfinite(shear).all()):
        raise DrivAerError("has values that are no numbers", file=file, fix="look whether the solution ran away")
    return fields.mesh, p, shear, names


def _coefficients(
    p: np.ndarray, shear: np.ndarray, names: tuple[str, str], reference: Reference, file: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Cp (F,) and Cf (F, 3), the latter either way round."""
    kinematic = 0.5 * reference.speed**2
    dynamic = {COEFFICIENT: 1.0, KINEMATIC: kinematic, PASCAL: kinematic * reference.density}
    p, unit = p - reference.ambient, reference.pressure
    if unit == "auto":
        unit = unit_of(names[0], p, dynamic)
    if unit is None:
        fix = "give --speed and --ambient as they were, or say --pressure kinematic, pascal or coefficient"
        raise DrivAerError(f"its highest pressure, {p.max():.4g}, is no stagnation pressure", file=file, fix=fix)
    of_shear = 1.0 if names[1].startswith("Cf") else dynamic[KINEMATIC if unit == COEFFICIENT else unit]
    return p / dynamic[unit], shear / of_shear


def _surface(car: CarMesh, raw: RawMesh, cp: np.ndarray, cf: np.ndarray) -> SurfaceFlow:
    """The file's own faces in the car frame, looking out of the car, friction pulling it back."""
    points = car.frame.to_car(raw.vertices)
    corners, starts = raw.faces.ravel().astype(np.int64), np.arange(0, 3 * len(raw.faces) + 1, 3)
    centres, vectors = polygon_faces(points, corners, starts)
    # Of half a car the plane y = 0 is open, and adds nothing to this volume.
    if (centres[:, 1] * vectors[:, 1]).sum() < 0:
        vectors = -vectors
    areas = np.linalg.norm(vectors, axis=1)
    cf = car.frame.vectors_to_car(cf)
    # Some solvers tell the stress on the air, some on the wall.
    if (cf[:, 0] * areas).sum() < 0:
        cf = -cf
    normals = vectors / np.maximum(areas, 1e-300)[:, None]
    return SurfaceFlow(points, corners, starts, centres, normals, areas, cp, cf)


def _integrate(
    car: CarMesh, surface: SurfaceFlow, sides: float, axles: tuple[float, float], reference: Reference
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Coefficients of the car, and warnings.

    sides: how many of the car's halves the surface stands for. axles: x of the front and the rear one, m.
    """
    per_area = sides / car.frontal_area
    pressure = per_area * surface.pressure_force(surface.believable_cp)
    friction = per_area * surface.friction_force()
    force = pressure + friction
    x_front, x_rear = axles
    on_face = -surface.believable_cp[:, None] * surface.normals + surface.cf
    on_face *= per_area * surface.areas[:, None]
    arm = surface.centres - [(x_front + x_rear) / 2, 0.0, 0.0]
    pitch = float((arm[:, 2] * on_face[:, 0] - arm[:, 0] * on_face[:, 2]).sum()) / (x_rear - x_front)
    warnings = []
    cd = float(force[0]) if reference.cd is None else reference.cd
    if abs(cd - force[0]) > _DISAGREES * abs(cd):
        warnings.append(f"its surface adds up to Cd {force[0]:.4f}, not {cd:.4f}: check speed, area and the fields")
    bad = float(surface.areas[~surface.physical].sum() / surface.areas.sum())
    if bad > 1e-3:
        warnings.append(f"{100 * bad:.1f} % of its area has a Cp that no flow has")
    coefficients = {
        "cd": cd,
        "cd_std": 0.0,
        "cl": float(force[2]),
        "clf": float(force[2] / 2 + pitch),
        "clr": float(force[2] / 2 - pitch),
        "cd_pressure": float(pressure[0]),
        "cd_friction": float(friction[0]),
    }
    return coefficients, tuple(warnings)


def _axles(car: CarMesh) -> tuple[float, float]:
    axles = find_wheels(car)
    return (axles[0].x, axles[1].x) if axles else (0.0, 0.6 * float(np.ptp(car.vertices[:, 0])))
