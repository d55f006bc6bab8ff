"""A predicted car made ready for a viewport: smooth normals, creases, edges, and the fields on the drawn points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from data.car import CarMesh
from drivaer_app.fields import CarFields, vertex_normals

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction

CREASE_DEG = 38.0
"""Faces that meet at more than this angle do not share a smooth normal, and their edge is drawn."""
_SHARPEST = 20.0  # 1/m: curvature of a 5 cm radius and below counts as sharp


@dataclass(frozen=True, eq=False)
class DrawnCar:
    """What is drawn of a car, car frame. Points at creases are there once for each side.

    points (P, 3) float32 m, normals (P, 3) float32 outward, faces (F, 3) int32.
    cp (P,), cf (P, 3) float32, exposed (P,) bool: as in CarFields. cp and cf are empty for a model without fields.
    curvature (P,) float32 in -1..1: mean curvature, hollow below 0 and round above, 1 for a radius of 5 cm.
    creases, open_edges (E, 2, 3) float32 m: line segments; open edges bound holes.
    plate_middles (P, 3) float32 m: of a point cloud, which is drawn as small plates, the point that each corner stands
    for; None of a surface.
    """

    points: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    cp: np.ndarray
    cf: np.ndarray
    exposed: np.ndarray
    curvature: np.ndarray
    creases: np.ndarray
    open_edges: np.ndarray
    plate_middles: np.ndarray | None = None

    @property
    def places(self) -> np.ndarray:
        """(P, 3) where the drawn points' values are from: they themselves, or the cloud's own points."""
        return self.points if self.plate_middles is None else self.plate_middles

    @property
    def has_fields(self) -> bool:
        return len(self.cp) > 0

    @property
    def n_bytes(self) -> int:
        arrays = (getattr(self, f.name) for f in fields(self))
        return sum(array.nbytes for array in arrays if array is not None)

    def nearest_seen(self, place: Sequence[float] | np.ndarray) -> int:
        """The point in the flow's sight that is nearest to a place (3,) m: of cars that differ, the same place."""
        offset = self.points - np.asarray(place, np.float32)
        away = np.einsum("ij,ij->i", offset, offset)
        return int((np.where(self.exposed, away, np.inf) if self.exposed.any() else away).argmin())

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, (3,) m."""
        return self.points.min(axis=0), self.points.max(axis=0)


def drawn_car(prediction: Prediction) -> DrawnCar:
    """The car of a prediction, ready to be drawn; a point cloud as small plates."""
    car, surface = prediction.car, _surface(prediction)
    smooth = vertex_normals(surface.vertices, surface.faces)
    points, faces, normals, origin = _split_at_creases(surface.vertices, surface.faces)
    creases, open_edges = _edges(surface.vertices, surface.faces) if len(car.faces) else (_NO_EDGES,) * 2
    has_fields = prediction.surface is not None
    return DrawnCar(
        points=points,
        normals=normals,
        faces=faces,
        cp=surface.cp[origin] if has_fields else np.empty(0, np.float32),
        cf=surface.cf[origin] if has_fields else np.empty((0, 3), np.float32),
        exposed=surface.exposed[origin],
        curvature=_curvature(surface.vertices, surface.faces, smooth)[origin],
        creases=creases,
        open_edges=open_edges,
        plate_middles=None if len(car.faces) else car.vertices.astype(np.float32).repeat(4, axis=0)[origin],
    )


_NO_EDGES = np.empty((0, 2, 3), np.float32)


def _surface(prediction: Prediction) -> CarFields:
    """The car's triangles with its fields, or with zeros where the model gives none."""
    car = prediction.car
    if prediction.surface is not None:
        given = prediction.car_fields
    else:
        from data.load import scene_of

        scene = scene_of(car) if len(car.faces) else None
        vertices, faces = (scene.vertices, scene.faces) if scene else (car.vertices, car.faces)
        n = len(vertices)
        given = CarFields(vertices, faces, np.zeros(n, np.float32), np.zeros((n, 3), np.float32), np.ones(n, bool))
    if len(given.faces):
        return given
    vertices, faces = plates(car)
    return CarFields(vertices, faces, given.cp.repeat(4), given.cf.repeat(4, axis=0), given.exposed.repeat(4))


