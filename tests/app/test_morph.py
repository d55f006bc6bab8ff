"""Morphs of any car: what a handle names moves by what was asked, wheels stay wheels, and there is a way back."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path

import numpy as np
import pytest

from data.car import CarMesh
from data.errors import DrivAerError
from data.formats import read_mesh
from data.load import load_car, place_car
from data.mesh import RawMesh
from drivaer_app.shapes.car import build_car
from drivaer_app.shapes.designs import handle_values
from drivaer_app.shapes.handles import HANDLES, checked
from drivaer_app.shapes.landmarks import GlassPane, Landmarks, find_landmarks
from drivaer_app.shapes.morph import Morph
from drivaer_app.shapes.outlook import Outlook, look_at
from drivaer_app.shapes.parameters import CarParameters
from tests.conftest import volume

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples"
SHARED = ROOT.parent / "shared"
MESHES = SHARED / "meshes" / "cars"
ON_DISK = sorted(p for p in MESHES.rglob("*") if p.is_file()) if MESHES.is_dir() else []

MM = 1e-3
BOTH_ENDS = ("low", "high")


@functools.cache
def procedural(style: str) -> CarMesh:
    shape = build_car(CarParameters.for_style(style), resolution=0.04)
    return place_car(shape.raw_mesh(), unit="m", up="z", forward="-x")


def drivaer_parts() -> RawMesh:
    folder = SHARED / "geometry" / "drivaer_fastback"
    names = {"body": "body", "front_wheels": "frontWheels", "rear_wheels": "rearWheels"}
    vertices, faces, parts = [], [], []
    for name, file in names.items():
        mesh = read_mesh(folder / f"{file}.obj.gz")
        first = sum(map(len, faces))
        faces.append(mesh.faces + sum(map(len, vertices)))
        vertices.append(mesh.vertices)
        parts.append((name, first, first + len(mesh.faces)))
    return RawMesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32), parts=tuple(parts))


@functools.cache
def styled(style: str) -> Morph:
    return Morph.of(procedural(style))


@pytest.fixture(scope="module", params=["fastback", "van", "sample estate", "drivaer"])
def morph(request) -> Morph:
    if request.param == "drivaer":
        if not SHARED.is_dir():
            pytest.skip("needs the DrivAer's geometry beside the repository")
        return Morph.of(place_car(drivaer_parts()))
    if request.param == "sample estate":
        return Morph.of(load_car(SAMPLES / "estate.stl"))
    return styled(request.param)


@pytest.fixture(scope="module")
def fastback() -> Morph:
    return styled("fastback")


def extremes(morph: Morph):
    """Every handle at both ends of its range."""
    for name, handle in morph.handles.items():
        yield name, handle.low
        yield name, handle.high


def mixed(morph: Morph, share: float = 0.5) -> dict[str, float]:
    """All handles at once, alternately up and down, by a share of their ranges."""
    ends = {name: (h.low if i % 2 else h.high, h.neutral) for i, (name, h) in enumerate(morph.handles.items())}
    return {name: neutral + share * (end - neutral) for name, (end, neutral) in ends.items()}


# What a car is measured to be


@pytest.mark.parametrize("style", ["notchback", "hatchback", "suv", "van"])
def test_landmarks_of_procedural_cars_are_the_parameters(style):
    p = CarParameters.for_style(style)
    found = find_landmarks(procedural(style))
    assert (found.nose_x, found.tail_x) == pytest.approx((p.nose_x, p.tail_x), abs=5 * MM)
    assert (found.half_width, found.roof.z, found.floor_z) == pytest.approx(
        (p.width / 2, p.height, p.ride_height), abs=15 * MM
    )
    assert (found.front_axle_x, found.rear_axle_x) == pytest.approx((0, p.wheelbase), abs=5 * MM)
    assert found.front_wheels.radius == pytest.approx(p.tyre_radius, rel=0.03)
    assert found.windscreen.angle_deg == pytest.approx(p.windscreen_angle_deg, abs=1.0)
    assert found.windscreen.foot.x == pytest.approx(p.cowl_x, abs=0.08)
    assert found.belt_z == pytest.approx(p.belt_height, abs=0.06)
    assert found.mirrors is not None
    if style != "van":  # whose backlight is bowed
        assert found.backlight.angle_deg == pytest.approx(p.backlight_angle_deg, abs=1.5)


def test_mirrors_that_no_part_names_are_found_where_they_are():
    named, unnamed = procedural("estate"), load_car(SAMPLES / "estate.stl")
    by_name, by_shape = find_landmarks(named).mirrors, find_landmarks(unnamed).mirrors
    assert by_shape.high == pytest.approx(by_name.high, abs=0.03)
    assert by_shape.low == pytest.approx(by_name.low, abs=0.03)


def test_a_car_without_mirrors_has_no_handle_for_them():
    shape = build_car(CarParameters.for_style("fastback", mirror_scale=0.0), resolution=0.04)
    bare = Morph.of(place_car(shape.raw_mesh(), unit="m"))
    assert "mirror_scale" not in bare.handles
    with pytest.raises(DrivAerError, match="mirror_scale does not apply"):
        bare.vertices({"mirror_scale": 1.1})


@pytest.mark.parametrize("path", ON_DISK, ids=lambda p: p.name)
def test_every_real_mesh_can_be_bent_by_all_its_handles_without_folding(path):
    morph = Morph.of(load_car(path))
    assert {"ride_height", "length", "width", "roof_height", "boat_tail"} <= set(morph.handles)
    for name, value in extremes(morph):
        assert jacobian(morph, {name: value}).min() > 0.2, (name, value)


# What must hold for every handle


def jacobian(morph: Morph, values: dict[str, float]) -> np.ndarray:
    """Determinants of the map on a grid around the car's left half, by central differences."""
    m, step = morph.landmarks, 1e-4
    x, y = np.linspace(m.nose_x, m.tail_x, 24), np.linspace(0.003, 1.15 * m.half_width, 8)
    grid = np.stack(np.meshgrid(x, y, np.linspace(0, m.roof.z, 8), indexing="ij"), -1).reshape(-1, 3)
    apart = step * m.length / 4
    beside = np.concatenate([grid + side * apart * e for e in np.eye(3) for side in (1, -1)])
    moved = morph.displacement(beside, values).reshape(3, 2, len(grid), 3)
    return np.linalg.det(((moved[:, 0] - moved[:, 1]) / (2 * apart)).transpose(1, 2, 0) + np.eye(3))


