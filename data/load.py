"""From a file to a car: read, placed in the car frame, examined, measured, ready to be sampled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from data.belonging import WIRE, without_rows
from data.car import CarMesh
from data.cloud import cloud_frontal_area, sample_cloud
from data.edges import Connections, find_connections
from data.errors import DrivAerError, MeshError
from data.frame import Frame, find_frame
from data.frontal_area import frontal_area as measured_area
from data.half_car import complete_half_car, complete_half_cloud
from data.health import HealthReport, cloud_health, health_report, look_for_health
from data.in_memory import MeshLike, raw_mesh
from data.mesh import RawMesh, SurfaceSample
from data.outline import bounds
from data.parts import CarPart, bodies, find_belonging, in_words, refuse_unknown, rows_of_bodies, without_options
from data.sampling import sample_surface
from data.visibility import RayScene, areas_of, box_of, vectors_of_faces
from data.weld import weld

_log = logging.getLogger(__name__)

LEAST_FILLING = 0.01
"""Of its width times height that a car covers at least, seen from the front; cars cover about 0.8."""

# The ray-tracing structure costs more than all that is asked of it: it lives as long as its car.
_scenes: WeakKeyDictionary[CarMesh, RayScene] = WeakKeyDictionary()


def load_car(
    mesh: MeshLike,
    *,
    unit: str = "auto",
    up: str = "auto",
    forward: str = "auto",
    level: bool = False,
    without: Sequence[str] = (),
    frontal_area: float | None = None,
) -> CarMesh:
    """Read any mesh or point cloud, of a file or in memory, as a car in the car frame.

    unit, up, forward, level: as in ``data.frame.find_frame``. without: names of parts (``data.parts``) to leave out.
    frontal_area: m², instead of measuring it.
    Raises DrivAerError (MeshError for the file's own faults), which names the file.
    """
    if frontal_area is not None and not 0 < frontal_area < np.inf:
        raise DrivAerError(f"a frontal area of {frontal_area} m² is not positive")
    with _stage("read"):
        raw = raw_mesh(mesh)
    return place_car(raw, unit=unit, up=up, forward=forward, level=level, without=without, frontal_area=frontal_area)


def place_car(
    raw: RawMesh,
    *,
    unit: str = "auto",
    up: str = "auto",
    forward: str = "auto",
    level: bool = False,
    without: Sequence[str] = (),
    frontal_area: float | None = None,
) -> CarMesh:
    """The same for geometry that is already in memory."""
    with _stage("weld"):
        welded = _welded(raw)
    with ThreadPoolExecutor(1) as beside:
        work = _FaceWork.start(welded, beside)
        with _stage("frame"):
            find = partial(find_frame, unit=unit, up=up, forward=forward, level=level)
            kept = _Kept.of(raw, welded, without, find)
        if kept.welded is not welded:
            work = _FaceWork.start(kept.welded, beside)
        return _placed(kept, work, beside, frontal_area)


def _placed(kept: _Kept, work: _FaceWork | None, beside: ThreadPoolExecutor, frontal_area: float | None) -> CarMesh:
    raw, welded, frame = kept.raw, kept.welded, kept.frame
    whole = _completed(raw, frame)
    if frame.mirrored:
        welded = _completed(welded, frame)
        work = _FaceWork.start(welded, beside)
    points = frame.to_car(np.asfortranarray(welded.vertices))
    try:
        if work is None:  # a point cloud
            health, area, scene = *_examine_cloud(points, frontal_area), None
        else:
            vectors = frame.vectors_to_car(work.vectors.result()) * frame.to_metres**2
            scene = RayScene(points, welded.faces, vectors)
            health, area, scene = _examine(scene, work.connections.result, frontal_area, len(whole.vertices))
        _check_area(area, points, raw.path)
    except MeshError as error:
        raise kept.named(error) from error
    car = CarMesh(
        as_given=whole.vertices,
        faces=whole.faces,
        frame=frame,
        health=health,
        frontal_area=area,
        n_file_vertices=len(raw.vertices),
        parts=whole.parts,
        normals=frame.vectors_to_car(whole.normals) if raw.is_point_cloud and whole.normals is not None else None,
        path=raw.path,
        warnings=(*kept.warnings, *raw.warnings, *frame.warnings, *health.warnings),
        of_file=kept.parts,
    )
    if scene is not None:
        _scenes[car] = scene
    return car


@dataclass(frozen=True, eq=False)
class _Kept:
    """What of a file is predicted. raw, welded: without what is left out. frame: of the car alone.

    parts: the file's bodies and what does not belong to the car, whether left out or not.
    """

    raw: RawMesh
    welded: RawMesh
    frame: Frame
    parts: tuple[CarPart, ...]

    @classmethod
    def of(cls, raw: RawMesh, welded: RawMesh, without: Sequence[str], frame_of: Callable[[RawMesh], Frame]) -> _Kept:
        """Raises DrivAerError for a part that there is not."""
        chosen, named = rows_of_bodies(raw, without)
        everything = raw
        if len(chosen):
            raw, welded = without_rows(raw, chosen), without_rows(welded, chosen)
        if len(chosen) and len(raw.faces) == 0:
            raise DrivAerError("nothing is left of it", file=raw.path, fix="leave fewer parts out")
        car, foreign = find_belonging(welded)
        frame = frame_of(car)
        length = float(np.ptp(frame.to_car(_surface_box(car))[:, 0]))
        found = in_words(foreign, frame, length, raw)
        wanted = {name.casefold() for name in without}
        found = [
            replace(part, left_out=part.name.casefold() in wanted or thing.how == WIRE)
            for part, thing in zip(found, foreign, strict=True)
        ]
        own = bodies(everything, frame, named) if found or named or len(everything.parts) > 1 else []
        refuse_unknown(without, found, everything)
        gone = [thing.rows for part, thing in zip(found, foreign, strict=True) if part.left_out]
        if gone:
            rows = np.unique(np.concatenate(gone))
            raw, welded = without_rows(raw, rows), without_rows(welded, rows)
        theirs = {part.name for part in found}
        return cls(raw, welded, frame, (*found, *(part for part in own if part.name not in theirs)))

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(part.warning for part in self.parts if part.kind or part.left_out)

    def named(self, error: MeshError) -> MeshError:
        """An error of the geometry, with the file's name, and what lies beside the car where that may be why."""
        beside = [part for part in self.parts if part.kind and not part.left_out]
        fix = f"first leave out what is no part of the car: {without_options(beside)}" if beside else error.fix
        return MeshError(error.what, file=error.file or self.raw.path, fix=fix)


def _surface_box(car: RawMesh) -> np.ndarray:
    """(2, 3) corners of the box around what is on the surface."""
    return np.stack(bounds(car.vertices) if car.is_point_cloud else box_of(car.vertices, car.faces))


def sample_car(car: CarMesh, n: int = 16384, *, draw: int = 0) -> SurfaceSample:
    """N points spread evenly over what the flow sees of the car; see ``sample_surface`` and ``sample_cloud``.

    draw: which of many independent samples; a point cloud has only the one.
    """
    with _stage("sample"):
        if len(car.faces) == 0:
            assert car.normals is not None  # as every point cloud has them
            return sample_cloud(car.vertices, car.normals, n)
        scene = scene_of(car)
        return sample_surface(scene.vertices, scene.faces, n, draw=draw, scene=scene)


def scene_of(car: CarMesh) -> RayScene:
    """The car's ray-tracing structure, built once; its faces are the car's, its vertices the welded ones."""
    if car not in _scenes:
        vertices, faces, _ = weld(car.vertices, car.faces)
        _scenes[car] = RayScene(vertices, faces)
    return _scenes[car]


def with_frontal_area(car: CarMesh, area: float) -> CarMesh:
    """The same car on another reference area, m²."""
    other = replace(car, frontal_area=area)
    if car in _scenes:
        _scenes[other] = _scenes[car]
    return other


def reshaped(car: CarMesh, vertices: np.ndarray) -> CarMesh:
    """The car with its vertices (V, 3), m in the car frame, moved: examined and its frontal area measured anew.

    Raises MeshError where no car is left of it.
    """
    if len(car.faces) == 0:
        points, (health, area), scene = vertices, _examine_cloud(vertices, None), None
    else:
        points, faces, _ = weld(vertices, car.faces)
        scene = RayScene(points, faces)
        connections = partial(find_connections, faces, scene.face_areas, scene.diagonal)
        health, area, scene = _examine(scene, connections, None, car.health.n_vertices)
    _check_area(area, points, car.path)
    of_reading = tuple(text for text in car.warnings if text not in car.health.warnings)
    other = replace(
        car,
        as_given=car.frame.to_file(vertices),
        health=health,
        frontal_area=area,
        warnings=(*of_reading, *health.warnings),
    )
    if scene is not None:
        _scenes[other] = scene
    return other


def _welded(raw: RawMesh) -> RawMesh:
    """The surface with coincident points merged, for all further work (an STL has each point six times)."""
    if raw.is_point_cloud:
        return raw
    vertices, faces, _ = weld(raw.vertices, raw.faces)
    return replace(raw, vertices=vertices, faces=faces)


def _completed(raw: RawMesh, frame: Frame) -> RawMesh:
    """Half a car with its mirror image. The images of the faces come after all of the file's faces, part by part."""
    if frame.mirror_plane is None:
        return raw
    if raw.is_point_cloud:
        assert raw.normals is not None
        points, normals = complete_half_cloud(raw.vertices, raw.normals, frame.mirror_plane)
        return replace(raw, vertices=points, normals=normals)
    vertices, faces, kept = complete_half_car(raw.vertices, raw.faces, frame.mirror_plane)
    n_before = np.concatenate([[0], np.cumsum(kept)])
    own = [(name, int(n_before[start]), int(n_before[stop])) for name, start, stop in raw.parts]
    n = int(n_before[-1])
    return replace(raw, vertices=vertices, faces=faces, parts=(*own, *((name, a + n, b + n) for name, a, b in own)))


def _check_area(area: float, points: np.ndarray, path: Path | None) -> None:
    """Coefficients are forces over this area: a surface that shows next to nothing from the front has none."""
    _, width, height = np.ptp(points, axis=0)
    if area < LEAST_FILLING * width * height:
        raise MeshError(
            "hardly anything of it is seen from the front", file=path, fix="export the car's outer surface as triangles"
        )


@dataclass(frozen=True)
class _FaceWork:
    """Work on the faces for a second thread, while the first one finds the frame. In the file's unit."""

    vectors: Future[np.ndarray]
    connections: Future[Connections]

    @classmethod
    def start(cls, welded: RawMesh, beside: ThreadPoolExecutor) -> _FaceWork | None:
        if welded.is_point_cloud:
            return None
        vectors = beside.submit(vectors_of_faces, welded.vertices, welded.faces)
        return cls(vectors, beside.submit(_connections, welded, vectors))


def _connections(welded: RawMesh, vectors: Future[np.ndarray]) -> Connections:
    low, high = box_of(welded.vertices, welded.faces)
    return find_connections(welded.faces, areas_of(vectors.result()), float(np.linalg.norm(high - low)))


def _examine(
    scene: RayScene, connections: Callable[[], Connections], given_area: float | None, n_file_vertices: int
) -> tuple[HealthReport, float, RayScene]:
    with _stage("rays"):
        scene.build()
    with _stage("look"):
        seen = look_for_health(scene)
    with _stage("area"):
        area = given_area or measured_area(scene.vertices, scene.faces, scene=scene)
    with _stage("edges"):
        return health_report(scene, seen, connections(), n_file_vertices), area, scene


def _examine_cloud(points: np.ndarray, given_area: float | None) -> tuple[HealthReport, float]:
    with _stage("area"):
        return cloud_health(len(points)), given_area or cloud_frontal_area(points)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """Log how long a stage took; ``benchmarks/loading.py`` makes its table of these records."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    _log.debug("%s took %.3f s, %.3f s of CPU", name, wall, cpu, extra={"stage": name})
