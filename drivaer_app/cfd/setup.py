"""From a car to an OpenFOAM case folder: surfaces, and the dictionaries of resources/cfd filled in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np

from data.car import CarMesh
from data.errors import DrivAerError, MeshError
from data.replacing import replacing
from data.weld import weld
from drivaer_app.cfd.domain import SYMMETRIC as SYMMETRIC_WITHIN
from drivaer_app.cfd.domain import Box, Domain, asymmetry, domain_around, plinths, size_of
from drivaer_app.cfd.presets import TRIAL, Preset, Schemes
from drivaer_app.cfd.wheels import RotatingAxle, find_wheels
from drivaer_app.conditions import Conditions
from drivaer_app.paths import RESOURCES

TEMPLATES = RESOURCES / "cfd"
VISCOSITY = 1.56e-5
"""Kinematic, of air at 25 degrees, m²/s."""

TURBULENCE_FIELDS = {
    "kOmegaSST": ("k", "omega"),
    "realizableKE": ("k", "epsilon"),
    "SpalartAllmaras": ("nuTilda",),
}
"""What each RANS closure solves for."""

LONGEST_WITHOUT_WRITING = 40
"""Iterations that a stopped run loses at most, where it is no longer than that; else 20."""

_ALL_TURBULENCE_FIELDS = {name for names in TURBULENCE_FIELDS.values() for name in names}
_ABOUT_THE_RUN = ("system/controlDict", "system/decomposeParDict", "system/surfaceSampleDict")
_C_MU = 0.09
_INTENSITY = 0.004
_VISCOSITY_RATIO = 10.0
_FEATURE_ANGLE = 30.0
_OPEN = 0.25  # of the surface reached on both sides by the flow: no mesh can tell inside from outside
_LEAKY = 0.02


@dataclass(frozen=True, eq=False)
class CaseSetup:
    """What is going to be solved.

    moving_ground: the road runs at the wind's speed and the wheels turn; False for a model on a fixed floor.
    warnings: what was assumed, in plain sentences.
    """

    car: CarMesh
    preset: Preset
    conditions: Conditions
    domain: Domain
    axles: tuple[RotatingAxle, ...]
    moving_ground: bool
    warnings: tuple[str, ...]

    @property
    def patches(self) -> tuple[str, ...]:
        return ("body", *(axle.name for axle in self.axles))

    @property
    def flow_fields(self) -> tuple[str, ...]:
        """What is solved for, and the turbulent viscosity: all that another run starts from."""
        return ("U", "p", *TURBULENCE_FIELDS[self.preset.schemes.model], "nut")

    @property
    def surface_cell(self) -> float:
        """m, edge of a cell on the car where it is smooth."""
        return self.domain.cell / 2**self.preset.level

    @property
    def frontal_area(self) -> float:
        """m², what coefficients refer to: the whole car's."""
        return self.conditions.area or self.car.frontal_area

    @property
    def axle_xs(self) -> tuple[float, float]:
        """x of the front and the rear axle, m; the usual places where no wheels are known."""
        if self.axles:
            return self.axles[0].x, self.axles[1].x
        length = float(np.ptp(self.car.vertices[:, 0]))
        return 0.0, 0.6 * length

    def fingerprint(self) -> str:
        """Differs for another surface, mesh or flow; the number of iterations does not count."""
        digest = hashlib.sha256()
        digest.update(np.ascontiguousarray(self.car.vertices).tobytes())
        digest.update(np.ascontiguousarray(self.car.faces).tobytes())
        digest.update(repr((self.conditions, self.frontal_area)).encode())
        for name, text in case_files(self, 1, 1).items():
            if name not in _ABOUT_THE_RUN:
                digest.update(f"{name}\n{text}".encode())
        return digest.hexdigest()[:16]


def set_up(
    car: CarMesh,
    preset: Preset,
    conditions: Conditions | None = None,
    *,
    moving_ground: bool = True,
    half: bool | None = None,
) -> CaseSetup:
    """Decide how a car is simulated. half: None measures whether it is symmetric.

    Raises MeshError for what has no inside: a point cloud, an open shell.
    """
    warnings = list(_surface_warnings(car))
    if preset == TRIAL:
        warnings.append("a trial mesh shows that all works; its numbers mean nothing")
    axles = find_wheels(car) if moving_ground else ()
    if moving_ground and not axles:
        warnings.append("no wheels found: if there are any, they stand still while the road moves")
    if half is None:
        off = asymmetry(car)
        half = off <= SYMMETRIC_WITHIN * size_of(car)
        if not half:
            warnings.append(f"the car's sides differ by up to {1000 * off:.0f} mm: the whole of it is simulated")
    domain = domain_around(car, preset, axles, half=half)
    if domain.blockage > 0.05:
        warnings.append(f"the car fills {100 * domain.blockage:.0f} % of the domain's section")
    return CaseSetup(car, preset, conditions or Conditions(), domain, axles, moving_ground, tuple(warnings))


