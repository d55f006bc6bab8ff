"""Labels for shapes between the cases: fits on what each segment of a car adds to its coefficients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.corpora.case_files import read_cases
from factory.gaussian_process import GaussianProcess
from factory.labels import (
    COEFFICIENTS,
    DesignFeatures,
    SumFit,
    cross_validate,
    cross_validate_sum,
    fit_coefficients,
    fit_label_of_few,
    ridge,
)
from factory.morph_generator import MorphGenerator
from factory.morphs import MorphDesign
from factory.segments import ENDS, N_SEGMENTS, forces_by_segment, segment_of
from gnn.template import likeness

SHARED = Path(__file__).resolve().parents[3] / "shared"
needs_corpus = pytest.mark.skipif(not (SHARED / "corpus").exists(), reason="needs ../shared/corpus")


def test_segments_follow_one_another_from_the_nose_on():
    x = np.linspace(-0.8, 3.8, 47)
    segment = segment_of(np.column_stack([x, np.zeros((47, 2))]))
    assert set(segment) == set(range(N_SEGMENTS)) and (np.diff(segment) >= 0).all()
    assert np.mean(segment == 0) == pytest.approx(ENDS[0], abs=0.03)


def test_pressure_and_friction_of_a_box_are_its_drag_and_lift():
    """One square metre ahead, behind, above: Cp 0.8, -0.2 and -0.5, friction 0.003 along the roof."""
    vectors = np.array([[-1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])
    cp, cf = np.array([0.8, -0.2, -0.5]), np.array([[0.0, 0, 0], [0, 0, 0], [0.003, 0, 0]])
    drag, lift = forces_by_segment(np.array([0, 3, 1]), vectors, cp, cf, frontal_area=2.0)
    assert drag == pytest.approx([0.8, 0.003, 0.0, 0.2])
    assert lift == pytest.approx([0.0, 0.5, 0.0, 0.0])


def _nose_and_tail(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Eight features; the nose goes with two of them, the tail with two others."""
    rows = rng.uniform(-1, 1, (n, 8))
    nose, tail = (np.sin(3 * rows[:, i]) * rows[:, i + 1] for i in (0, 4))
    return rows, np.column_stack([nose, tail])


def test_a_sum_is_learnt_from_its_parts_with_fewer_cases():
    rng = np.random.default_rng(3)
    rows, parts = _nose_and_tail(rng, 60)
    query, true = _nose_and_tail(rng, 300)
    whole = GaussianProcess.fit(rows, parts.sum(axis=1))(query)
    in_parts = SumFit.of(rows, parts, parts.sum(axis=1), GaussianProcess.fit)(query)
    error, error_in_parts = (np.abs(estimate - true.sum(axis=1)).mean() for estimate in (whole, in_parts))
    assert error_in_parts < 0.8 * error


def test_what_the_parts_leave_over_is_fitted_too():
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (60, 3))
    totals = 0.3 + 0.1 * rows[:, 0]
    fit = SumFit.of(rows, np.full((60, 2), 0.05), totals, lambda x, y: ridge(x, y, penalty=1e-9))
    assert fit(rows) == pytest.approx(totals, abs=1e-6)


def test_cross_validation_never_shows_a_fit_what_it_predicts():
    rng = np.random.default_rng(0)
    rows, noise = rng.normal(size=(60, 3)), rng.normal(size=60)
    predicted = cross_validate(rows, noise, lambda x, y: ridge(x, y, penalty=1e-6))
    assert np.corrcoef(predicted, noise)[0, 1] < 0.3
    line = rows @ [1.0, 2.0, 3.0] + 5
    assert cross_validate(rows, line, lambda x, y: ridge(x, y, penalty=1e-9)) == pytest.approx(line, abs=1e-6)


def test_cross_validation_of_a_sum_shows_neither_total_nor_parts():
    rng = np.random.default_rng(1)
    rows, noise = rng.normal(size=(64, 4)), rng.normal(size=(64, 2))
    estimate = cross_validate_sum(rows, noise, noise.sum(axis=1), lambda x, y: ridge(x, y, penalty=1e-6))
    assert np.corrcoef(estimate, noise.sum(axis=1))[0, 1] < 0.2
    alone = cross_validate(rows, noise[:, 0], ridge) + cross_validate(rows, noise[:, 1], ridge)
    assert cross_validate_sum(rows, noise, noise.sum(axis=1), ridge) == pytest.approx(alone)
    assert cross_validate_sum(rows, noise, noise.sum(axis=1), ridge, workers=2) == pytest.approx(alone)


def test_with_few_cases_the_linear_fit_has_its_say():
    rng = np.random.default_rng(2)
    rows = rng.uniform(-1, 1, (20, 18))
    values = 0.3 + 0.01 * rows @ rng.normal(size=18)
    query = rng.uniform(-1, 1, (50, 18))
    both = [fit(rows, values)(query) for fit in (fit_label_of_few, ridge)]
    assert np.corrcoef(*both)[0, 1] > 0.9


def test_many_rows_are_answered_as_each_alone_by_the_templates_likeness():
    rng = np.random.default_rng(5)
    rows, values = rng.normal(size=(30, 4)), rng.normal(size=30)
    process = GaussianProcess.fit(rows, values)
    query = rng.normal(size=(7, 4))
    shape = process.anchors, process.lengths[None], np.array([process.linear])
    alone = [process.constant + likeness(row, *shape)[0] @ process.pull for row in query]
    assert process(query) == pytest.approx(np.array(alone))


@needs_corpus
def test_a_cases_segments_add_up_to_its_coefficients_and_are_fitted_with_them():
    features = DesignFeatures(MorphGenerator(SHARED / "corpus", SHARED / "geometry/drivaer_fastback"))
    cases = read_cases(SHARED / "corpus")[:24]
    forces = features.forces_by_segment(cases)
    for i, name in enumerate(COEFFICIENTS):
        true = np.array([case.coefficients[name] for case in cases])
        assert np.abs(forces[:, i].sum(axis=1) - true).max() < 0.01
        assert np.std(forces[:, i].sum(axis=1) - true) < 0.1 * np.std(true)
    fit = fit_coefficients(cases, features)
    estimate = fit.with_segments([MorphDesign.of(case) for case in cases[:3]])
    assert estimate.shape == (3, len(COEFFICIENTS) * (1 + N_SEGMENTS))
    assert estimate[:, 0] == pytest.approx(estimate[:, 2 : 2 + N_SEGMENTS].sum(axis=1), abs=0.01)
