"""What is wrong with a car's surface, and what that may do to the number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.edges import Connections, find_connections
from data.sampling import Survey, survey
from data.visibility import RayScene

_N_LOOKS = 16384  # points at which the surface is looked at from the flow; the same that the networks get
_STRAY = 0.001  # fractions of area below this are taken for the scatter of looking at points
_NOTABLE_DEGENERATE = 0.001
_NOTABLE_HIDDEN = 0.02
_NOTABLE_SHEET = 0.02


@dataclass(frozen=True)
class HealthReport:
    """The state of one triangle surface, points that lie together counted as one.

    n_faces, n_vertices: as in the file. watertight: every edge joins exactly two faces.
    n_holes: closed runs of open edges. open_length: m of open edges.
    n_non_manifold_edges: edges of three faces or more.
    n_duplicate_faces: repeats of another face, in either winding. n_degenerate_faces: faces without area.
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
                (
                    self.n_degenerate_faces > _NOTABLE_DEGENERATE * self.n_faces,
                    f"{self.n_degenerate_faces} faces have no area; Cd is not affected",
                ),
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


def check_health(vertices: np.ndarray, faces: np.ndarray) -> HealthReport:
    """Examine a welded surface (``data.weld``); without welding, triangles that touch would count as separate.

    vertices: (V, 3) m, car frame. faces: (F, 3), F >= 1. Raises MeshError when the flow sees next to nothing of it.
    """
    scene = RayScene(vertices, faces)
    connections = find_connections(faces, scene.face_areas, scene.diagonal)
    return health_report(scene, look_for_health(scene), connections, len(vertices))


def look_for_health(scene: RayScene) -> Survey:
    """What the flow sees of the surface, at as many points as the networks get. Raises MeshError as above."""
    return survey(scene, _N_LOOKS)


def health_report(scene: RayScene, seen: Survey, connections: Connections, n_vertices: int) -> HealthReport:
    """The report of a surface that has been looked at. n_vertices: what to report as their number."""
    a, b = connections.open_edges.T
    return HealthReport(
        n_faces=len(scene.faces),
        n_vertices=n_vertices,
        watertight=connections.watertight,
        n_holes=connections.n_holes,
        open_length=float(np.linalg.norm(scene.vertices[b] - scene.vertices[a], axis=1).sum()),
        n_non_manifold_edges=connections.n_non_manifold_edges,
        n_duplicate_faces=connections.n_duplicate_faces,
        n_degenerate_faces=connections.n_degenerate_faces,
        n_bodies=connections.n_bodies,
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


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g} %" if fraction < 0.1 else f"{100 * fraction:.0f} %"
