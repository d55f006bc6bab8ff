"""The benchmark against the outside: its sums, what it asks, and that its pages say what its figures say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import outside, outside_cars, outside_handles, outside_tables, outside_truth
from benchmarks.outside_cars import Answers, Question
from benchmarks.outside_handles import Slope, central, verdict
from data.load import load_car
from drivaer_app.shapes.handles import HANDLES
from drivaer_app.shapes.morph import Morph
from factory.published_effects import MATCHES, Effect, drivaerml_effects, linear_effects


def answer(cd: float, half: float | None = 0.01, **more) -> dict:
    interval = {"low": None, "high": None} if half is None else {"low": cd - half, "high": cd + half}
    law = [0.9, 0.004, 0.1, 100]
    return {"cd": cd, **interval, "cl": 0.1, "area": 2.17, "novelty": 0.3, "known": True, "law": law, **more}


# Sums


def test_a_central_difference_is_exact_for_a_parabola_where_steps_are_equal():
    slope = central(*((x, 3.0 * x + 2.0 * x**2) for x in (-0.5, 0.0, 0.5)))
    assert (slope.down, slope.up, slope.both) == pytest.approx((2.0, 4.0, 3.0))


def test_a_central_difference_takes_steps_of_different_length():
    slope = central((-2.0, -4.0), (0.0, 0.0), (1.0, 2.0))
    assert (slope.down, slope.up, slope.both) == pytest.approx((2.0, 2.0, 2.0))
    assert (slope.step_down, slope.step_up) == (2.0, 1.0)


def test_a_linear_fit_finds_slopes_their_errors_and_what_it_explains():
    rng = np.random.default_rng(3)
    rows = rng.uniform(-50, 50, (2000, 3))
    slopes, noise = np.array([0.4, -0.1, 0.0]), 5.0
    effects, r2 = linear_effects(rows, 250 + rows @ slopes + noise * rng.standard_normal(2000))
    expected = noise / (rows.std(axis=0) * np.sqrt(2000))
    assert [e.error for e in effects] == pytest.approx(expected, rel=0.1)
    assert [e.slope for e in effects] == pytest.approx(slopes, abs=4 * expected.max())
    assert [abs(e.t) > 5 for e in effects] == [True, True, False]
    assert effects[0].over_range == pytest.approx(40, rel=0.05)
    signal = (rows @ slopes).var()
    assert r2 == pytest.approx(signal / (signal + noise**2), abs=0.03)


@pytest.mark.parametrize(
    ("low", "high", "inside"), [(0.3, 0.3, True), (0.311, 0.311, False), (0.25, 0.291, True), (0.25, 0.28, False)]
)
def test_a_truth_is_inside_where_it_and_the_interval_meet(low, high, inside):
    assert outside_tables.is_inside(low, high, answer(0.3)) is inside


def test_without_an_interval_nothing_is_inside_or_outside():
    assert outside_tables.is_inside(0.3, 0.3, answer(0.3, None)) is None


@pytest.mark.parametrize(("predicted", "apart"), [(0.24, -0.01), (0.255, 0.0), (0.27, 0.01)])
def test_a_prediction_is_off_a_range_by_the_way_to_its_nearer_end(predicted, apart):
    assert outside_tables.off(0.25, 0.26, predicted) == pytest.approx(apart)


def test_agreement_is_that_of_predicted_with_true():
    true = np.array([0.2, 0.3, 0.4])
    figures = outside_tables.agreement(np.stack([true[::-1] + 0.1, true], axis=1))
    assert figures["r"] == pytest.approx(-1)
    assert figures["mae"] == pytest.approx((0.3 + 0.1 + 0.1) / 3)
    assert figures["r2"] < 0


def test_a_difference_is_reported_as_the_program_tells_it():
    kept = outside_tables.difference(answer(0.32), answer(0.30))
    assert kept.counts == pytest.approx(20)
    assert kept.half_width == pytest.approx(6)  # 0.004 + 0.1 * 0.02
    assert kept.is_certain
    assert outside_tables.difference(answer(0.32, known=False), answer(0.30)).half_width is None


def test_effects_are_judged_by_sign_size_and_idleness():
    effects = {match.parameter: Effect(0.001, 0.01, -50, 50) for match in MATCHES}
    effects |= {"Vehicle_Width": Effect(0.4, 0.01, -100, 100), "Vehicle_Pitch": Effect(5.0, 0.5, -1, 1)}
    still = {match.handle: Slope(0.0, 0.0, 0.0, 1, 1) for match in MATCHES}
    still["pitch"] = None
    moved = {"width": Slope(0.3, 0.3, 0.3, 1, 1), "boot_height": Slope(-0.2, -0.2, -0.2, 1, 1)}
    found = verdict(effects, still | moved)
    assert (found.n_secure, found.signs, found.within_two, found.n_large) == (2, 1, 1, 1)
    assert (found.idle, found.idle_name) == (pytest.approx(20), "boot_height")
    assert found.large["Vehicle_Width"] == pytest.approx(0.75)
    assert np.isnan(found.large["Vehicle_Pitch"])


def test_a_handle_that_works_the_other_way_round_has_its_slope_turned():
    match = next(match for match in MATCHES if match.sense < 0)
    key = outside_handles.CAR_KEYS["fastback"]
    up, down = (f"bent/fastback {match.handle} {way}" for way in ("up", "down"))
    answers = {key: answer(0.300), up: answer(0.298, by=10.0), down: answer(0.303, by=-10.0)}
    slope = outside_handles.slope_of(match, "fastback", answers)
    assert (slope.down, slope.up, slope.both) == pytest.approx((0.2, 0.3, 0.25))


def test_what_was_not_asked_has_reached_nothing(shared):
    effects, _, _ = drivaerml_effects(outside_cars.DRIVAERML_TABLES)
    shown = outside.content_of({}, effects, {})["outside-aims"]
    assert "reached" not in shown
    assert "nan" not in outside.content_of({}, effects, {})["outside-words"]


# Questions


@pytest.fixture(scope="module")
def morph(sample_file) -> Morph:
    return Morph.of(load_car(sample_file))


@pytest.mark.parametrize("match", MATCHES, ids=lambda match: match.handle)
def test_a_step_of_a_handle_goes_as_far_as_it_says(morph, match):
    if match.handle not in morph.handles:
        pytest.skip("this car lacks the handle")
    value, gone = outside_cars.step_value(morph, morph.handles[match.handle], -0.02, match.by_value)
    moved = np.abs(morph.displacement(morph.car.vertices, {match.handle: value})).max()
    assert value < 0
    assert gone == pytest.approx(-0.02, rel=1e-3)
    if not match.by_value:
        assert moved == pytest.approx(-gone)


def test_a_step_beyond_a_handles_range_ends_there(morph):
    for by_value in (True, False):
        value, _ = outside_cars.step_value(morph, morph.handles["nose_length"], 5.0, by_value)
        assert value == pytest.approx(morph.handles["nose_length"].high)


def test_every_question_is_asked_once_and_every_parameter_has_its_handles(shared):
    effects, r2, n_runs = drivaerml_effects(outside_cars.DRIVAERML_TABLES)
    keys = [question.key for question in outside.questions(effects)]
    assert len(keys) == len(set(keys)) > 350
    assert {match.parameter for match in MATCHES} == set(effects)
    assert all(match.handle in HANDLES for match in MATCHES)
    assert (round(r2, 3), n_runs) == (0.962, 484)
    assert sum(effect.is_secure for effect in effects.values()) == 7


def test_runs_with_known_flaws_or_without_shape_are_not_compared(shared):
    tests = outside_truth.ahmed_tests()
    assert not {105, 159, 492, 500} & {run for of_set in tests.values() for run in of_set}
    assert sorted(len(of_set) for of_set in tests.values()) == [50, 98, 100, 100, 100]
    assert "full, medium, scarce, super_scarce" in tests


# Answers


def _twice(predictor, value):
    return {"predicted": 2 * value}


def test_answers_are_kept_for_their_model_and_asked_but_once(tmp_path):
    questions = [Question(f"car/{i}", _twice, (i,)) for i in range(3)]
    answers = Answers(tmp_path / "answers.json")
    answers.of["car/1"] = {"predicted": "before"}
    assert sorted(answers.ask(questions, 1)) == ["car/0", "car/2"]
    known = Answers(tmp_path / "answers.json")
    assert known.of == {"car/0": {"predicted": 0}, "car/1": {"predicted": "before"}, "car/2": {"predicted": 4}}
    kept = json.loads(known.file.read_text("utf-8"))
    known.file.write_text(json.dumps(kept | {"key": "of another model"}), "utf-8")
    assert Answers(tmp_path / "answers.json").of == {}


def test_the_page_says_what_the_figures_say(shared):
    kept = json.loads(outside.FIGURES.read_text("utf-8"))
    effects, _, _ = drivaerml_effects(outside_cars.DRIVAERML_TABLES)
    page = outside.DOCS.read_text("utf-8")
    metrics = outside.metrics_of(outside.BUNDLED)
    for name, content in outside.content_of(kept["answers"], effects, metrics).items():
        assert f"<!-- {name} -->\n{content}\n<!-- /{name} -->" in page, name