def write_case(setup: CaseSetup, folder: Path, iterations: int, processes: int) -> None:
    """Write the surfaces and every dictionary; those that are there are replaced."""
    for name, text in case_files(setup, iterations, processes).items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=path.parent) from error
        with replacing(path) as unfinished:
            unfinished.write_text(text, encoding="ascii")
    (folder / "constant" / "triSurface").mkdir(parents=True, exist_ok=True)
    for name, (vertices, faces) in surfaces(setup).items():
        with replacing(folder / "constant" / "triSurface" / f"{name}.stl") as unfinished:
            unfinished.write_bytes(_binary_stl(vertices, faces))


def write_interval(iterations: int) -> int:
    """After how many iterations the solver writes; divides ``iterations`` where those are tens or few."""
    if iterations <= LONGEST_WITHOUT_WRITING:
        return iterations
    return 20 if iterations % 20 == 0 else 10


def case_files(setup: CaseSetup, iterations: int, processes: int) -> dict[str, str]:
    """Every dictionary of the case: its place in the case folder, and its text."""
    values = _values(setup, iterations, processes)
    files = {}
    solved_for = TURBULENCE_FIELDS[setup.preset.schemes.model]
    for template in sorted(TEMPLATES.rglob("*")):
        name = template.relative_to(TEMPLATES).as_posix()
        of_another = name.removeprefix("0/") in _ALL_TURBULENCE_FIELDS - set(solved_for)
        if template.is_file() and not of_another:
            files[name] = Template(template.read_text("ascii")).substitute(values)
    return files


def surfaces(setup: CaseSetup) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The car's patches as surfaces: vertices (V, 3) m and faces (F, 3). Wheels stand on blocks (see `plinths`)."""
    vertices, faces, _ = weld(setup.car.vertices, setup.car.faces)
    faces_whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    on_body = faces_whole.copy()
    parts = {}
    for axle in setup.axles:
        on_body[axle.faces] = False
        own = axle.faces[faces_whole[axle.faces]]
        blocks = [_block(box) for box in plinths(axle, setup.surface_cell)]
        parts[axle.name] = _joined([_compact(vertices, faces[own]), *blocks])
    return {"body": _compact(vertices, faces[on_body]), **parts}


def _surface_warnings(car: CarMesh) -> list[str]:
    if len(car.faces) == 0:
        raise MeshError("a point cloud has no surface to mesh around", file=car.path, fix="export triangles")
    sheet = car.health.sheet_fraction
    if sheet > _OPEN:
        raise MeshError(
            f"the flow reaches both sides of {100 * sheet:.0f} % of the surface: it has no inside to mesh around",
            file=car.path,
            fix="close windows, floor and grilles, or thicken the panels",
        )
    if sheet > _LEAKY:
        return [f"the flow reaches both sides of {100 * sheet:.0f} % of the surface: its inside may be flooded"]
    return []


