"""CFD cases that bring their own geometry: points of the true surface, with the values of the CFD faces next to them.

``drivaer simulate`` and ``drivaer corpus add`` write such files, and the corpus handed over has them, of any car
(``point_face`` in ``../shared/corpus/README.md``). No generator is needed to learn from one.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.corpora.cases import TEST_EVERY, TEST_REMAINDER, is_test_design, style_of
from data.corpora.references import fields_of
from data.errors import DrivAerError

COEFFICIENTS = ("Cd", "Cl", "Cd_pressure", "Cd_friction")
_STEP = 1e-4  # m
_MIRROR = np.array([1.0, -1.0, 1.0], np.float32)
_ON_PLANE = -0.02  # m; half a car's points have no y below it


@dataclass(frozen=True, eq=False)
class PointCase:
    """One CFD run on one car.

    design: the generator's index, None for a car that is no generated one. style: of a generated one.
    coefficients: those of COEFFICIENTS, on frontal_area (m², of the whole car).
    points (N, 3) m, car frame; normals (N, 3) outward; values (N, 4) Cp (clipped to CP_RANGE) and Cf, NaN where the
    flow does not see the surface: float32. half: the points are of the +y half alone. wetted_area: m², whole car.
    """

    name: str
    design: int | None
    style: str | None
    coefficients: dict[str, float]
    frontal_area: float
    points: np.ndarray
    normals: np.ndarray
    values: np.ndarray
    half: bool
    wetted_area: float

    @property
    def is_test(self) -> bool:
        """Held out of training: generated designs by their index, all others by their name (see `is_test_name`)."""
        return is_test_name(self.name) if self.design is None else is_test_design(self.design)

    def whole(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points, normals and values of the whole car: of half a car each point, then its image, and so on."""
        if not self.half:
            return self.points, self.normals, self.values
        turned = self.values * np.array([1, 1, -1, 1], np.float32)
        pairs = ((self.points, self.points * _MIRROR), (self.normals, self.normals * _MIRROR), (self.values, turned))
        points, normals, values = (np.stack(pair, axis=1).reshape(-1, pair[0].shape[1]) for pair in pairs)
        return points, normals, values


def is_test_name(name: str) -> bool:
    """True for about a fifth of all names, by their SHA-256: a design keeps its side however a corpus grows."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % TEST_EVERY == TEST_REMAINDER


def read_point_case(path: str | Path) -> PointCase:
    """Raises DrivAerError for a file that is no case, or has no geometry."""
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(str(arrays["meta"]))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix="give a case .npz") from error
    if "points" not in arrays:
        raise DrivAerError("the case has no points: its geometry is with its generator", file=path)
    try:
        return _case(path, meta, arrays)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix="simulate or add it again") from error


def read_point_cases(folder: str | Path) -> list[PointCase]:
    """Every case of a corpus folder (its ``cases/``), or of a folder of case files, by name.

    Raises DrivAerError where there are none.
    """
    folder = Path(folder)
    cases = folder / "cases" if (folder / "cases").is_dir() else folder
    found = [read_point_case(path) for path in sorted(cases.glob("*.npz"))]
    if not found:
        what = "no CFD cases" if folder.is_dir() else "there is no such folder"
        raise DrivAerError(what, file=folder, fix="add some with 'drivaer corpus add'")
    return found


def _case(path: Path, meta: dict, arrays: dict[str, np.ndarray]) -> PointCase:
    points = (arrays["points"] * _STEP + arrays["offset"]).astype(np.float32)
    normals = arrays["normals"].astype(np.float32)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    on_faces = np.column_stack(fields_of(arrays, path))
    face = arrays["point_face"]
    known = face < len(on_faces)
    values = np.where(known[:, None], on_faces[np.where(known, face, 0)], np.nan).astype(np.float32)
    half = bool(meta.get("half", points[:, 1].min() > _ON_PLANE))
    area = float(arrays["face_area"].astype(np.float64).sum()) * 1e-4
    parameters = meta.get("params")
    return PointCase(
        name=path.stem,
        design=int(meta["i"]) if "i" in meta else None,
        style=style_of(parameters) if parameters is not None else None,
        coefficients={key: float(meta[key]) for key in COEFFICIENTS},
        frontal_area=float(meta["frontal_area"]),
        points=points,
        normals=normals,
        values=values,
        half=half,
        wetted_area=area * (2.0 if half else 1.0),
    )
