"""From a file to a car and its sample: the parts work together on real files."""

import gc
import gzip
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from data.car import CarMesh
from data.errors import DrivAerError, MeshError
from data.formats import read_mesh
from data.load import load_car, place_car, sample_car, scene_of, with_frontal_area
from data.mesh import RawMesh

SHARED = Path(__file__).resolve().parents[3] / "shared"
CARS = SHARED / "meshes/cars"
needs_cars = pytest.mark.skipif(not CARS.is_dir(), reason="needs ../shared/meshes")
needs_drivaer = pytest.mark.skipif(not (SHARED / "geometry").is_dir(), reason="needs ../shared/geometry")
N = 2048


@pytest.fixture(scope="module")
def car_mesh() -> trimesh.Trimesh:
    """A closed body in the car frame with four wheels that touch the ground."""
    body = trimesh.creation.icosphere(subdivisions=4)
    body.apply_transform(np.diag([2.2, 0.85, 0.5, 1.0]))
    body.apply_translation([1.4, 0, 0.75])
    wheels = []
    for x in (0.0, 2.8):
        for y in (-0.7, 0.7):
            wheel = trimesh.creation.cylinder(radius=0.32, height=0.2, sections=48)
            wheel.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
            wheel.apply_translation([x, y, 0.32])
            wheels.append(wheel)
    return trimesh.util.concatenate([body, *wheels])


@pytest.fixture
def car_file(car_mesh, tmp_path) -> Path:
    path = tmp_path / "car.stl"
    car_mesh.export(path)
    return path


def as_given(path: Path) -> CarMesh:
    """Read without working out what is which, so that tests do not hang on it."""
    return load_car(path, unit="m", up="z", forward="-x")


def shared_points(one: CarMesh, other: CarMesh, within: float) -> float:
    """Share of the points of one car's sample that the other's has too, within a distance in metres."""
    a, b = sample_car(one, N).points, sample_car(other, N).points
    return float((cKDTree(b).query(a)[0] <= within).mean())


def test_vertices_are_the_files_own_in_the_car_frame(car_file, car_mesh):
    car = as_given(car_file)
    assert car.n_file_vertices == len(car.vertices) == 3 * len(car_mesh.faces)
    back = car.frame.to_file(car.vertices)[car.faces]
    np.testing.assert_allclose(back, car_mesh.vertices[car_mesh.faces], atol=1e-6)


def test_the_files_own_coordinates_are_kept_to_the_last_digit(car_mesh, tmp_path):
    car_mesh.copy().apply_scale(1000 / 3).export(tmp_path / "car.stl")
    car = load_car(tmp_path / "car.stl", unit="mm", up="z", forward="-x")
    np.testing.assert_array_equal(car.as_given, read_mesh(tmp_path / "car.stl").vertices)


def test_an_stls_loose_triangles_are_judged_as_the_surface_they_make(car_file):
    health = as_given(car_file).health
    assert health.watertight and health.n_bodies == 5 and health.winding == "outward"


def test_stl_and_obj_of_a_car_give_the_same_sample(car_file, car_mesh, tmp_path):
    car_mesh.export(tmp_path / "car.obj")
    assert shared_points(as_given(car_file), as_given(tmp_path / "car.obj"), 1e-4) > 0.99


def test_millimetres_and_other_axes_give_the_same_sample(car_file, car_mesh, tmp_path):
    turned = trimesh.Trimesh(car_mesh.vertices[:, [1, 2, 0]] * 1000 + 3000, car_mesh.faces, process=False)
    turned.export(tmp_path / "turned.stl")  # file x = car y, file y = car z, file z = car x
    here = as_given(car_file)
    there = load_car(tmp_path / "turned.stl", unit="mm", up="y", forward="-z")
    assert shared_points(here, there, 2e-3) > 0.98
    assert there.frontal_area == pytest.approx(here.frontal_area, rel=1e-3)


def test_a_given_frontal_area_is_taken(car_file):
    assert load_car(car_file, frontal_area=2.5).frontal_area == 2.5
    assert with_frontal_area(as_given(car_file), 1.5).frontal_area == 1.5


@pytest.mark.parametrize("area", [0.0, -1.0, np.nan, np.inf])
def test_a_frontal_area_that_is_none_is_refused(car_file, area):
    with pytest.raises(DrivAerError, match="frontal area"):
        load_car(car_file, frontal_area=area)


