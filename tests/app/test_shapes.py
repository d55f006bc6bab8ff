"""Procedural cars: closed, symmetric, of the size asked for, refused when they cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.shapes.car import CarShape, build_car
from drivaer_app.shapes.parameters import RANGES, STYLES, CarParameters, random_parameters
from tests.conftest import volume

COARSE = 0.04
MM = 1e-3


@pytest.fixture(scope="module")
def fastback() -> CarShape:
    return build_car(CarParameters())


@pytest.fixture(scope="module", params=STYLES)
def styled(request) -> CarShape:
    return build_car(CarParameters.for_style(request.param), resolution=COARSE)


def part(car: CarShape, name: str) -> np.ndarray:
    return next(car.faces[first:last] for part_name, first, last in car.parts if part_name == name)


def open_edges(faces: np.ndarray) -> int:
    """Directed edges that are not met by exactly one edge the other way: 0 for a closed, consistently wound surface."""
    n = int(faces.max()) + 1
    start, end = faces.ravel().astype(np.int64), faces[:, [1, 2, 0]].ravel().astype(np.int64)
    edges, counts = np.unique(start * n + end, return_counts=True)
    backwards = np.unique(end * n + start)
    return int((counts > 1).sum()) + len(np.setxor1d(edges, backwards))


def body_size(car: CarShape) -> tuple[np.ndarray, np.ndarray]:
    corners = car.vertices[part(car, "body")].reshape(-1, 3)
    return corners.min(axis=0), corners.max(axis=0)


def test_every_style_is_closed_and_consistently_wound(styled):
    assert open_edges(styled.faces) == 0


def test_every_style_is_wound_outward(styled):
    body = np.concatenate([part(styled, "body"), part(styled, "mirrors")])
    p = styled.parameters
    box = p.length * p.width * p.height
    assert 0.4 * box < volume(styled.vertices, body) < 0.85 * box
    for name in ("front_wheels", "rear_wheels"):
        cylinders = 2 * np.pi * p.tyre_radius**2 * p.tyre_width
        assert 0.6 * cylinders < volume(styled.vertices, part(styled, name)) < cylinders


def test_parts_cover_all_faces_once(styled):
    ends = [0] + [last for _, _, last in styled.parts]
    assert [first for _, first, _ in styled.parts] == ends[:-1]
    assert ends[-1] == len(styled.faces)
    assert {name for name, _, _ in styled.parts} == {"body", "mirrors", "front_wheels", "rear_wheels"}


def test_left_and_right_are_exact_mirror_images(styled):
    rows = {tuple(row) for row in np.round(styled.vertices, 9)}
    assert all((x, 0.0 - y, z) in rows for x, y, z in rows)


def test_body_has_the_length_width_and_height_asked_for(styled):
    p = styled.parameters
    low, high = body_size(styled)
    assert low[0] == pytest.approx(-p.front_overhang, abs=2 * MM)
    assert high - low == pytest.approx([p.length, p.width, p.height - p.ride_height], abs=3 * MM)
    assert high[2] == pytest.approx(p.height, abs=2 * MM)


def test_wheels_stand_on_the_ground_a_wheelbase_apart(styled):
    p = styled.parameters
    middles = []
    for name in ("front_wheels", "rear_wheels"):
        corners = styled.vertices[part(styled, name)].reshape(-1, 3)
        assert corners[:, 2].min() == 0.0
        middles.append(0.5 * (corners[:, 0].min() + corners[:, 0].max()))
    assert middles == pytest.approx([0.0, p.wheelbase], abs=MM)
    assert styled.vertices[:, 2].min() == 0.0


@pytest.mark.parametrize("wheels", ["front_wheels", "rear_wheels"])
def test_wheels_clear_the_body(fastback, wheels):
    import open3d as o3d

    body = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(fastback.vertices), o3d.utility.Vector3iVector(part(fastback, "body"))
    )
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.t.geometry.TriangleMesh.from_legacy(body))
    on_wheels = fastback.vertices[np.unique(part(fastback, wheels))].astype(np.float32)
    assert scene.compute_distance(on_wheels).numpy().min() > 0.5 * fastback.parameters.wheelhouse_gap


def test_default_car_is_fine_enough_and_its_stl_small_enough(fastback):
    assert 30_000 < len(fastback.faces) < 60_000


def test_surface_has_no_stairs(fastback):
    """Neighbouring faces of the roof and bonnet, where nothing is creased, turn by a few degrees at most."""
    import trimesh

    body = trimesh.Trimesh(fastback.vertices, part(fastback, "body"), process=False)
    corners = fastback.vertices[body.faces[body.face_adjacency].reshape(len(body.face_adjacency), -1)]
    p = fastback.parameters
    roof = (corners[..., 2].min(axis=1) > p.height - 0.03) & (np.abs(corners[..., 1]).max(axis=1) < 0.35)
    assert roof.sum() > 50
    assert np.degrees(body.face_adjacency_angles[roof]).max() < 6.0


def test_no_triangle_spans_the_car(fastback):
    corners = fastback.vertices[fastback.faces]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() < 0.6


def test_mirror_scale_zero_leaves_mirrors_off():
    car = build_car(CarParameters.for_style("fastback", mirror_scale=0.0), resolution=COARSE)
    assert "mirrors" not in {name for name, _, _ in car.parts}
    assert np.abs(car.vertices[:, 1]).max() == pytest.approx(0.5 * car.parameters.width, abs=2 * MM)
    assert open_edges(car.faces) == 0


def test_tunnel_takes_volume_out_of_the_underbody():
    smooth, tunnel = (
        build_car(CarParameters.for_style("estate", underbody=underbody), resolution=COARSE)
        for underbody in ("smooth", "tunnel")
    )
    missing = volume(smooth.vertices, smooth.faces) - volume(tunnel.vertices, tunnel.faces)
    assert 0.03 < missing < 0.12


@pytest.mark.parametrize("name", sorted(RANGES))
def test_out_of_range_is_refused_with_the_range(name):
    low, high = RANGES[name]
    with pytest.raises(DrivAerError, match=rf"{name}.*out of range.*{low:g} to {high:g}"):
        CarParameters.for_style("fastback", **{name: high * 1.01 + 0.01})
    with pytest.raises(DrivAerError, match=name):
        CarParameters.for_style("fastback", **{name: low - 0.01})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "long", None])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(DrivAerError, match="length"):
        CarParameters.for_style("fastback", length=value)


def test_values_that_make_no_car_together_are_refused():
    with pytest.raises(DrivAerError, match="rear overhang"):
        CarParameters.for_style("fastback", length=3.5)


def test_unknown_style_and_parameter_are_refused_with_the_choices():
    with pytest.raises(DrivAerError, match="fastback, notchback"):
        CarParameters.for_style("coupe")
    with pytest.raises(DrivAerError, match="wheel_base.*wheelbase"):
        CarParameters.for_style("suv", wheel_base=2.7)


def test_each_style_has_its_silhouette():
    """Height of the centreline half a metre ahead of the tail: boots are low, tailgates high."""
    over_boot = {}
    for style in ("notchback", "fastback", "estate"):
        car = build_car(CarParameters.for_style(style), resolution=COARSE)
        behind = car.vertices[np.abs(car.vertices[:, 0] - (car.parameters.tail_x - 0.5)) < 0.04]
        over_boot[style] = behind[:, 2].max()
    assert over_boot["notchback"] + 0.05 < over_boot["fastback"] < over_boot["estate"] - 0.05


@pytest.mark.parametrize("style", STYLES)
def test_random_cars_differ_are_repeatable_and_within_range(style):
    drawn = [random_parameters(style, seed) for seed in range(20)]
    assert drawn == [random_parameters(style, seed) for seed in range(20)]
    assert len({p.length for p in drawn}) == 20
    assert all(low <= getattr(p, name) <= high for p in drawn for name, (low, high) in RANGES.items())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("style", STYLES)
def test_random_cars_are_closed(style, seed):
    car = build_car(random_parameters(style, seed), resolution=COARSE)
    assert open_edges(car.faces) == 0
    low, high = body_size(car)
    assert high[0] - low[0] == pytest.approx(car.parameters.length, abs=4 * MM)


def test_random_cars_keep_what_is_fixed():
    assert random_parameters("van", 3, wheelbase=3.1).wheelbase == 3.1


def test_same_parameters_give_the_same_mesh():
    first, second = (build_car(random_parameters("suv", 5), resolution=COARSE) for _ in range(2))
    assert np.array_equal(first.vertices, second.vertices)
    assert np.array_equal(first.faces, second.faces)


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
def test_export_reads_back_as_the_same_car(styled, tmp_path, suffix):
    import trimesh

    path = styled.export(tmp_path / "new folder" / f"car{suffix}")
    loaded = trimesh.load(path, force="mesh", process=False)
    assert len(loaded.faces) == len(styled.faces)
    assert loaded.volume == pytest.approx(volume(styled.vertices, styled.faces), rel=1e-4)


def test_obj_names_the_parts(styled, tmp_path):
    text = styled.export(tmp_path / "car.obj").read_text()
    names = [line.split()[1] for line in text.splitlines() if line.startswith(("o ", "g "))]
    assert names == [name for name, _, _ in styled.parts]


def test_export_to_an_unknown_format_says_what_to_name_it(styled, tmp_path):
    with pytest.raises(DrivAerError, match=r"car\.step.*\.stl"):
        styled.export(tmp_path / "car.step")


def test_resolution_out_of_range_is_refused():
    with pytest.raises(DrivAerError, match=r"0\.012 to 0\.05"):
        build_car(CarParameters(), resolution=0.2)


def shapes_command(*arguments: str):
    import typer
    from typer.testing import CliRunner

    from drivaer_app.cli.shapes import shapes

    app = typer.Typer()
    app.command()(shapes)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command_writes_random_cars_and_their_parameters(tmp_path):
    import csv

    asked = ("--style", "estate", "--random", 2, "--seed", 7, "--set", "length=4.7", "--resolution", 40)
    result = shapes_command(*asked, "-o", tmp_path)
    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["cars.csv", "estate_0007.stl", "estate_0008.stl"]
    with (tmp_path / "cars.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["estate_0007", "estate_0008"]
    assert [float(row["length"]) for row in rows] == [4.7, 4.7]
    assert float(rows[0]["width"]) == random_parameters("estate", 7, length=4.7).width


def test_command_lists_parameters_with_their_ranges():
    result = shapes_command("--list", "--style", "van")
    lines = {line.split()[0]: line for line in result.output.splitlines()}
    assert set(RANGES) <= set(lines)
    assert "1.55 to 2.1" in lines["width"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "length"), "NAME=VALUE"),
        (("--set", "length=9"), "3.4 to 5.6"),
        (("--style", "pickup"), "estate"),
        (("--format", "step"), ".stl"),
    ],
)
def test_command_refuses_what_it_cannot_build(tmp_path, arguments, message):
    result = shapes_command(*arguments, "-o", tmp_path)
    assert isinstance(result.exception, DrivAerError)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []
