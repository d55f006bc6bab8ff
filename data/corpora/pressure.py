"""Cp on a car's surface from CFD files, whatever the array's name and unit in its corpus."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.corpora import drivaernet
from data.corpora.runs import RUN_CORPORA
from data.errors import MeshError
from data.formats.vtk_fields import read_fields
from data.nearest import closest_points

if TYPE_CHECKING:
    from data.corpora.case import Case
    from data.frame import Frame

READER = 2
"""Count up when the same file is to give another Cp."""
STAGNATION = (0.85, 1.35)
"""The highest Cp on a body is 1, where the flow comes to rest, with some room for coarse cells: tells the unit."""

KINEMATIC, PASCAL, COEFFICIENT = "kinematic", "pascal", "coefficient"
COEFFICIENTS = ("Cp", "CpMean", "cp", "CpMeanTrim", "cpavg", "static(p)_coeffMean", "pressure_coefficient")
"""Names of arrays that hold Cp."""
PRESSURES = ("p", "pMean", "pressure", "Pressure", "p_mean", "StaticPressure")
"""Names of arrays that hold a pressure in some unit."""
_FAR = 0.05  # m, from the CFD's surface: what lies farther is not on it


@dataclass(frozen=True, eq=False)
class SurfacePressure:
    """Cp on points of its own, which are in general not the mesh's.

    points: (N, 3) float64. faces: (F, 3) int32, F = 0 where only points are known. cp: (N,) float64.
    source: file, array and how it became Cp, for people. warnings: plain sentences. normals: (N, 3) float32 out of the
    car, where there are points only and it is known how the surface lies there.
    """

    points: np.ndarray
    faces: np.ndarray
    cp: np.ndarray
    source: str
    warnings: tuple[str, ...] = ()
    normals: np.ndarray | None = None

    @classmethod
    def on_faces(
        cls, centres: np.ndarray, normals: np.ndarray, cp: np.ndarray, *, half: bool, source: str = ""
    ) -> SurfacePressure:
        """Of faces of a CFD mesh: centres (M, 3) m, normals (M, 3) of any length, cp (M,); with their image if half."""
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        if half:
            turn = np.array([1.0, -1.0, 1.0])
            centres, normals = (np.concatenate([of, of * turn]) for of in (centres, normals))
            cp = np.tile(cp, 2)
        none = np.zeros((0, 3), np.int32)
        return cls(centres, none, cp.astype(float), source, normals=normals.astype(np.float32))

    @classmethod
    def of_case(cls, case: Case, source: str = "") -> SurfacePressure:
        """Of a case with geometry: on its CFD faces."""
        of = case.geometry
        assert of is not None
        return cls.on_faces(of.centres, of.face_normals, case.face_cp, half=of.half, source=source)

    def placed(self, frame: Frame) -> SurfacePressure:
        """Transformed from the frame of its mesh's file into the car frame."""
        normals = None if self.normals is None else frame.vectors_to_car(self.normals)
        return replace(self, points=frame.to_car(self.points), normals=normals)

    def at(self, points: np.ndarray) -> np.ndarray:
        """(M,) Cp at other points (M, 3): linear on the nearest triangle, or of the nearest point; NaN beyond 5 cm."""
        if len(self.faces) == 0:
            from scipy.spatial import cKDTree

            distance, nearest = cKDTree(self.points).query(points)
            return np.where(distance < _FAR, self.cp[nearest], np.nan)
        near = closest_points(self.points, self.faces, points)
        return np.where(near.distance < _FAR, near.interpolate(self.cp, self.faces), np.nan)


def read_pressure(path: str | Path, corpus: str, *, shown: str = "") -> SurfacePressure:
    """Cp of a VTK surface, on the file's own points and in its own frame.

    corpus: the catalogue's word; says what the array is called and what it means. Of a folder that no corpus knows, an
    array is taken for Cp, or for kinematic pressure at 30 m/s, if that makes its highest value that of a stagnation
    point. shown: how the file is called in messages. Raises MeshError where there is no such array.
    """
    path = Path(path)
    shown = shown or path.name
    fields = read_fields(path)
    scalars = {name: values for name, values in fields.arrays.items() if values.ndim == 1}
    name, cp, how = _as_cp(scalars, corpus, path)
    finite = np.isfinite(cp)
    if not finite.all():
        raise MeshError(f"array {name} has {int((~finite).sum())} values that are no numbers", file=path)
    warnings: tuple[str, ...] = ()
    if not STAGNATION[0] <= cp.max() <= STAGNATION[1]:
        warnings = (f"the highest Cp is {cp.max():.2f} instead of 1: the pressure may be in another unit",)
    return SurfacePressure(fields.mesh.vertices, fields.mesh.faces, cp, f"{shown}, array {name}, {how}", warnings)


def unit_of(name: str, values: np.ndarray, dynamic: Mapping[str, float]) -> str | None:
    """The unit of an array of pressures: the one in which its highest value lies nearest to the stagnation pressure.

    dynamic: the dynamic pressure in each possible unit. None where the value is in STAGNATION's range in none of them.
    """
    if name in COEFFICIENTS:
        return COEFFICIENT
    highest = float(np.quantile(values, 0.9995))  # some cells are wrong in most solutions
    fits = [unit for unit, q in dynamic.items() if STAGNATION[0] <= highest / q <= STAGNATION[1]]
    return min(fits, key=lambda unit: abs(highest / dynamic[unit] - 1.0), default=None)


def first_named(arrays: Collection[str], names: Sequence[str], path: Path) -> str:
    """The first of ``names`` that is among the arrays' names. Raises MeshError if none is."""
    for name in names:
        if name in arrays:
            return name
    has = ", ".join(sorted(arrays)) or "no arrays of numbers"
    raise MeshError(f"has no array {' or '.join(names[:4])}", file=path, fix=f"it has {has}")


def _as_cp(scalars: dict[str, np.ndarray], corpus: str, path: Path) -> tuple[str, np.ndarray, str]:
    """Name of the array, its Cp, and how that came about."""
    q = 1 / drivaernet.CP_PER_P
    divided = f"p / {q:g} (kinematic, {drivaernet.SPEED:g} m/s)"
    if corpus == drivaernet.NAME:
        name = first_named(scalars, PRESSURES, path)
        return name, scalars[name] / q, f"Cp = {divided}"
    if corpus in RUN_CORPORA:
        name = first_named(scalars, (RUN_CORPORA[corpus].pressure,), path)
        return name, scalars[name], "which is Cp"
    name = first_named(scalars, (*COEFFICIENTS, *PRESSURES), path)
    unit = unit_of(name, scalars[name], {COEFFICIENT: 1.0, KINEMATIC: q})
    if unit == COEFFICIENT:
        return name, scalars[name], "taken for Cp"
    if unit == KINEMATIC:
        return name, scalars[name] / q, f"taken for kinematic pressure: Cp = {divided}"
    fix = "write Cp into the file, or take it in with 'corpus add --speed --density'"
    highest = scalars[name].max()
    raise MeshError(f"cannot tell the unit of array {name} (up to {highest:.4g})", file=path, fix=fix)