def plates(cloud: CarMesh) -> tuple[np.ndarray, np.ndarray]:
    """A square on each point across its normal, large enough to touch its neighbours."""
    from scipy.spatial import cKDTree

    # A file's points may lie densely on the wheels and thinly on the roof, so each plate has its own size.
    size = 0.55 * cKDTree(cloud.vertices).query(cloud.vertices, k=7, workers=-1)[0][:, -1]
    size = np.minimum(size, 3 * np.quantile(size, 0.9))[:, None, None]
    normals = cloud.normals.astype(np.float64)
    helper = np.where(np.abs(normals[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    across = np.cross(normals, helper)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    over = np.cross(normals, across)
    corners = np.stack([across + over, over - across, -across - over, across - over], axis=1)
    vertices = (cloud.vertices[:, None] + size * corners).reshape(-1, 3)
    first = 4 * np.arange(len(cloud.vertices), dtype=np.int32)[:, None]
    return vertices, np.concatenate([first + [0, 1, 2], first + [0, 2, 3]]).astype(np.int32)


def _split_at_creases(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, ...]:
    """Points (P, 3), faces (F, 3), normals (P, 3), and which vertex each point was (P,)."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals

    mesh = _poly_data(vertices, faces)
    maker = vtkPolyDataNormals()
    maker.SetInputData(mesh)
    maker.SetFeatureAngle(CREASE_DEG)
    maker.SplittingOn()
    maker.ConsistencyOff()  # what is wound wrongly is said elsewhere; the renderer lights both sides
    maker.Update()
    out = maker.GetOutput()
    data = out.GetPointData()
    return (
        vtk_to_numpy(out.GetPoints().GetData()).astype(np.float32),
        vtk_to_numpy(out.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32),
        vtk_to_numpy(data.GetNormals()).astype(np.float32),
        vtk_to_numpy(data.GetArray("vertex")).copy(),
    )


def _edges(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Creases and open edges, (E, 2, 3) each."""
    a, b = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1).T
    key = a.astype(np.int64) * len(vertices) + b
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    count = np.diff(first, append=len(ordered))
    normals = _face_normals(vertices, faces)
    pairs = first[count == 2]
    face_a, face_b = order[pairs] % len(faces), order[pairs + 1] % len(faces)
    facing = np.einsum("ij,ij->i", normals[face_a], normals[face_b])
    sharp = np.abs(facing) < np.cos(np.deg2rad(CREASE_DEG))
    return tuple(
        _segments(vertices, *np.divmod(ordered[at], len(vertices))) for at in (pairs[sharp], first[count == 1])
    )


def _segments(vertices: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.stack([vertices[a], vertices[b]], axis=1).astype(np.float32)


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices.astype(np.float32)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.float32(1e-20))


def _curvature(vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V,) in -1..1. Along each edge, how far the normals open per metre; a vertex takes the mean of its edges."""
    vertices = vertices.astype(np.float32)
    a, b = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    along = vertices[b] - vertices[a]
    length = np.maximum(np.einsum("ij,ij->i", along, along), np.float32(1e-10))
    opening = np.einsum("ij,ij->i", normals[b] - normals[a], along) / length
    opening = np.clip(opening / _SHARPEST, -1.0, 1.0)
    n = len(vertices)
    degree = np.maximum(np.bincount(a, minlength=n) + np.bincount(b, minlength=n), 1)
    mean = (np.bincount(a, opening, minlength=n) + np.bincount(b, opening, minlength=n)) / degree
    for _ in range(2):  # one ring of triangles is noisy
        mean = (mean + (np.bincount(a, mean[b], minlength=n) + np.bincount(b, mean[a], minlength=n)) / degree) / 2
    return mean.astype(np.float32)


def _poly_data(vertices: np.ndarray, faces: np.ndarray):
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, np.float32), deep=True))
    offsets = np.arange(0, faces.size + 1, 3, dtype=np.int32)
    flat = np.ascontiguousarray(faces.ravel(), np.int32)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(flat, deep=True))
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    number = numpy_to_vtk(np.arange(len(vertices), dtype=np.int32), deep=True)
    number.SetName("vertex")
    mesh.GetPointData().AddArray(number)
    return mesh
