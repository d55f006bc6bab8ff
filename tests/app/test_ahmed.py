"""Ahmed bodies from their dimensions, against the surfaces that AhmedML publishes."""

from __future__ import annotations

import numpy as np
import pytest

from data.corpora import runs
from data.corpora.tables import read_table
from data.errors import DrivAerError
from data.formats import read_mesh
from drivaer_app.shapes.ahmed import AhmedBody, Stilts
from tests.conftest import volume

trimesh = pytest.importorskip("trimesh")


def published_body(shared, run: int) -> AhmedBody:
    table = read_table(shared / "outside" / "ahmedml" / "geo_parameters_all.csv")
    return AhmedBody.of_parameters(runs.run_labels(runs.AHMEDML, [table])[f"AhmedML_{run}"].parameters)


def distances(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32)))
    return scene.compute_distance(o3d.core.Tensor(points.astype(np.float32))).numpy()


BODIES = {
    "square back": AhmedBody(slant_deg=0),
    "of the tunnel": AhmedBody(stilts=Stilts()),
    "steep": AhmedBody(0.8, 0.5, 0.25, 0.12, 0.23, 70.0),
    "flat slant": AhmedBody(1.2, 0.3, 0.315, 0.08, 0.31, 6.3),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_closed_outward_and_has_its_dimensions_exactly(name):
    body = BODIES[name]
    vertices, faces = body.mesh()
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert volume(vertices, faces) > 0
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    lowest = 0.0 if body.stilts else body.clearance
    assert low == pytest.approx((-body.length, -body.width / 2, lowest), abs=1e-12)
    assert high == pytest.approx((0.0, body.width / 2, body.clearance + body.height), abs=1e-12)


def test_a_bodys_volume_is_that_of_its_planes_and_cylinders():
    body = AhmedBody()
    along, down = body.slant_run
    r, w, h = body.front_radius, body.width, body.height
    # Sections across the rounded front are rectangles, on each of whose sides r - sqrt(r² - u²) is missing.
    u = np.linspace(0.0, r, 20001)
    inset = r - np.sqrt(r**2 - u**2)
    rounded = np.trapezoid((w - 2 * inset) * (h - 2 * inset), u)
    wanted = (body.length - r) * w * h + rounded - along * down / 2 * w
    assert volume(*body.mesh(edge=0.004)) == pytest.approx(wanted, rel=2e-5)


@pytest.mark.parametrize("name", [name for name in BODIES if name != "of the tunnel"])
def test_its_triangles_are_even(name):
    vertices, faces = BODIES[name].mesh(edge=0.012)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert np.degrees(mesh.face_angles.min()) > 20
    assert mesh.edges_unique_length.max() < 2 * 0.012


def test_stilts_stand_on_the_road_under_an_unchanged_body():
    body, standing = AhmedBody(), AhmedBody(stilts=Stilts())
    stilts = 4 * np.pi * Stilts().radius ** 2 * body.clearance
    assert volume(*standing.mesh()) - volume(*body.mesh()) == pytest.approx(stilts, rel=0.02)
    assert standing.area == body.area == pytest.approx(0.112032)


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_body_of_ahmedmls_parameters_lies_on_the_published_surface(shared, run):
    published = read_mesh(shared / "meshes" / "cars" / "mlsimkit_ahmed" / f"ahmed_{run}_downsampled.stl")
    vertices, faces = published_body(shared, run).mesh()
    there = trimesh.Trimesh(published.vertices, published.faces, process=False)
    here = trimesh.Trimesh(vertices, faces, process=False)
    for points, surface in ((there.sample(10000, seed=1), here), (here.sample(10000, seed=1), there)):
        away = distances(points, surface.vertices, surface.faces)
        assert away.mean() < 0.0002
        assert away.max() < 0.008  # the published ones are thinned, which cuts their edges


@pytest.mark.parametrize(
    "wrong",
    [
        {"front_radius": 0.15},
        {"slant_deg": 95.0},
        {"slant_length": 0.5, "slant_deg": 60.0},
        {"slant_length": 1.0, "slant_deg": 5.0},
        {"width": -0.4},
    ],
)
def test_a_body_that_cannot_be_is_refused(wrong):
    with pytest.raises(DrivAerError, match="no Ahmed body"):
        AhmedBody(**wrong)


def test_a_missing_parameter_is_named():
    with pytest.raises(DrivAerError, match="body-width"):
        AhmedBody.of_parameters({"body-length": 1044.0})