def test_no_face_turns_over(morph):
    for name, value in extremes(morph):
        assert morph.flipped_faces(morph.vertices({name: value})) == 0, (name, value)


def test_space_does_not_fold(morph):
    for name, value in extremes(morph):
        assert jacobian(morph, {name: value}).min() > 0.3, (name, value)


def test_left_and_right_stay_mirror_images(morph):
    points = np.random.default_rng(3).uniform([-1, 0.01, 0], [4, 1.1, 1.6], (500, 3))
    values = mixed(morph)
    right = morph.displacement(points * (1, -1, 1), values)
    assert np.array_equal(right * (1, -1, 1), morph.displacement(points, values))


def test_wheels_stay_round_and_on_the_ground(morph):
    assert morph.wheels_are_separate
    m = morph.landmarks
    wheels = np.flatnonzero(morph._kinds[morph._row] > 0)
    for name, value in extremes(morph):
        moved = morph.vertices({name: value})[wheels] - morph.car.vertices[wheels]
        assert np.abs(moved[:, 2]).max() == 0.0, name
        for axle_x in (m.front_axle_x, m.rear_axle_x):
            for side in (-1, 1):
                at = morph.car.vertices[wheels]
                one = (np.abs(at[:, 0] - axle_x) < 0.5 * (m.rear_axle_x - m.front_axle_x)) & (np.sign(at[:, 1]) == side)
                assert np.ptp(moved[one], axis=0).max() < 1e-6, name


def test_pitch_turns_the_body_nose_up_as_one_piece(fastback):
    m = fastback.landmarks
    points = np.random.default_rng(5).uniform([m.nose_x, -0.7, 0.2], [m.tail_x, 0.7, m.roof.z], (200, 3))
    moved = points + fastback.displacement(points, {"pitch": 1.0}, part="body")
    apart, before = (np.linalg.norm(p[1:] - p[:-1], axis=1) for p in (moved, points))
    assert np.abs(apart - before).max() < 1e-3
    ends = np.array([[m.nose_x, 0.0, 0.4], [m.tail_x, 0.0, 0.4]])
    rise = fastback.displacement(ends, {"pitch": 1.0}, part="body")[:, 2]
    assert rise[0] - rise[1] == pytest.approx(m.length * np.tan(np.radians(1.0)))
    assert rise[0] > 0 > rise[1]


def test_what_lies_between_the_wheels_goes_with_the_body_alone(fastback):
    points = np.array([[0.0, 0.8, 0.318]])
    assert np.allclose(fastback.displacement(points, {"ride_height": 0.05}, part="body"), [[0, 0, 0.05]])
    assert np.allclose(fastback.displacement(points, {"ride_height": 0.05}), 0.0)
    assert np.allclose(fastback.displacement(points, {"ride_height": 0.05}, part="front_wheels"), 0.0)


def test_rear_wheels_follow_their_axle(fastback):
    points = np.array([[2.786, 0.8, 0.318], [2.786, -0.8, 0.318]])
    assert np.allclose(fastback.displacement(points, {"wheelbase": 0.1}, part="rear_wheels"), [[0.1, 0, 0]] * 2)
    outward = fastback.displacement(points, {"width": 0.1}, part="rear_wheels")
    assert outward[0, 1] == -outward[1, 1] == pytest.approx(0.05, abs=2 * MM)


def test_neutral_values_give_the_very_same_mesh(morph):
    neutral = {name: handle.neutral for name, handle in morph.handles.items()}
    assert morph.vertices(neutral) is morph.car.vertices
    assert morph.apply(neutral) is morph.car


