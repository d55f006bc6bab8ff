"""``import drivaer`` says what the commands say, whatever the mesh comes as, and loads nothing before it is used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh

import drivaer
from data.formats import read_mesh
from drivaer_app.cli.app import main
from tests.test_layers import HEAVY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def car(tmp_path_factory, make_cars):
    (file,) = make_cars(tmp_path_factory.mktemp("cars"), 1)
    return file


@pytest.fixture(scope="module")
def wider(tmp_path_factory, make_cars):
    return make_cars(tmp_path_factory.mktemp("cars"), 3)[2]


@pytest.fixture(scope="module")
def predicted(car):
    return drivaer.predict(car)


def printed(capfd, *words) -> list[dict]:
    """What a command says with --json, without times."""
    assert main([*map(str, words), "--json"]) == 0
    return [untimed(json.loads(line)) for line in capfd.readouterr().out.splitlines()]


def untimed(record: dict) -> dict:
    return {name: value for name, value in record.items() if name not in ("seconds", "file", "status")}


def as_arrays(file):
    mesh = read_mesh(file)
    return mesh.vertices, mesh.faces


def as_lists(file):
    vertices, faces = as_arrays(file)
    return [vertices.tolist(), faces.tolist()]


def as_trimesh(file):
    return trimesh.load(file, process=False)


def as_welded_trimesh(file):
    return trimesh.load(file)


def as_poly_data(file):
    return pyvista.wrap(trimesh.load(file, process=False))


@pytest.mark.parametrize("given", [as_arrays, as_lists, as_trimesh, as_welded_trimesh, as_poly_data])
def test_a_mesh_in_memory_is_predicted_as_its_file_is(car, predicted, given):
    mesh = given(car)
    prediction = drivaer.predict(mesh)
    assert untimed(prediction.record()) == untimed(predicted.record())
    vertices = mesh.vertices if given is as_welded_trimesh else as_arrays(car)[0]
    assert len(prediction.cp) == len(prediction.cf) == len(prediction.exposed) == len(vertices)
    if len(vertices) == len(predicted.cp):
        assert np.array_equal(prediction.cp, predicted.cp) and np.array_equal(prediction.cf, predicted.cf)
    else:  # of a welded mesh each vertex has what the file's vertices at its place have
        at = {tuple(place): cp for place, cp in zip(as_arrays(car)[0], predicted.cp, strict=True)}
        assert [at[tuple(place)] for place in vertices] == prediction.cp.tolist()


def test_predict_says_what_the_command_says(car, capfd):
    (answer,) = printed(capfd, "predict", car, "--speed", 40, "--area", 2.1, "--units", "m")
    assert untimed(drivaer.predict(car, speed=40, area=2.1, units="m").record()) == answer


def test_fields_are_those_of_the_field_file(car, predicted, tmp_path):
    assert main(["predict", str(car), "--field", str(tmp_path / "car.vtp")]) == 0
    written = pyvista.read(tmp_path / "car.vtp")
    assert np.array_equal(written.point_data["Cp"], predicted.cp)
    assert np.array_equal(written.point_data["Cf"], predicted.cf)
    assert np.array_equal(written.point_data["Exposed"].astype(bool), predicted.exposed)


def test_fields_lie_along_the_meshs_own_axes(car):
    vertices, faces = as_arrays(car)
    turned = np.column_stack([vertices[:, 0], vertices[:, 2], -vertices[:, 1]]) * 1000  # up is y, millimetres
    straight = drivaer.predict((vertices, faces), units="m", up="z", forward="-x")
    other = drivaer.predict((turned, faces), units="mm", up="y", forward="-x")
    assert other.cd == pytest.approx(straight.cd, abs=0.002)
    both = straight.exposed & other.exposed
    apart = other.cf[both] - straight.cf[both][:, [0, 2, 1]] * [1, 1, -1]
    assert np.sqrt((apart**2).mean()) < 0.1 * np.sqrt((straight.cf[both] ** 2).mean())


def test_compare_says_what_the_command_says(car, wider, capfd):
    _, answer = printed(capfd, "compare", car, wider)
    comparison = drivaer.compare(wider, car)
    assert untimed(comparison.record()) == answer
    assert comparison.counts == pytest.approx(1000 * (comparison.prediction.cd - comparison.baseline.cd))


def test_pressure_differences_lie_on_the_given_vertices(car, wider):
    comparison = drivaer.compare(wider, car)
    there = comparison.counterpart
    assert len(comparison.delta_cp) == len(comparison.prediction.cp) == len(there)
    assert there.mean() > 0.5 and not comparison.delta_cp[~there].any()
    # The two meshes have the same vertices, so that the baseline's value at each is known.
    expected = comparison.prediction.cp - comparison.baseline.cp
    apart = np.abs(comparison.delta_cp - expected)[there]
    assert np.median(apart) < 0.02


def test_morph_moves_vertices_as_the_command_does(sample_file, tmp_path):
    values = {"boat_tail": 4.0, "ride_height": -0.01}
    settings = [f"{name}={value}" for name, value in values.items()]
    assert main(["morph", str(sample_file), "--set", *settings, "-o", str(tmp_path / "bent.stl")]) == 0
    bent = drivaer.morph(sample_file, values)
    assert np.array_equal(bent.vertices.astype(np.float32), read_mesh(tmp_path / "bent.stl").vertices)
    assert not np.array_equal(bent.vertices, read_mesh(sample_file).vertices)


def test_a_loaded_car_is_predicted_as_its_file(car, predicted):
    loaded = drivaer.load(car)
    assert loaded.frontal_area == predicted.frontal_area
    assert drivaer.Predictor().predict(loaded).cd == predicted.cd


def test_given_arrays_are_not_kept(car, predicted):
    vertices, faces = as_arrays(car)
    prediction = drivaer.predict((vertices, faces))
    vertices[:] = 0.0
    assert np.array_equal(prediction.cp, predicted.cp)


SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("mesh", "says"),
    [
        (42, "a int is no mesh"),
        (trimesh.Scene(), "scene.to_mesh"),
        (pyvista.ImageData(), "extract_surface"),
        ((SQUARE, [[0, 1, 4]]), "refers to vertex 4"),
        ((SQUARE, [[0, 1, 2, 3]]), "shape (1, 4)"),
        ((SQUARE, [[0.0, 1.0, 2.5]]), "type float64"),
        ((SQUARE[:, :2], [[0, 1, 2]]), "vertices have the shape (4, 2)"),
        ((np.full((4, 3), np.nan), [[0, 1, 2]]), "NaN or infinite coordinates"),
        (([["a", "b", "c"]], []), "vertices are of the type"),
        (pyvista.PolyData(), "no vertices"),
        ("no/such.stl", "no such file"),
    ],
)
def test_what_is_no_mesh_is_reported_in_one_line(mesh, says):
    with pytest.raises(drivaer.DrivAerError) as error:
        drivaer.predict(mesh)
    assert says in error.value.line and "\n" not in error.value.line


@pytest.mark.parametrize(
    "keywords",
    [{"units": "furlong"}, {"up": "z", "forward": "-z"}, {"speed": -1.0}, {"model": "no-such"}, {"device": "abacus"}],
)
def test_a_wrong_argument_is_a_drivaer_error(car, keywords):
    with pytest.raises(drivaer.DrivAerError):
        drivaer.predict(car, **keywords)


def test_a_study_opened_and_saved_keeps_what_was_found(car, wider, tmp_path):
    from drivaer_app.desk.study_file import SavedStudy, SavedVariant, read_study, write_study
    from drivaer_app.results import Result

    study = drivaer.Study()
    first, second = study.add([car, wider])
    result = Result.of(drivaer.predict(car), "0" * 64)
    kept = {key: SavedVariant(result) for key in (first, second)}
    write_study(tmp_path / "cars.drivaer", SavedStudy(study.state, kept))
    study = drivaer.Study.open(tmp_path / "cars.drivaer")
    study.rename(first, "base")
    study.set_reading(second, drivaer.Reading(unit="m"))
    study.save()
    again = read_study(tmp_path / "cars.drivaer")
    assert [v.name for v in again.state.variants] == ["base", wider.stem]
    assert again.kept[first].result == result and again.kept[second].result is None


def test_a_catalogue_and_its_designs_are_read(car, tmp_path):
    import shutil

    shutil.copy(car, tmp_path / "car_00.stl")
    (tmp_path / "labels.csv").write_text("design,cd\ncar_00,0.3\n")
    assert main(["data", "scan", str(tmp_path)]) == 0
    assert main(["data", "prepare", str(tmp_path), "--points", "256"]) == 0
    with drivaer.Catalogue.open(tmp_path) as catalogue:
        assert [design.cd for design in catalogue.designs()] == [0.3]
    (item,) = drivaer.DesignDataset(tmp_path, 256)
    assert item["points"].shape == (256, 3) and item["cd"] == np.float32(0.3)


def test_importing_it_loads_nothing_heavy_and_dir_tells_its_names():
    program = "import sys, drivaer; print(*sys.modules); print(*dir(drivaer))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded, names = (line.split() for line in done.stdout.splitlines())
    assert not HEAVY.intersection(name.partition(".")[0] for name in loaded)
    assert sorted(names) == sorted(drivaer.__all__)
    assert all(getattr(drivaer, name) is not None for name in names)


def test_the_version_is_reported_once(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"drivaer {drivaer.__version__}\n"


def test_the_readmes_lines_colour_a_mesh(tmp_path):
    readme = (ROOT / "README.md").read_text("utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "pyvista" in block]
    picture = tmp_path / "picture.png"
    code = code.replace("mesh.plot(", f"mesh.plot(off_screen=True, screenshot={str(picture)!r}, ")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert picture.is_file()
