"""What is going to be solved: domain, wheels, mirrors, dictionaries."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from data.errors import DrivAerError, MeshError
from data.load import place_car
from data.mesh import RawMesh
from data.weld import weld
from drivaer_app.cfd.domain import plinths
from drivaer_app.cfd.mirrors import find_mirrors
from drivaer_app.cfd.places import PLACES, places_of
from drivaer_app.cfd.presets import PRESETS, Layers, Schemes, preset_of
from drivaer_app.cfd.setup import TURBULENCE_FIELDS, case_files, set_up, surfaces
from drivaer_app.cfd.wheels import find_wheels
from drivaer_app.conditions import Conditions


def as_car(vertices, faces, **parts):
    return place_car(
        RawMesh(np.asarray(vertices, float), np.asarray(faces, np.int32), **parts), unit="m", up="z", forward="-x"
    )


@pytest.fixture(scope="module")
def coarse(car):
    return set_up(car, PRESETS["coarse"])


def test_the_sample_cars_wheels_are_found_by_their_shape(car):
    front, rear = find_wheels(car)
    assert (front.name, rear.name) == ("frontWheels", "rearWheels")
    assert front.x == pytest.approx(0.0, abs=1e-3)
    assert rear.x == pytest.approx(2.786, abs=1e-3)
    assert front.radius == pytest.approx(0.3185, abs=1e-3)
    assert front.z == pytest.approx(0.3145, abs=2e-3)
    assert len(front.faces) == len(rear.faces) == 8400


def test_a_drivaers_rims_and_discs_turn_with_its_tyres(shared):
    from factory.morph_generator import MorphGenerator

    generator = MorphGenerator(shared / "corpus", shared / "geometry" / "drivaer_fastback")
    vertices, faces, part = generator.surface("detailed")
    found = find_wheels(as_car(vertices, faces))
    for axle, number in zip(found, (1, 2), strict=True):
        own = part[faces[:, 0]] == number
        turning = np.zeros(len(faces), bool)
        turning[axle.faces] = True
        assert (turning & own).sum() > 0.98 * own.sum()
        assert not (turning & ~own).any()


def test_wheels_that_are_one_piece_with_the_body_are_found(car):
    from manifold3d import Manifold, Mesh

    axles = find_wheels(car)
    vertices, faces, _ = weld(car.vertices, car.faces)
    solid = Manifold(Mesh(vertices.astype(np.float32), faces.astype(np.uint32)))
    for axle in axles:
        rod = Manifold.cylinder(1.6, 0.06, center=True).rotate([90, 0, 0])
        solid += rod.translate([axle.x, 0, axle.z])
    mesh = solid.to_mesh()
    one_piece = as_car(mesh.vert_properties[:, :3], mesh.tri_verts)
    assert one_piece.health.n_bodies == 1
    for found, true in zip(find_wheels(one_piece), axles, strict=True):
        assert found.x == pytest.approx(true.x, abs=0.01)
        assert found.radius == pytest.approx(true.radius, rel=0.02)
        area = trimesh.Trimesh(one_piece.vertices, one_piece.faces[found.faces]).area
        assert area == pytest.approx(trimesh.Trimesh(car.vertices, car.faces[true.faces]).area, rel=0.08)


def test_a_body_without_wheels_has_none(car):
    vertices, faces, _ = car.vertices, car.faces, None
    wheels = np.concatenate([axle.faces for axle in find_wheels(car)])
    body = np.delete(faces, wheels, axis=0)
    setup = set_up(as_car(vertices, body), PRESETS["coarse"])
    assert setup.axles == ()
    assert any("stand still" in warning for warning in setup.warnings)


def test_mirrors_are_found_on_both_sides(car):
    right, left = find_mirrors(car)
    for low, high in (right, left):
        assert 0.7 < low[0] < high[0] < 1.0
        assert 0.9 < low[2] < high[2] < 1.2
    assert right[1][1] < 0 < left[0][1]


def test_a_plinth_fills_the_wedge_under_a_tyre(coarse):
    front = coarse.axles[0]
    for block, (y0, y1) in zip(plinths(front, coarse.surface_cell), front.tyres, strict=True):
        assert block.low[2] < 0 < block.high[2] < coarse.surface_cell
        assert y0 < block.low[1] < block.high[1] < y1
        # Its upper edges lie on the tyre, which hides its top.
        assert np.hypot(block.high[0] - front.x, block.high[2] - front.z) == pytest.approx(front.radius)


def test_a_symmetric_car_needs_half_a_domain(coarse):
    assert coarse.domain.half
    assert coarse.domain.box.low[1] == 0
    assert coarse.domain.blockage < 0.04


@pytest.mark.parametrize(("preset", "warns"), [("trial", True), ("draft", False)])
def test_a_trial_says_that_its_numbers_mean_nothing(car, preset, warns):
    warnings = set_up(car, preset_of(preset)).warnings
    assert any("mean nothing" in warning for warning in warnings) is warns


def test_a_car_with_a_box_on_one_side_needs_all_of_it(car):
    box = trimesh.creation.box(bounds=[[0.5, 0.4, 1.3], [2.5, 0.8, 1.7]])
    vertices = np.concatenate([car.vertices, box.vertices])
    lopsided = as_car(vertices, np.concatenate([car.faces, box.faces + len(car.vertices)]))
    setup = set_up(lopsided, PRESETS["coarse"])
    assert not setup.domain.half
    assert setup.domain.box.low[1] == -setup.domain.box.high[1]
    assert any("sides differ" in warning for warning in setup.warnings)


def test_the_domain_grows_with_the_car(car, coarse):
    double = set_up(
        replace(car, as_given=2 * car.as_given, frontal_area=4 * car.frontal_area), PRESETS["coarse"], half=True
    )
    assert double.domain.cells == coarse.domain.cells
    assert double.domain.cell == pytest.approx(2 * coarse.domain.cell)
    assert double.domain.blockage == pytest.approx(coarse.domain.blockage)


def test_more_room_is_less_blockage(car, coarse):
    roomy = set_up(car, replace(PRESETS["coarse"], room=2.0))
    assert coarse.domain.blockage == pytest.approx(0.03, abs=0.003)
    assert roomy.domain.blockage == pytest.approx(coarse.domain.blockage / 4, rel=0.1)
    assert roomy.domain.cell == coarse.domain.cell


def test_a_point_cloud_cannot_be_meshed_around(car):
    with pytest.raises(MeshError, match="point cloud"):
        set_up(replace(car, faces=car.faces[:0]), PRESETS["coarse"])


def test_an_open_shell_is_refused_in_words(car):
    open_car = replace(car, health=replace(car.health, sheet_fraction=0.6))
    with pytest.raises(MeshError, match="both sides of 60 % of the surface"):
        set_up(open_car, PRESETS["coarse"])


def test_no_dictionary_keeps_a_placeholder(coarse):
    for name, text in case_files(coarse, 300, 2).items():
        left = re.findall(r"\$\{?\w+", text)
        assert set(left) <= {"$internalField"}, name


def test_the_road_moves_with_the_wind_and_the_tread_with_the_road(car):
    setup = set_up(car, PRESETS["coarse"], Conditions(speed=40.0))
    velocity = case_files(setup, 300, 1)["0/U"]
    assert "uniform (40 0 0)" in velocity
    assert "ground      { type fixedValue; value $internalField; }" in velocity
    omega = float(re.search(r"frontWheels .*omega ([\d.]+)", velocity)[1])
    assert omega * setup.axles[0].radius == pytest.approx(40.0, rel=1e-5)
    assert "axis (0 -1 0)" in velocity


def test_on_a_fixed_floor_nothing_moves(car):
    velocity = case_files(set_up(car, PRESETS["coarse"], moving_ground=False), 300, 1)["0/U"]
    assert "ground      { type noSlip; }" in velocity
    assert "rotating" not in velocity


def test_coefficients_of_half_a_car_refer_to_half_its_area(coarse):
    control = case_files(coarse, 300, 1)["system/controlDict"]
    area = float(re.search(r"Aref\s+([\d.]+)", control)[1])
    assert 2 * area == pytest.approx(coarse.car.frontal_area, rel=1e-6)


def test_iterations_and_processes_do_not_make_another_case(car, coarse):
    assert set_up(car, replace(PRESETS["coarse"], iterations=99)).fingerprint() == coarse.fingerprint()
    assert set_up(car, PRESETS["medium"]).fingerprint() != coarse.fingerprint()
    assert set_up(car, PRESETS["coarse"], Conditions(speed=31)).fingerprint() != coarse.fingerprint()


def test_boundary_layer_cells_grow_on_the_walls_that_the_preset_names(car):
    preset = replace(PRESETS["coarse"], layers=Layers(6, wheels=4, ground=2, expansion=1.3, slip_angle=30.0))
    controls = case_files(set_up(car, preset), 1, 1)["system/snappyHexMeshDict"].split("addLayersControls")[1]
    grown = dict(re.findall(r"(\w+) \{ nSurfaceLayers (\d+); \}", controls))
    assert grown == {"body": "6", "frontWheels": "4", "rearWheels": "4", "ground": "2"}
    assert re.search(r"expansionRatio\s+1\.3;", controls)
    assert re.search(r"slipFeatureAngle\s+30;", controls)


def test_no_layers_are_asked_for_where_the_preset_wants_none(coarse):
    controls = case_files(coarse, 1, 1)["system/snappyHexMeshDict"].split("addLayersControls")[1]
    assert re.findall(r"(\w+) \{ nSurfaceLayers", controls) == ["body"]


def test_schemes_are_the_presets(car):
    open_schemes = Schemes("linearUpwindV", gradient_limit=0.0, non_orthogonal=0.8, model="realizableKE")
    files = case_files(set_up(car, replace(PRESETS["coarse"], schemes=open_schemes)), 1, 1)
    schemes = files["system/fvSchemes"]
    assert "bounded Gauss linearUpwindV grad(U);" in schemes
    assert "cellLimited" not in schemes
    assert "Gauss linear limited 0.8;" in schemes
    assert re.search(r"RASModel\s+realizableKE;", files["constant/turbulenceProperties"])


@pytest.mark.parametrize("model", TURBULENCE_FIELDS)
def test_a_case_has_the_fields_of_its_closure_and_of_no_other(car, model):
    files = case_files(set_up(car, replace(PRESETS["coarse"], schemes=Schemes(model=model))), 1, 1)
    fields = {name.removeprefix("0/") for name in files if name.startswith("0/")}
    assert fields == {"U", "p", "nut", *TURBULENCE_FIELDS[model]}


def test_every_face_of_the_car_is_on_one_patch(coarse):
    parts = surfaces(coarse)
    blocks = 12 * 2 * len(coarse.axles)
    whole = sum(len(faces) for _, faces in parts.values()) - blocks
    assert set(parts) == {"body", "frontWheels", "rearWheels"}
    assert whole == len(coarse.car.faces) - coarse.car.health.n_degenerate_faces


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(DrivAerError, match="coarse, medium, fine"):
        preset_of("finest")


@pytest.mark.parametrize(
    ("point", "normal", "place"),
    [
        ((-0.8, 0, 0.4), (-1, 0, 0), "nose"),
        ((3.75, 0, 0.6), (1, 0, 0), "base"),
        ((1.4, 0, 1.41), (0, 0, 1), "roof"),
        ((0.5, 0, 1.1), (-0.6, 0, 0.8), "windscreen"),
        ((1.5, 0, 0.16), (0, 0, -1), "underbody"),
        ((2.786, 0.85, 0.5), (0, 1, 0), "wheels"),
        ((1.5, 0.9, 0.7), (0, 1, 0), "sides"),
        ((0.2, 0, 0.85), (0, 0, 1), "bonnet"),
    ],
)
def test_places_have_their_names(coarse, point, normal, place):
    (found,) = places_of(coarse.car, coarse.axles, np.array([point], float), np.array([normal], float))
    assert PLACES[found] == place
