"""``drivaer morph`` as a user meets it: what it writes, what it leaves alone, what it says to mistakes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from data.formats import read_mesh
from data.load import place_car
from data.mesh import RawMesh
from drivaer_app.cli.app import main
from drivaer_app.shapes.car import build_car
from drivaer_app.shapes.mesh_files import write_mesh
from drivaer_app.shapes.parameters import CarParameters


@pytest.fixture(scope="module")
def car_mm(tmp_path_factory) -> Path:
    """A car with named parts in millimetres, roof along y, nose along +x, somewhere in space."""
    shape = build_car(CarParameters.for_style("notchback"), resolution=0.05)
    turned = np.stack([-shape.vertices[:, 0], shape.vertices[:, 2], shape.vertices[:, 1]], axis=1)
    path = tmp_path_factory.mktemp("cars") / "car.obj"
    write_mesh(path, RawMesh(1000.0 * turned + (5000.0, 20.0, -300.0), shape.faces, parts=shape.parts))
    return path


def run(*arguments: object) -> int:
    return main(["morph", *map(str, arguments)])


@pytest.mark.parametrize("suffix", [".obj", ".stl", ".ply"])
def test_the_output_keeps_unit_axes_place_faces_and_the_order_of_them(car_mm, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert run(car_mm, "--set", "roof_height=0.05", "ride_height=-0.01", "-o", out) == 0
    before, after = read_mesh(car_mm), read_mesh(out)
    moved = after.vertices[after.faces] - before.vertices[before.faces]
    body = slice(*before.parts[0][1:])
    assert np.abs(moved[..., [0, 2]]).max() < 1e-2
    assert moved[body, :, 1].max() == pytest.approx(40.0, abs=0.1)
    assert moved[body, :, 1].min() == pytest.approx(-10.0, abs=0.1)


@pytest.mark.parametrize("suffix", [".obj", ".stl"])
def test_the_output_keeps_the_parts(car_mm, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert run(car_mm, "--set", "width=0.05", "-o", out) == 0
    assert read_mesh(out).parts == read_mesh(car_mm).parts


def test_neutral_values_write_the_same_numbers(car_mm, tmp_path):
    out = tmp_path / "out.obj"
    assert run(car_mm, "--set", "roof_height=0", "mirror_scale=1", "-o", out) == 0
    assert np.array_equal(read_mesh(out).vertices, read_mesh(car_mm).vertices)


def test_it_says_what_it_read_the_car_as(car_mm, tmp_path, capsys):
    run(car_mm, "--set", "roof_height=0.02", "-o", tmp_path / "out.stl")
    message = capsys.readouterr()
    assert "read as mm, nose along x, roof along y" in message.err
    assert message.out.strip() == str(tmp_path / "out.stl")


def test_a_half_car_stays_half(car_mm, tmp_path):
    raw = read_mesh(car_mm)
    half = raw.faces[(raw.vertices[raw.faces, 2] >= -300.0).all(axis=1)]
    source, out = tmp_path / "half.ply", tmp_path / "out.ply"
    write_mesh(source, RawMesh(raw.vertices, half))
    assert place_car(read_mesh(source)).frame.mirrored
    assert run(source, "--set", "width=0.1", "-o", out) == 0
    before, after = read_mesh(source), read_mesh(out)
    assert np.array_equal(after.faces, before.faces)
    used = np.unique(half)
    assert (after.vertices[used, 2] - before.vertices[used, 2]).max() == pytest.approx(50.0, abs=0.5)
    assert after.vertices[used, 2].min() == pytest.approx(-300.0, abs=0.01)


def test_a_sweep_writes_a_variant_for_each_value_and_a_table(car_mm, tmp_path):
    folder = tmp_path / "sweep"
    assert run(car_mm, "--sweep", "boat_tail=0:8:3", "roof_height=0:0.04:2", "--set", "width=0.02", "-o", folder) == 0
    with (folder / "variants.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(float(r["boat_tail"]), float(r["roof_height"])) for r in rows] == [
        (b, r) for b in (0, 4, 8) for r in (0, 0.04)
    ]
    assert {r["width"] for r in rows} == {"0.02"}
    assert {r["file"] for r in rows} == {p.name for p in folder.glob("*.obj")}


def test_the_input_is_never_overwritten(car_mm, capsys):
    before = car_mm.read_bytes()
    assert run(car_mm, "--set", "width=0.05", "-o", car_mm) == 2
    assert "would overwrite the input" in capsys.readouterr().err
    assert car_mm.read_bytes() == before


def test_list_tells_the_handles_with_ranges(capsys):
    assert run("--list") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "-4 to 10 deg" in lines["boat_tail"]
    assert "0.7 to 1.3" in lines["mirror_scale"]


def test_list_with_a_car_tells_its_landmarks(car_mm, capsys):
    assert run(car_mm, "--list") == 0
    out = capsys.readouterr().out
    assert "windscreen" in out
    assert "28." in next(line for line in out.splitlines() if "windscreen " in line)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("CAR", "-o", "out.stl", "--set", "boattail=3"), "did you mean boat_tail?"),
        (("CAR", "-o", "out.stl", "--set", "boat_tail=33"), "-4 to 10 deg"),
        (("CAR", "-o", "out.stl", "--set", "boat_tail"), "NAME=VALUE"),
        (("CAR", "-o", "out.stl", "--set", "boat_tail=much"), "much is not a number"),
        (("CAR", "-o", "out.stl", "--set", "boat_tail=1", "boat_tail=2"), "given twice"),
        (("CAR", "-o", "out.stl", "--sweep", "boat_tail=0:8:5"), "give a folder"),
        (("CAR", "-o", "sweep/", "--sweep", "boat_tail=0:8"), "START:STOP:COUNT"),
        (("CAR", "-o", "sweep/", "--sweep", "boat_tail=0:8:0"), "START:STOP:COUNT"),
        (("CAR", "-o", "out.step", "--set", "boat_tail=1"), ".stl"),
        (("CAR", "--set", "boat_tail=1"), "where to?"),
        (("CAR", "-o", "out.stl"), "what to change?"),
        (("CAR", "-o", "sweep/", "--sweep", "boat_tail=0:99:3"), "-4 to 10 deg"),
        (("--set", "boat_tail=1", "-o", "out.stl"), "which car?"),
        (("CAR", "other.stl", "--set", "boat_tail=1", "-o", "out.stl"), "one car at a time"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(car_mm, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(*(car_mm if a == "CAR" else a for a in arguments)) == 2
    err = capsys.readouterr().err
    assert message in err.splitlines()[-1]
    assert "drivaer morph --help" in err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_one_line_and_status_1(tmp_path, capsys):
    assert run(tmp_path / "none.stl", "--set", "boat_tail=1", "-o", tmp_path / "out.stl") == 1
    assert "none.stl" in capsys.readouterr().err
