"""Clouds of morphed DrivAer cars with the CFD face of every point, without building a mesh for each design.

The corpus's generator (``tools/morph.py`` of the corpus folder, never a part of this program) moves each point of the
unmorphed car by a displacement that depends on that point alone. So a point that is fixed to the material, a triangle
and a place in it, can be followed to any design in microseconds, and with it goes the CFD face whose values it takes.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.corpora.case_files import CASES, read_case
from data.errors import DrivAerError
from data.nearest import NO_FACE, closest_points, nearest_faces
from data.polygons import points_on_triangles
from data.sampling import sample_surface
from factory.tunnel_cars import closed_floor, with_roof_line

BODY, FRONT_WHEELS, REAR_WHEELS = 0, 1, 2
_STYLE_PARAMETER = {"fastback": {}, "estate": {"estate": 0.9}, "notchback": {"notch": 0.9}}
STYLES = tuple(_STYLE_PARAMETER)
COMPUTED = ("detailed", "smooth")
"""Underbodies of which the corpus has CFD."""


class MorphGenerator:
    """The corpus's generator and the geometry that it bends.

    corpus: folder with ``tools/morph.py`` and ``cases/``. geometry: folder with ``body.obj.gz`` and the wheels.
    roof: another body's roof line on the fastback (`factory.tunnel_cars`), None for its own.
    Raises DrivAerError where either folder is missing.
    """

    def __init__(self, corpus: str | Path, geometry: str | Path, roof: str | None = None):
        self.corpus, self.geometry, self.roof = Path(corpus), Path(geometry), roof
        source = self.corpus / "tools" / "morph.py"
        if not source.exists():
            raise DrivAerError("the corpus's generator is missing", file=source, fix="give the corpus's folder")
        spec = importlib.util.spec_from_file_location("drivaer_corpus_morph", source)
        assert spec is not None and spec.loader is not None  # as for any file whose name ends in .py
        self.morph: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.morph)
        self._parts = [_read_obj_gz(Path(geometry, f"{k}.obj.gz")) for k in ("body", "frontWheels", "rearWheels")]
        if roof is not None:
            vertices, faces = self._parts[BODY]
            self._parts[BODY] = with_roof_line(vertices, roof), faces

    def neutral(self, style: str) -> dict[str, float]:
        """Parameters of the unmorphed car in a style."""
        zero = {name: 1.0 if name == "mirror_scale" else 0.0 for name in self.morph.RANGES}
        return zero | _STYLE_PARAMETER[style]

    def surface(self, underbody: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The unmorphed car: vertices (V, 3) m, faces (F, 3), part of each vertex (V,).

        underbody: detailed; smooth, a plate hung below it as the corpus has; closed, panels flush with the sills.
        """
        parts = list(self._parts)
        if underbody == "smooth":
            parts[BODY] = _joined([parts[BODY], *(_box(low, high) for low, high in self.morph.floor_boxes())])
        if underbody == "closed":
            parts[BODY] = _joined([parts[BODY], *closed_floor()])
        vertices, faces = _joined(parts)
        return vertices, faces, np.repeat(np.arange(3), [len(v) for v, _ in parts])

    def move(self, points: np.ndarray, part: np.ndarray, parameters: dict[str, float]) -> np.ndarray:
        """Unmorphed points (N, 3) of the given parts (N,) to where the design has them."""
        moved = np.empty_like(points)
        moved[part == BODY] = self.morph.morph_body(points[part == BODY], parameters)
        for wheels, shift in zip((FRONT_WHEELS, REAR_WHEELS), self.morph.axle_shift(parameters), strict=True):
            moved[part == wheels] = self.morph.move_wheels(points[part == wheels], shift)
        return moved

    def mesh(self, parameters: dict[str, float], underbody: str) -> tuple[np.ndarray, np.ndarray]:
        """A design as a mesh: vertices (V, 3) m, faces (F, 3)."""
        vertices, faces, part = self.surface(underbody)
        return self.move(vertices, part, parameters), faces

    def unmorphed_cfd(self, underbody: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """CFD faces of the unmorphed car: centres (M, 3) m, outward normals (M, 3), areas (M,) m²."""
        name = "baseline" if underbody == "detailed" else "baseline_smooth"
        path = self.corpus / CASES / f"{name}.npz"
        faces = read_case(path).geometry
        if faces is None:
            raise DrivAerError("keeps no geometry", file=path, fix="give the corpus that its generator's tools made")
        return faces.centres, faces.face_normals, faces.areas


@dataclass(frozen=True, eq=False)
class UnmorphedFaces:
    """The CFD faces of one underbody's unmorphed car, which every design has in the same order.

    centres (M, 3) m, normals (M, 3) outward, areas (M,) m², part (M,): what each face moves with.
    surface (M, 3) m: the points of the unmorphed surface nearest to the centres, which the CFD mesh rounds off.
    on_surface (M,) bool: whether that point is near and its triangle faces the same way as the CFD face.
    """

    centres: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    part: np.ndarray
    surface: np.ndarray
    on_surface: np.ndarray

    @classmethod
    def of(cls, generator: MorphGenerator, underbody: str) -> UnmorphedFaces:
        centres, normals, areas = generator.unmorphed_cfd(underbody)
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        vertices, faces, part = generator.surface(underbody)
        hit = closest_points(vertices, faces, centres)
        alike = np.abs(np.einsum("nd,nd->n", hit.normals, normals))
        on_surface = (hit.distance < _NEAR_SURFACE) & (alike > _ALIKE)
        return cls(centres, normals, areas, part[faces[hit.triangles, 0]], hit.points, on_surface)

    def on(self, generator: MorphGenerator, parameters: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Centres (M, 3) m and area vectors (M, 3) m² on a design: along the outward normal, as long as the area."""
        across = np.cross(self.normals, _ASKEW)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        along = np.cross(self.normals, across)
        centres, one, other = (
            generator.move(self.centres + _TINY * step, self.part, parameters) for step in (0.0, across, along)
        )
        return centres, np.cross(one - centres, other - centres) / _TINY**2 * self.areas[:, None]

    def surface_on(
        self, generator: MorphGenerator, parameters: dict[str, float], which: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """(n, 3) m: the surface points of some faces on a design."""
        return generator.move(self.surface[which], self.part[which], parameters)


_ASKEW = np.array([0.3, 0.5, 0.81])  # along no face of a car
_TINY = 1e-3  # m
_NEAR_SURFACE = 0.012  # m; half a CFD face
_ALIKE = 0.85  # cosine


@dataclass(frozen=True, eq=False)
class UnmorphedPoints:
    """Points fixed to the material of the unmorphed car, even over one style's wetted surface.

    corners: (M, 3, 3) m, each point's triangle on the unmorphed car. weights: (M, 3) barycentric.
    sign: (M,) +1 or -1, which side of the triangle is in the flow. part: (M,). cfd_face: (M,) or NO_FACE.
    """

    corners: np.ndarray
    weights: np.ndarray
    sign: np.ndarray
    part: np.ndarray
    cfd_face: np.ndarray

    def __len__(self) -> int:
        return len(self.sign)

    def cloud(
        self, generator: MorphGenerator, parameters: dict[str, float], which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) m and outward normals (n, 3) of the given rows on a design, float32."""
        corners = generator.move(self.corners[which].reshape(-1, 3), np.repeat(self.part[which], 3), parameters)
        corners = corners.reshape(-1, 3, 3)
        return points_on_triangles(corners, self.weights[which], self.sign[which])


def material_points(generator: MorphGenerator, style: str, underbody: str, n: int = 65536) -> UnmorphedPoints:
    """Sample a style's neutral car as prediction does, and fix the sample to the material."""
    vertices, faces, part = generator.surface(underbody)
    styled = generator.move(vertices, part, generator.neutral(style))
    sample = sample_surface(styled, faces, n)
    hit = closest_points(styled, faces, sample.points)
    sign = np.where(np.einsum("nd,nd->n", hit.normals, sample.normals) < 0, -1.0, 1.0)
    own = faces[hit.triangles]
    points = UnmorphedPoints(vertices[own], hit.weights, sign, part[own[:, 0]], np.full(n, NO_FACE))
    at, normals = points.cloud(generator, generator.neutral("fastback"), np.arange(n))
    if generator.roof is None and underbody in COMPUTED:
        points.cfd_face[:] = _cfd_faces(generator, underbody, at.astype(np.float64), normals.astype(np.float64))
    return points


def _cfd_faces(generator: MorphGenerator, underbody: str, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """The CFD face that each point of the unmorphed car takes its values from, or NO_FACE."""
    centres, face_normals, _ = generator.unmorphed_cfd(underbody)
    return nearest_faces(centres, face_normals, points, normals, half=True)


def _read_obj_gz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    if not path.exists():
        raise DrivAerError("the DrivAer geometry is missing", file=path, fix="give the geometry's folder")
    data = gzip.decompress(path.read_bytes())
    mesh: Any = trimesh.load(io.BytesIO(data), file_type="obj", force="mesh", process=False)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int32)


def _box(low: tuple[float, ...], high: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A floor plate in triangles small enough to bend."""
    import trimesh

    mesh = trimesh.creation.box(bounds=[low, high]).subdivide_to_size(0.12)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    start = np.cumsum([0, *(len(v) for v, _ in parts[:-1])])
    return (
        np.concatenate([v for v, _ in parts]),
        np.concatenate([f + s for (_, f), s in zip(parts, start, strict=True)]).astype(np.int32),
    )