def _values(setup: CaseSetup, iterations: int, processes: int) -> dict[str, object]:
    speed, domain, preset = setup.conditions.speed, setup.domain, setup.preset
    k = 1.5 * (_INTENSITY * speed) ** 2
    front, rear = setup.axle_xs
    (x0, y0, _), (x1, y1, z1) = domain.box.low, domain.box.high
    window = min(preset.window, max(iterations // 2, 1))
    return {
        "speed": _number(speed),
        "density": _number(setup.conditions.density),
        "nu": _number(VISCOSITY),
        "k": _number(k),
        "omega": _number(k / (_VISCOSITY_RATIO * VISCOSITY)),
        "epsilon": _number(_C_MU * k**2 / (_VISCOSITY_RATIO * VISCOSITY)),
        "nuTilda": _number(_VISCOSITY_RATIO * VISCOSITY),
        "ground_velocity": "type fixedValue; value $internalField;" if setup.moving_ground else "type noSlip;",
        "wheel_velocities": "\n".join(_wheel_velocity(axle, speed) for axle in setup.axles),
        "car_patches": " ".join(setup.patches),
        "solved_area": _number(setup.frontal_area * (0.5 if domain.half else 1.0)),
        "wheelbase": _number(rear - front),
        "middle_x": _number((front + rear) / 2),
        "iterations": iterations,
        "window_start": iterations - window + 1,
        "write_interval": write_interval(iterations),
        "processes": processes,
        "slabs": _vector(_slabs(processes)),
        **_block_values(domain, x0, y0, x1, y1, z1),
        **_snappy_values(setup),
        **_scheme_values(preset.schemes),
    }


def _slabs(processes: int) -> tuple[int, int, int]:
    """How many parts along x, y and z: as cubic as the number allows, most along the wind."""
    across = max(n for n in range(1, int(processes**0.5) + 1) if processes % n == 0)
    return processes // across, 1, across


def _block_values(domain: Domain, x0: float, y0: float, x1: float, y1: float, z1: float) -> dict[str, object]:
    nx, ny, nz = domain.cells
    if domain.half:
        note = "Half of the car: the plane y = 0 mirrors the flow."
        sides = (
            "symmetry { type symmetryPlane; faces ((0 4 5 1)); }\n    far { type patch; faces ((4 7 6 5) (3 2 6 7)); }"
        )
    else:
        note = "The whole car."
        sides = "far { type patch; faces ((4 7 6 5) (3 2 6 7) (0 4 5 1)); }"
    places = {"x0": x0, "y0": y0, "x1": x1, "y1": y1, "z1": z1}
    return {
        "domain_note": note,
        "side_patches": sides,
        "nx": nx,
        "ny": ny,
        "nz": nz,
        **{name: _number(value) for name, value in places.items()},
    }


def _snappy_values(setup: CaseSetup) -> dict[str, object]:
    domain, level = setup.domain, setup.preset.level
    details = [f"detail{i}" for i in range(len(domain.details))]
    geometry = [f"    {name}.stl {{ type triSurfaceMesh; name {name}; }}" for name in setup.patches]
    for name, box in zip(details, domain.details, strict=True):
        geometry.append(f"    {name} {{ type searchableBox; min {_vector(box.low)}; max {_vector(box.high)}; }}")
    surface = "        {} {{ level ({} {}); patchInfo {{ type wall; }} }}"
    boxes = {}
    for name, box in domain.boxes.items():
        boxes[f"{name}_min"], boxes[f"{name}_max"] = _vector(box.low), _vector(box.high)
    return {
        **boxes,
        "geometry": "\n".join(geometry),
        "features": " ".join(f'{{ file "{name}.eMesh"; level {level}; }}' for name in setup.patches),
        "surface_features": "\n".join(_feature_entry(name) for name in setup.patches),
        "refinement_surfaces": "\n".join(
            surface.format(name, level, level + setup.preset.curved) for name in setup.patches
        ),
        "feature_angle": _number(_FEATURE_ANGLE),
        "level": level,
        "level_1": level - 1,
        "level_2": level - 2,
        "level_3": max(level - 3, 0),
        "level_wake": level - 1 + setup.preset.wake,
        "distance_fine": _number(domain.near_fine),
        "distance_coarse": _number(domain.near_coarse),
        "detail_regions": "\n".join(
            f"        {name} {{ mode inside; levels ((1e15 {level + 1})); }}" for name in details
        ),
        "location_in_mesh": _vector(domain.seed),
        "feature_snap_iterations": 10,
        **_layer_values(setup),
    }


def _layer_values(setup: CaseSetup) -> dict[str, object]:
    layers = setup.preset.layers
    on_patch = {name: layers.body if name == "body" else layers.wheels for name in setup.patches}
    on_patch["ground"] = layers.ground
    return {
        "layers": "\n".join(f"        {name} {{ nSurfaceLayers {n}; }}" for name, n in on_patch.items() if n),
        "layer_expansion": _number(layers.expansion),
        "layer_last": _number(layers.last),
        "layer_slip_angle": f"slipFeatureAngle    {_number(layers.slip_angle)};" if layers.slip_angle else "",
    }


def _scheme_values(schemes: Schemes) -> dict[str, object]:
    limited = f"cellLimited Gauss linear {_number(schemes.gradient_limit)}"
    return {
        "gradient": limited if schemes.gradient_limit else "Gauss linear",
        "convection": schemes.convection,
        "non_orthogonal": _number(schemes.non_orthogonal),
        "model": schemes.model,
    }


def _feature_entry(name: str) -> str:
    angle = f"includedAngle {180 - _FEATURE_ANGLE:g};"
    return f"{name}.stl {{ extractionMethod extractFromSurface; {angle} extractFromSurfaceCoeffs {{ {angle} }} }}"


def _wheel_velocity(axle: RotatingAxle, speed: float) -> str:
    """Turning about +y's opposite, so that the tread at the road moves downstream with it."""
    return (
        f"    {axle.name} {{ type rotatingWallVelocity; origin {_vector((axle.x, 0.0, axle.z))}; axis (0 -1 0); "
        f"omega {_number(speed / axle.radius)}; value uniform (0 0 0); }}"
    )


def _number(value: float) -> str:
    return f"{value:.8g}"


def _vector(values: tuple[float, ...]) -> str:
    return "(" + " ".join(_number(value) for value in values) + ")"


def _compact(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used], index.reshape(-1, 3)


def _block(box: Box) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    mesh = trimesh.creation.box(bounds=[box.low, box.high])
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts[:-1])])
    return (
        np.concatenate([vertices for vertices, _ in parts]),
        np.concatenate([faces + start for (_, faces), start in zip(parts, starts, strict=True)]),
    )


def _binary_stl(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    import trimesh

    return trimesh.Trimesh(vertices, faces, process=False).export(file_type="stl")