def test_inverse_leads_back(morph):
    points = morph.car.vertices[:: max(1, len(morph.car.vertices) // 800)]
    values = mixed(morph)
    back = morph.inverse(points + morph.displacement(points, values), values)
    assert np.abs(back - points).max() < 1e-6


def test_the_negative_values_nearly_lead_back(morph):
    """Not exactly: the weights are read at the places that the first morph made."""
    small = {name: value for name, value in mixed(morph, 0.1).items() if name != "mirror_scale"}
    points = morph.car.vertices[:: max(1, len(morph.car.vertices) // 800)]
    there = points + morph.displacement(points, small, part="body")
    back = there + morph.displacement(there, {name: -value for name, value in small.items()}, part="body")
    moved = np.abs(there - points).max()
    assert np.abs(back - points).max() < 0.15 * moved


def test_a_morph_can_be_sent_to_another_process(fastback):
    fastback.vertices({"roof_height": 0.02})
    sent = pickle.loads(pickle.dumps(fastback))
    assert np.array_equal(sent.vertices({"roof_height": 0.03}), fastback.vertices({"roof_height": 0.03}))


def test_handles_add_in_any_order(morph):
    points = morph.car.vertices[:: max(1, len(morph.car.vertices) // 500)]
    values = mixed(morph)
    one_by_one = sum(morph.displacement(points, {name: value}) for name, value in reversed(values.items()))
    assert np.allclose(one_by_one, morph.displacement(points, values), atol=1e-12)


def test_a_cars_vertices_go_where_its_map_says(morph):
    values = mixed(morph)
    kinds = morph._kinds[morph._row]
    rows = np.flatnonzero(kinds == 0)[:: max(1, len(kinds) // 2000)]
    expected = morph.car.vertices[rows] + morph.displacement(morph.car.vertices[rows], values, part="body")
    assert np.abs(morph.vertices(values)[rows] - expected).max() < 1e-5


# What each handle names


def slope_deg(x: np.ndarray, values: np.ndarray, low: float, high: float) -> float:
    here = (x > low) & (x < high) & np.isfinite(values)
    return float(np.degrees(np.arctan(np.polyfit(x[here], values[here], 1)[0])))


def angle_deg(outlook: Outlook, pane: GlassPane, x_from: float, x_to: float) -> float:
    """Of the line over the middle of the pane's height, which stays whatever it leans."""
    line = outlook.line(x_from, x_to)
    share = (line[:, 1] - pane.foot.z) / (pane.head.z - pane.foot.z)
    x, z = line[(share > 0.25) & (share < 0.75)].T
    return float(np.degrees(np.arctan(abs(np.polyfit(z, x, 1)[0]) ** -1)))


def height_at(outlook: Outlook, x: float) -> float:
    return float(np.interp(x, outlook.x, outlook.top))


def half_width_at(outlook: Outlook, x: float, z: float) -> float:
    return float(outlook.side[np.abs(outlook.x - x).argmin(), np.abs(outlook.z - z).argmin()])


def tail_turn(outlook: Outlook, m: Landmarks) -> float:
    z = np.abs(outlook.z - 0.8 * m.belt_z).argmin()
    free = m.tail_x - m.rear_axle_x
    return -slope_deg(outlook.x, outlook.side[:, z], m.rear_axle_x + 0.53 * free, m.tail_x - 0.27 * free)


MEASURES = {
    "ride_height": lambda o, m, was: m.floor_z,
    "length": lambda o, m, was: m.length,
    "wheelbase": lambda o, m, was: m.rear_axle_x - m.front_axle_x,
    "nose_length": lambda o, m, was: -m.nose_x,
    "boot_length": lambda o, m, was: m.tail_x,
    "width": lambda o, m, was: 2 * m.half_width,
    "roof_height": lambda o, m, was: m.roof.z,
    "roof_rear_height": lambda o, m, was: height_at(o, was.backlight.head.x),
    "bonnet_height": lambda o, m, was: height_at(o, was.bonnet_edge.x),
    "boot_height": lambda o, m, was: height_at(o, was.backlight.foot.x),
    "windscreen_angle": lambda o, m, was: angle_deg(o, was.windscreen, 0.0, was.roof.x),
    "backlight_angle": lambda o, m, was: angle_deg(o, was.backlight, was.roof.x, was.tail_x),
    "boat_tail": lambda o, m, was: tail_turn(o, was),
    "mirror_scale": lambda o, m, was: (
        (m.mirrors.high[1] - was.mirrors.low[1]) / (was.mirrors.high[1] - was.mirrors.low[1])
    ),
}


@pytest.mark.parametrize(
    ("name", "style"),
    [*((name, "notchback") for name in MEASURES), ("windscreen_angle", "suv"), ("backlight_angle", "suv")],
)
def test_what_the_handle_names_moves_by_what_was_asked(name, style):
    morph = styled(style)
    handle, was = morph.handles[name], morph.landmarks
    before = MEASURES[name](look_at(morph.car), was, was)
    for end in BOTH_ENDS:
        value = handle.neutral + 0.5 * (getattr(handle, end) - handle.neutral)
        bent = morph.apply({name: value})
        after = MEASURES[name](look_at(bent), find_landmarks(bent), was)
        assert after - before == pytest.approx(value - handle.neutral, rel=0.12), end


@pytest.mark.parametrize(("name", "x_share"), [("diffuser_angle", 0.97), ("ramp_angle", 0.05)])
def test_underbody_angles_lift_the_floors_ends_and_nothing_between(fastback, name, x_share):
    m = fastback.landmarks
    before = look_at(fastback.car).under
    outlook = look_at(fastback.apply({name: 4.0}))
    lifted = outlook.under - before
    at = np.abs(outlook.x - (m.nose_x + x_share * m.length)).argmin()
    between = (outlook.x > m.front_axle_x + 0.5) & (outlook.x < m.rear_axle_x - 0.5)
    assert lifted[at] > 0.015
    assert np.nanmax(np.abs(lifted[between])) < MM


def test_rounding_sweeps_corners_back_and_leaves_the_nose_where_it_is(fastback):
    m = fastback.landmarks
    nose = np.array([[m.nose_x, 0.0, 0.5], [m.nose_x, m.half_width, 0.5]])
    moved = fastback.displacement(nose, {"front_rounding": 0.08})
    assert moved[0] == pytest.approx([0, 0, 0])
    assert moved[1] == pytest.approx([0.08, 0, 0], abs=4 * MM)


def test_taper_leans_the_windows_and_leaves_the_body_side(fastback):
    m = fastback.landmarks
    edge = np.array([[1.8, 0.6 * m.half_width, m.roof.z], [1.8, m.half_width, m.belt_z - 0.02]])
    moved = fastback.displacement(edge, {"greenhouse_taper": 0.05})
    assert moved[:, 1] == pytest.approx([-0.05, 0.0], abs=5 * MM)


def test_mirrors_keep_their_shape_when_the_car_is_bent(fastback):
    corners = next(fastback.car.faces[a:b] for name, a, b in fastback.car.parts if name == "mirrors")
    left = np.unique(corners)
    left = left[fastback.car.vertices[left, 1] > fastback.landmarks.mirrors.low[1] + 0.09]
    for name in ("windscreen_angle", "roof_height", "width", "greenhouse_taper"):
        moved = fastback.vertices({name: fastback.handles[name].high})[left] - fastback.car.vertices[left]
        assert np.ptp(moved, axis=0).max() < MM, name


def test_a_morphed_car_is_measured_anew(fastback):
    wider = fastback.apply({"width": 0.1})
    assert wider.frontal_area / fastback.car.frontal_area == pytest.approx(1 + 0.1 / 1.9, abs=0.012)
    assert wider.health.watertight == fastback.car.health.watertight
    assert np.array_equal(wider.faces, fastback.car.faces)


# What is refused


def test_out_of_range_is_refused_with_the_range(fastback):
    with pytest.raises(DrivAerError, match=r"boat_tail = 33 is out of range.*-4 to 10 deg"):
        fastback.vertices({"boat_tail": 33})


def test_unknown_handle_suggests_the_nearest(fastback):
    with pytest.raises(DrivAerError, match=r"boattail.*did you mean boat_tail\?"):
        fastback.displacement(np.zeros((1, 3)), {"boattail": 3})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "much", None])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(DrivAerError, match="roof_height"):
        checked({"roof_height": value})


def test_short_models_have_short_ranges():
    """Half a metre's worth of handles would turn a model of one metre inside out."""
    shape = build_car(CarParameters.for_style("fastback"), resolution=0.04)
    model = Morph.of(place_car(RawMesh(0.4 * shape.vertices, shape.faces, parts=shape.parts), unit="m"))
    assert model.handles["roof_height"].high == pytest.approx(HANDLES["roof_height"].high * 0.4 * 4.61 / 4.2, rel=0.01)
    assert model.handles["windscreen_angle"].high == HANDLES["windscreen_angle"].high


def test_all_handles_at_once_do_not_fold_a_design(morph):
    for i in range(6):
        values = handle_values(i, morph.handles)
        assert jacobian(morph, values).min() > 0.2
        assert morph.flipped_faces(morph.vertices(values)) == 0


LARGER_OR_SMALLER = ("length", "wheelbase", "nose_length", "boot_length", "width", "roof_height", "roof_rear_height")
"""Handles that are there to make the car larger; all others turn, round or place what is there."""


@pytest.mark.parametrize("end", BOTH_ENDS)
@pytest.mark.parametrize("style", ["fastback", "estate"])
def test_volumes_stay_where_a_handle_does_not_say_otherwise(style, end):
    car, morph = procedural(style), styled(style)
    for name, handle in morph.handles.items():
        bent = np.asarray(morph.vertices({name: getattr(handle, end)}))
        kept = {
            part: volume(bent, car.faces[first:last]) / volume(car.vertices, car.faces[first:last])
            for part, first, last in car.parts
        }
        assert kept["front_wheels"] == pytest.approx(1, abs=1e-4), name
        assert kept["rear_wheels"] == pytest.approx(1, abs=1e-4), name
        if name in ("ride_height", "mirror_scale"):
            assert kept["body"] == pytest.approx(1, abs=1e-4), name
        elif name not in LARGER_OR_SMALLER:
            assert kept["body"] == pytest.approx(1, abs=0.02), name