def test_one_scene_serves_a_car_and_goes_with_it(car_file):
    from data import load

    car = as_given(car_file)
    scene = scene_of(car)
    sample_car(car, N)
    assert scene_of(car) is scene
    before = len(load._scenes)
    del car, scene
    gc.collect()
    assert len(load._scenes) == before - 1


def test_warnings_of_every_stage_are_gathered(car_mesh, tmp_path):
    inside_out = trimesh.Trimesh(car_mesh.vertices, car_mesh.faces[:, ::-1], process=False)
    inside_out.export(tmp_path / "inside_out.stl")
    car = load_car(tmp_path / "inside_out.stl")
    assert any("wound inwards" in warning for warning in car.warnings)
    assert set(car.frame.warnings) | set(car.health.warnings) <= set(car.warnings)


def test_a_missing_file_is_named():
    with pytest.raises(MeshError, match=r"no_such_car\.stl"):
        load_car("no_such_car.stl")


def test_a_surface_without_area_is_refused_by_name(tmp_path):
    path = tmp_path / "needles.obj"
    corners = np.random.default_rng(0).uniform([0, -1, 0], [4, 1, 1.5], (40, 3))
    lines = [f"v {x} {y} {z}" for x, y, z in corners] + [f"f {i} {i + 1} {i}" for i in range(1, 40)]
    path.write_text("\n".join(lines))
    with pytest.raises(MeshError, match=r"needles\.obj"):
        load_car(path, unit="m", up="z", forward="-x")


@needs_cars
def test_a_half_car_is_completed():
    half, whole = load_car(CARS / "ahmed_rajkumar_half.stl"), load_car(CARS / "ahmed_rajkumar.stl")
    assert half.frame.mirrored and not whole.frame.mirrored
    assert half.frontal_area == pytest.approx(whole.frontal_area, rel=5e-3)
    wetted = sample_car(half, N).areas.sum()
    assert wetted == pytest.approx(sample_car(whole, N).areas.sum(), rel=0.01)
    assert len(half.vertices) > half.n_file_vertices
    for _, start, stop in half.parts:
        assert 0 <= start < stop <= len(half.faces)
    y = sample_car(half, N).points[:, 1]
    assert (y > 0).mean() == pytest.approx(0.5, abs=0.03)


@needs_cars
def test_a_point_cloud_is_a_car_too():
    car = load_car(CARS / "DrivAer_F_D_WM_WW_0002.pcd")
    assert len(car.faces) == 0 and car.normals.shape == car.vertices.shape
    assert car.frontal_area == pytest.approx(2.6679, rel=0.01)
    sample = sample_car(car, N)
    assert len(sample) == N
    nose = sample.points[:, 0] < -0.7
    assert (sample.normals[nose, 0] < 0).mean() > 0.75


@needs_cars
@pytest.mark.parametrize(
    "name", ["CesiumMilkTruck.glb", "beetle.obj", "gazebo_suv.obj", "libigl_truck.obj", "meshrcnn_car.obj"]
)
def test_rough_meshes_are_sampled_all_the_same(name):
    car = load_car(CARS / name)
    sample = sample_car(car, N)
    assert np.isfinite(sample.points).all() and (sample.areas > 0).all()
    closure = np.abs((sample.areas[:, None] * sample.normals).sum(axis=0)).max()
    assert closure < 0.003 * car.frontal_area


@needs_drivaer
def test_a_real_body_loads_from_a_packed_obj(tmp_path):
    """The DrivAer's front wheels alone: 78,000 faces that close."""
    packed = SHARED / "geometry/drivaer_fastback/frontWheels.obj.gz"
    plain = tmp_path / "wheels.obj"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    one, other = as_given(packed), as_given(plain)
    np.testing.assert_array_equal(one.vertices, other.vertices)
    assert one.health.n_bodies == 2 and one.health.winding == "outward"
    assert one.health.hidden_fraction < 0.05


def test_a_surface_without_a_front_is_refused():
    """Three triangles on edge to the wind: long and high, but nothing to divide a force by."""
    vertices = np.array([[0, 0, 0], [4, 0, 0], [4, 0, 1.4], [0, 1.6, 0], [4, 1.6, 0], [4, 1.6, 1.4]], float)
    faces = np.array([[0, 1, 2], [3, 4, 5], [0, 2, 1]], np.int32)
    with pytest.raises(MeshError, match="seen from the front"):
        place_car(RawMesh(vertices, faces), unit="m", up="z", forward="-x")
