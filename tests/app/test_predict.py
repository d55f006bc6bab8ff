"""The prediction contract on a real car and the bundled model: the same car gives the same drag, however it comes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from data.load import place_car
from data.mesh import RawMesh
from drivaer_app.conditions import Conditions
from drivaer_app.predict import Predictor, _disagreement

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "resources" / "samples" / "fastback.stl"
PUBLISHED = ROOT.parent / "shared" / "reference" / "regdgcnn" / "drag.pth"
TWO_COUNTS = 0.002


@pytest.fixture(scope="module")
def predictor():
    return Predictor(device="cpu")


@pytest.fixture(scope="module")
def mesh():
    loaded = trimesh.load(SAMPLE)
    return np.asarray(loaded.vertices), np.asarray(loaded.faces, np.int32)


@pytest.fixture(scope="module")
def reference(predictor, mesh):
    return predict(predictor, *mesh)


def predict(predictor, vertices, faces):
    return predictor.predict(place_car(RawMesh(np.asarray(vertices, float), np.asarray(faces, np.int32))))


def in_inches_y_up(vertices, faces):
    return np.column_stack([vertices[:, 0], vertices[:, 2], -vertices[:, 1]]) * 39.37 + [30, 100, -5], faces


def turned_in_millimetres(vertices, faces):
    return (vertices * [-1000, -1000, 1000] + [0, 0, -3000]).astype(np.float32), faces


def in_another_order(vertices, faces):
    rng = np.random.default_rng(0)
    order = rng.permutation(len(vertices))
    return vertices[order], rng.permutation(np.argsort(order)[faces])


def inside_out(vertices, faces):
    return vertices, faces[:, ::-1]


def four_times_the_faces(vertices, faces):
    return trimesh.remesh.subdivide(vertices, faces)


def half_the_faces(vertices, faces):
    import fast_simplification

    return fast_simplification.simplify(vertices.astype(np.float32), faces, 0.5)


@pytest.mark.parametrize(
    "delivered",
    [
        in_inches_y_up,
        turned_in_millimetres,
        in_another_order,
        inside_out,
        four_times_the_faces,
        half_the_faces,
    ],
)
def test_the_same_car_has_the_same_drag_however_it_is_delivered(predictor, mesh, reference, delivered):
    prediction = predict(predictor, *delivered(*mesh))
    assert prediction.cd == pytest.approx(reference.cd, abs=TWO_COUNTS)
    assert prediction.frontal_area == pytest.approx(reference.frontal_area, rel=1e-3)


def test_the_same_file_gives_the_same_answer_bit_for_bit(predictor):
    first, second = (predictor.predict(SAMPLE) for _ in range(2))
    without_times = [{k: v for k, v in p.record().items() if k != "seconds"} for p in (first, second)]
    assert without_times[0] == without_times[1]
    assert np.array_equal(first.file_fields.cp, second.file_fields.cp)


def test_a_given_area_rescales_coefficients_and_not_the_force(predictor, reference):
    other = predictor.predict(reference.car, Conditions(area=1.0))
    assert other.cd == pytest.approx(reference.cd * reference.frontal_area)
    assert other.drag == pytest.approx(reference.drag)


def test_pressure_is_high_on_the_nose_and_low_over_the_roof(reference):
    fields = reference.car_fields
    vertices = fields.vertices
    nose = vertices[:, 0] < vertices[:, 0].min() + 0.02
    roof = vertices[:, 2] > vertices[:, 2].max() - 0.02
    assert np.median(fields.cp[nose]) > 0.5
    assert np.median(fields.cp[roof]) < -0.2
    assert fields.cf[roof & fields.exposed, 0].mean() > 0


def test_a_wind_tunnels_model_is_looked_at_as_the_car_it_stands_for(predictor, mesh, reference):
    vertices, faces = mesh
    model = predict(predictor, 0.4 * vertices, faces)
    assert model.car.frame.unit == "m"
    assert model.cd == pytest.approx(reference.cd, abs=TWO_COUNTS)
    assert model.novelty == pytest.approx(reference.novelty, abs=0.2)
    assert model.cd_pressure == pytest.approx(reference.cd_pressure, rel=0.02)
    assert model.drag == pytest.approx(0.4**2 * reference.drag, rel=0.01)
    assert any("looked at as a full-size car" in warning for warning in model.warnings)
    assert not any("looked at as" in warning for warning in reference.warnings)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="needs ../shared/reference/regdgcnn")
def test_published_weights_answer_with_drag_alone_and_say_so():
    prediction = Predictor(PUBLISHED, "cpu").predict(SAMPLE)
    record = prediction.record()
    assert np.isfinite(record["cd"])
    assert record["cd_low"] is None and record["novelty"] is None and record["cd_pressure"] is None
    assert any("no interval, no fields" in warning for warning in record["warnings"])


def test_two_answers_further_apart_than_is_usual_are_reported_with_both_numbers(reference):
    surface = reference.surface

    def apart(share: float) -> list[str]:
        fields = surface.compared + share * surface.answers_apart
        return _disagreement(replace(surface, cd_pressure=fields - surface.cd_friction))

    assert apart(0.95) == apart(-0.95) == []
    for share in (1.05, -1.05):
        (sentence,) = apart(share)
        assert (
            f"{surface.compared:.3f}" in sentence
            and f"{surface.compared + share * surface.answers_apart:.3f}" in sentence
        )
