"""Unit, axes and place of a file, worked out from the car in it."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DrivAerError, MeshError
from data.frame import find_frame
from data.mesh import RawMesh
from data.units import METRES
from tests.data.frame_cases import CARS, TURNS, delivered, drivaer, shared_mesh

BOX = np.array([(x, y, z) for x in (0, 4.6) for y in (0, 1.8) for z in (0, 1.4)], dtype=float)
BOX_FACES = np.array(
    [face for a, b, c, d in ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
     for face in ((a, b, c), (a, c, d))], dtype=np.int32,
)  # fmt: skip


@pytest.mark.parametrize("name", CARS)
def test_roof_nose_and_unit_of_a_real_file(name):
    frame = find_frame(shared_mesh(f"meshes/cars/{name}"))
    assert (frame.up, frame.forward, frame.unit) == CARS[name]


@pytest.mark.parametrize("name", [name for name, (_, _, unit) in CARS.items() if unit == "other"])
def test_a_file_without_a_real_unit_is_scaled_to_a_car_and_says_so(name):
    raw = shared_mesh(f"meshes/cars/{name}")
    frame = find_frame(raw)
    assert 3.5 < np.ptp(frame.to_car(raw.vertices)[:, 0]) < 5.5
    assert frame.confidence < 0.5 and any("--units" in w for w in frame.warnings)


@pytest.mark.parametrize("name", ["Duck.glb", "bunny_lowpoly.obj", "chair_model.obj", "cube_20mm.stl", "sphere.obj"])
def test_what_is_no_car_is_reported_to_be_none(name):
    frame = find_frame(shared_mesh(f"meshes/non_cars/{name}"))
    assert frame.confidence < 0.2
    assert any("does not look like a car" in w for w in frame.warnings)


def test_a_motorbike_is_no_car_and_not_half_of_one():
    frame = find_frame(shared_mesh("meshes/non_cars/motorBike.obj.gz"))
    assert frame.confidence < 0.2 and not frame.mirrored


def test_a_car_not_aligned_with_its_axes_is_not_guessed_at_quietly():
    frame = find_frame(shared_mesh("meshes/cars/meshrcnn_car.obj"))
    assert frame.confidence < 0.2 and any("not aligned" in w for w in frame.warnings)


def test_a_pitched_car_is_reported_not_to_be_level():
    assert any("not level" in w for w in find_frame(shared_mesh("meshes/cars/libigl_truck.obj")).warnings)


def test_a_yawed_car_is_reported_not_to_be_aligned():
    raw = shared_mesh("meshes/cars/mlsimkit_drivaer/run1_full_car_derived.stl")
    c, s = np.cos(np.radians(4)), np.sin(np.radians(4))
    yawed = RawMesh(raw.vertices @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]), raw.faces)
    straight = find_frame(raw)
    frame = find_frame(yawed)
    assert any("turned by 4.0 degrees" in w for w in frame.warnings)
    assert frame.confidence < straight.confidence


def test_a_plain_box_has_neither_roof_nor_nose():
    frame = find_frame(RawMesh(BOX - [2.3, 0.9, 3.0], BOX_FACES))
    assert frame.confidence < 0.6
    assert any("--up" in w for w in frame.warnings) and any("--forward" in w for w in frame.warnings)


@pytest.mark.parametrize("index", range(len(TURNS)))
def test_a_car_lands_in_the_same_place_from_any_axes_unit_and_place(index):
    raw = shared_mesh("meshes/cars/gazebo_hatchback.obj")
    first = find_frame(raw)
    in_car_axes = RawMesh(first.vectors_to_car(raw.vertices) * first.to_metres, raw.faces)
    unit = list(METRES)[index % len(METRES)]
    up, forward = TURNS[index]
    other = delivered(in_car_axes, up, forward, METRES[unit], place=(31.0, -7.0, -4.0))
    frame = find_frame(other)
    assert (frame.up, frame.forward, frame.unit) == (up, forward, unit)
    np.testing.assert_allclose(frame.to_car(other.vertices), first.to_car(raw.vertices), atol=1e-9)


@pytest.mark.parametrize(("up", "forward", "unit"), [("y", "z", "mm"), ("x", "-y", "in"), ("-z", "x", "cm")])
def test_the_drivaer_lands_in_the_corpus_frame(up, forward, unit):
    raw = delivered(drivaer(), up, forward, METRES[unit], place=(2.0, 9.0, -3.0))
    frame = find_frame(raw)
    assert frame.confidence > (0.5 if unit == "in" else 0.9)  # a 1:24 model in millimetres looks like inches
    np.testing.assert_allclose(frame.to_car(raw.vertices), drivaer().vertices, atol=2e-3)


def test_a_real_point_cloud_lands_in_its_own_frame():
    raw = shared_mesh("meshes/cars/DrivAer_F_D_WM_WW_0002.pcd")
    frame = find_frame(raw)
    np.testing.assert_allclose(frame.to_car(raw.vertices), raw.vertices, atol=5e-3)


def test_order_and_number_of_triangles_do_not_move_the_car():
    from trimesh.remesh import subdivide

    raw = shared_mesh("meshes/cars/gazebo_suv.obj")
    frame = find_frame(raw)
    shuffled = np.random.default_rng(0).permutation(raw.faces)[:, [1, 2, 0]]
    vertices, faces = subdivide(raw.vertices, raw.faces)
    for other in (RawMesh(raw.vertices, shuffled), RawMesh(vertices, faces.astype(np.int32))):
        np.testing.assert_allclose(find_frame(other).offset, frame.offset, atol=1e-5)


def test_loose_vertices_do_not_count():
    raw = shared_mesh("meshes/cars/gazebo_hatchback.obj")
    littered = RawMesh(np.vstack([raw.vertices, [[1e6, 0, 0], [np.nan] * 3]]), raw.faces)
    np.testing.assert_array_equal(find_frame(littered).offset, find_frame(raw).offset)


def test_the_way_back_is_exact():
    raw = shared_mesh("meshes/cars/gazebo_hatchback.obj")
    frame = find_frame(raw)
    np.testing.assert_allclose(frame.to_file(frame.to_car(raw.vertices)), raw.vertices, atol=1e-10)
    np.testing.assert_array_equal(frame.vectors_to_file(frame.vectors_to_car(np.eye(3))), np.eye(3))
    assert np.linalg.det(frame.rotation) == pytest.approx(1.0)


def test_an_ahmed_body_keeps_the_clearance_of_its_file():
    raw = shared_mesh("meshes/cars/mlsimkit_ahmed/ahmed_1_downsampled.stl")
    frame = find_frame(raw)
    assert frame.to_car(raw.vertices)[:, 2].min() == pytest.approx(0.05, abs=1e-3)
    assert any("no wheels" in w for w in frame.warnings)


def test_what_the_user_says_wins():
    frame = find_frame(shared_mesh("meshes/cars/gazebo_hatchback.obj"), unit="ft", up="-z", forward="y")
    assert (frame.unit, frame.to_metres, frame.up, frame.forward) == ("ft", 0.3048, "-z", "y")
    assert frame.confidence == 1.0


def test_a_unit_that_makes_a_toy_of_the_car_is_taken_and_questioned():
    frame = find_frame(shared_mesh("meshes/cars/gazebo_hatchback.obj"), unit="mm")
    assert frame.unit == "mm" and any("0.158 m long" in w for w in frame.warnings)


def test_the_user_s_roof_leaves_the_nose_to_be_found():
    frame = find_frame(shared_mesh("meshes/cars/gazebo_hatchback.obj"), up="z")
    assert frame.forward == "-y"


@pytest.mark.parametrize("options", [{"unit": "furlong"}, {"up": "w"}, {"forward": "+x"}, {"up": "z", "forward": "-z"}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(DrivAerError):
        find_frame(RawMesh(BOX, BOX_FACES), **options)


@pytest.mark.parametrize(
    ("vertices", "says"),
    [
        (BOX * 1e9, "no car in any unit"),
        (BOX * [1, 1, 0], "flat"),
        (BOX * 0, "no shape"),
        (np.where(BOX == 1.8, np.inf, BOX), "finite"),
        (np.zeros((0, 3)), "no geometry"),
    ],
    ids=["1e9 m", "flat", "a point", "infinite", "empty"],
)
def test_what_cannot_be_a_car_is_one_clear_line(vertices, says):
    faces = BOX_FACES if len(vertices) else np.zeros((0, 3), dtype=np.int32)
    with pytest.raises(MeshError, match=says) as error:
        find_frame(RawMesh(vertices, faces))
    assert "\n" not in str(error.value)
