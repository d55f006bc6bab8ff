"""What is wrong with a car's surface, and what that may do to the number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.sampling import Survey, survey
from data.visibility import RayScene

_N_LOOKS = 16384  # points at which the surface is looked at from the flow; the same that the networks get
_STRAY = 0.001  # fractions of area below this are taken for the scatter of looking at points
_NOTABLE_HIDDEN = 0.02
_NOTABLE_SHEET = 0.02


@dataclass(frozen=True)
class HealthReport:
    """The state of one triangle surface, points that lie together counted as one.

    n_faces, n_vertices: as in the file. watertight: every edge joins exactly two faces.
    n_holes: closed runs of open edges. open_length: m of open edges.
    n_non_manifold_edges: edges of three faces or more.
    n_duplicate_faces: faces given again, either way round. n_degenerate_faces: faces without area.
    winding: of what the flow sees: ``outward``, ``inward``, ``inconsistent``, or ``none`` for a point cloud.
    wrong_fraction: of the area that the flow sees, what is wound inwards (a sheet cannot be).
    hidden_fraction: of all faces' area, what the flow does not see.
    sheet_fraction: of the area that the flow sees, what it sees from both sides.
    n_bodies: pieces that do not touch.
    """

    n_faces: int
    n_vertices: int
    watertight: bool
    n_holes: int
    open_length: float
    n_non_manifold_edges: int
    n_duplicate_faces: int
    n_degenerate_faces: int
    winding: str
    wrong_fraction: float
    hidden_fraction: float
    sheet_fraction: float
    n_bodies: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know, one plain sentence each, with what it may do to the number."""
        if self.winding == "none":
            return ("a point cloud has no surface: area and normals are estimated from the points",)
        return tuple(
            text
            for worth_it, text in (
                (self.n_duplicate_faces, f"{self.n_duplicate_faces} faces are given twice; Cd is not affected"),
                (self.n_degenerate_faces, f"{self.n_degenerate_faces} faces have no area; Cd is not affected"),
                (self.winding != "outward", self._winding_warning()),
                (self.hidden_fraction > _NOTABLE_HIDDEN, self._hidden_warning()),
                (self.sheet_fraction > _NOTABLE_SHEET, self._sheet_warning()),
                (self.n_holes, self._holes_warning()),
                (
                    self.n_non_manifold_edges,
                    f"{self.n_non_manifold_edges} edges join three faces or more; Cd is not affected",
                ),
            )
            if worth_it
        )

    def _winding_warning(self) -> str:
        share = _percent(self.wrong_fraction)
        return f"{share} of the surface is wound inwards; normals were turned outwards, Cd is not affected"

    def _hidden_warning(self) -> str:
        share = _percent(self.hidden_fraction)
        return f"{share} of the surface is hidden inside and was left out; Cd is that of the outer surface"

    def _sheet_warning(self) -> str:
        share = _percent(self.sheet_fraction)
        return (
            f"the flow reaches both sides of {share} of the surface (an open shell, no windows or no floor?);"
            " its inside counts as wetted too, and Cd may be further off than its interval says"
        )

    def _holes_warning(self) -> str:
        holes = "1 hole" if self.n_holes == 1 else f"{self.n_holes} holes"
        end = "Cd is hardly affected" if self.sheet_fraction <= _NOTABLE_SHEET else "the flow gets inside through some"
        return f"the surface is not closed: {holes}, {self.open_length:.3g} m of open edges; {end}"


def check_health(
    vertices: np.ndarray, faces: np.ndarray, *, scene: RayScene | None = None, n_file_vertices: int | None = None
) -> HealthReport:
    """Examine a surface whose equal points are one (``data.weld``); otherwise triangles that touch count as apart.

    vertices: (V, 3) m, car frame. faces: (F, 3), F >= 1. scene: of this very surface, to save building it.
    n_file_vertices: what to report as the number of vertices. Raises MeshError when the flow sees next to nothing of
    the surface.
    """
    scene = scene or RayScene(vertices, faces)
    seen = survey(scene, _N_LOOKS)
    whole = ~_degenerate(scene)
    single = _first_of_each(faces[whole], len(vertices))
    kept = faces[whole][single]
    edges = _Edges.of(kept, len(vertices))
    open_edges = edges.ends[edges.n_faces == 1]
    return HealthReport(
        n_faces=len(faces),
        n_vertices=len(vertices) if n_file_vertices is None else n_file_vertices,
        watertight=bool(len(kept)) and bool((edges.n_faces == 2).all()),
        n_holes=_n_pieces(open_edges),
        open_length=float(np.linalg.norm(np.diff(vertices[open_edges], axis=1), axis=2).sum()),
        n_non_manifold_edges=int((edges.n_faces > 2).sum()),
        n_duplicate_faces=int(whole.sum()) - len(kept),
        n_degenerate_faces=int(len(faces) - whole.sum()),
        n_bodies=_n_pieces(edges.ends),
        **_as_seen(seen),
    )


def cloud_health(n_points: int) -> HealthReport:
    """The report of a point cloud: there are no faces to examine."""
    return HealthReport(0, n_points, False, 0, 0.0, 0, 0, 0, "none", 0.0, 0.0, 0.0, 0)


def _as_seen(seen: Survey) -> dict:
    """Winding, and how much is wound wrongly, hidden or reached on both sides."""
    wrong = float((~seen.two_sided & ~seen.with_winding).mean())
    sheet = float(seen.two_sided.mean())
    inward = wrong > _STRAY and wrong >= (1 - sheet) - _STRAY
    return {
        "winding": "inward" if inward else "outward" if wrong <= _STRAY else "inconsistent",
        "wrong_fraction": wrong,
        "hidden_fraction": seen.hidden_fraction,
        "sheet_fraction": sheet,
    }


@dataclass(frozen=True, eq=False)
class _Edges:
    """Each edge once. ends: (E, 2) vertices. n_faces: (E,) how many faces it joins."""

    ends: np.ndarray
    n_faces: np.ndarray

    @classmethod
    def of(cls, faces: np.ndarray, n_vertices: int) -> _Edges:
        a = faces.T.ravel().astype(np.int64)
        b = np.roll(faces.T, -1, axis=0).ravel().astype(np.int64)
        key = np.sort(np.minimum(a, b) * n_vertices + np.maximum(a, b))
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        ends = np.stack(np.divmod(key[starts], max(n_vertices, 1)), axis=1)
        return cls(ends, np.diff(starts, append=len(key)))


def _degenerate(scene: RayScene) -> np.ndarray:
    a, b, c = scene.faces.T
    return (a == b) | (b == c) | (c == a) | (scene.face_areas <= 1e-14 * scene.diagonal**2)


def _first_of_each(faces: np.ndarray, n_vertices: int) -> np.ndarray:
    """(S,) one face of each set that joins the same three vertices."""
    low, middle, high = np.sort(faces, axis=1).T.astype(np.uint64)
    if n_vertices < 1 << 21:
        key = (low << np.uint64(42)) | (middle << np.uint64(21)) | high
        return np.unique(key, return_index=True)[1]
    return np.unique(np.stack([low, middle, high], axis=1), axis=0, return_index=True)[1]


def _n_pieces(edges: np.ndarray) -> int:
    """Connected pieces of a graph given by the ends (E, 2) of its edges."""
    if len(edges) == 0:
        return 0
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = int(edges.max()) + 1
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(n, n))
    isolated = n - np.count_nonzero(np.bincount(edges.ravel(), minlength=n))
    return int(connected_components(graph, directed=False)[0] - isolated)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g} %" if fraction < 0.1 else f"{100 * fraction:.0f} %"
