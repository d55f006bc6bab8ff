"""The command line as a user meets it: a process with arguments, two streams and an exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def drivaer(*arguments: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", **options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict",), "Missing argument"),
        (("predict", "--jsn", "a.stl"), "--json"),
        (("predic", "a.stl"), "predict"),
        (("predict", "a.stl", "--units", "mmm"), "Did you mean mm?"),
        (("predict", "a.stl", "--speed", "-3"), "--speed must be a positive number"),
        (("predict", "a.stl", "--up", "x", "--forward", "-x"), "same axis"),
        (("predict", "a.stl", "b.stl", "--field", "out.vtp"), "give a folder"),
        (("predict", "a.stl", "--picture", "out.jpg"), ".png"),
        (("predict", "a.stl", "--model", "no-such-model"), "no such model"),
        (("window", "a.stl", "--shot", "out.jpg"), ".png"),
        (("window", "--shot", "out.png"), "something to show"),
        (("window", "a.stl", "--size", "large"), "1600x1000"),
        (("window", "a.stl", "--show", "speed"), "'difference'"),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out_and_status_2(arguments, message):
    done = drivaer(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a screen be absent")
@pytest.mark.parametrize("arguments", [(), ("window",)])
def test_without_a_command_the_window_opens_and_where_there_is_no_screen_that_is_one_line(arguments):
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    without = {name: value for name, value in os.environ.items() if name not in screens}
    done = drivaer(*arguments, env=without)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "no screen" in done.stderr


@pytest.fixture(scope="module")
def batch(tmp_path_factory, sample_file):
    """One run over a missing file, a good car, an empty file and a folder, with fields and a picture."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "empty.stl").touch()
    (folder / "bare").mkdir()
    inputs = [folder / "missing.stl", sample_file, folder / "empty.stl", folder / "bare"]
    done = drivaer("predict", *inputs, "--json", "--field", folder / "out", "--picture", folder / "out")
    return done, inputs, folder / "out"


def test_json_has_one_object_a_file_in_input_order_and_nothing_else(batch):
    done, inputs, _ = batch
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["file"] for record in records] == [str(file) for file in inputs]
    assert [record["status"] for record in records] == ["error", "ok", "error", "error"]
    assert done.returncode == 1


def test_each_failure_names_its_file_in_one_line(batch):
    done, inputs, _ = batch
    for file, line in zip(inputs, done.stdout.splitlines(), strict=True):
        record = json.loads(line)
        if record["status"] == "error":
            assert record["error"].startswith(str(file))
            assert "\n" not in record["error"]


def test_a_record_keeps_the_contract(batch):
    record = json.loads(batch[0].stdout.splitlines()[1])
    numbers = ["cd", "cd_low", "cd_high", "cl", "cd_pressure", "cd_friction"]
    numbers += ["frontal_area_m2", "cda_m2", "drag_n", "speed_ms", "novelty"]
    assert all(np.isfinite(record[name]) for name in numbers)
    assert record["cd_low"] <= record["cd"] <= record["cd_high"]
    assert record["cda_m2"] == pytest.approx(record["cd"] * record["frontal_area_m2"], rel=1e-3)
    assert record["drag_n"] == pytest.approx(0.5 * record["density_kgm3"] * 30**2 * record["cda_m2"], rel=1e-3)
    assert record["in_distribution"] is (record["novelty"] <= 1)
    assert set(record["import"]) == {"unit", "to_metres", "up", "forward", "mirrored", "confidence"}
    assert record["import"]["unit"] == "m" and record["import"]["forward"] == "-x"
    assert record["n_faces"] > 1000 and isinstance(record["watertight"], bool)
    seconds = record["seconds"]
    assert seconds["total"] == pytest.approx(sum(v for k, v in seconds.items() if k != "total"), abs=1e-3)


def test_fields_lie_on_the_vertices_of_the_file(batch, sample_file):
    import pyvista

    from data.formats import read_mesh

    written = pyvista.read(batch[2] / "fastback.vtp")
    raw = read_mesh(sample_file)
    np.testing.assert_array_equal(written.points, raw.vertices.astype(written.points.dtype))
    np.testing.assert_array_equal(written.faces.reshape(-1, 4)[:, 1:], raw.faces)
    assert written["Cp"].shape == (len(raw.vertices),) and written["Cf"].shape == (len(raw.vertices), 3)
    # Stagnation at the nose, suction over the roof: the field is on the right places of the right car.
    x, z = written.points[:, 0], written.points[:, 2]
    nose = (x < x.min() + 0.1) & (abs(z - 0.5) < 0.2)
    roof = z > z.max() - 0.05
    assert written["Cp"][nose].mean() > 0.3 > 0 > written["Cp"][roof].mean()


def test_the_picture_is_a_png_with_the_car_in_it(batch):
    from PIL import Image

    image = np.asarray(Image.open(batch[2] / "fastback.png").convert("RGB")).astype(int)
    red, blue = image[..., 0] - image[..., 2] > 60, image[..., 2] - image[..., 0] > 60
    assert image.shape[0] > 800 and image.shape[1] > 1200
    assert red.mean() > 0.01 and blue.mean() > 0.01


def test_people_read_drag_interval_area_and_what_was_assumed(sample_file):
    done = drivaer("predict", sample_file, "--area", 2, env={**os.environ, "COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    for words in ("Cd", "90 % interval", "Drag", "30 m/s", "frontal area 2.000 m²", "metres", "nose along -x", "faces"):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


def test_a_reader_that_goes_away_is_no_error():
    missing = [f"missing_{i:04}.stl" for i in range(2000)]  # lines of more bytes than a pipe holds, at no cost
    command = [sys.executable, str(ROOT / "main.py"), "predict", *missing, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    message = process.stderr.read()
    process.wait()
    assert "Traceback" not in message and "BrokenPipe" not in message


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path, sample_file):
    for i in range(60):  # far more than can be done before the signal arrives
        (tmp_path / f"{i:02}.stl").symlink_to(sample_file)
    # The first answer needs no prediction, so that the signal arrives in the first one.
    command = [sys.executable, str(ROOT / "main.py"), "predict", "missing.stl", str(tmp_path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, message = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in message and "Traceback" not in message
