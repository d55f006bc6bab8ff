"""Families of one mesh in the bundled model's training: designs between the cases, labelled by a fit on these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.corpora.morphed_families import read_families
from drivaer_app.paths import built_in_corpus
from factory.assemble import _interval_off_template, answers_apart
from factory.families import FamilyShape, families_of, fit_family_coefficients, random_family_designs
from gnn.training.cars import FamilyCar, FamilyClouds, split


@pytest.fixture(scope="module")
def families():
    return read_families(built_in_corpus() / "procedural_cars")


@pytest.fixture(scope="module")
def clouds(families):
    return [FamilyClouds(family, pool=1024) for _, family in sorted(families[0].items())]


@pytest.fixture(scope="module")
def cars(families, clouds):
    """Sixty pretended cases, whose drag follows two handles and the family."""
    made = []
    for i, shape in enumerate(random_family_designs(clouds, 60, seed=3)):
        like = next(case for case in families[1] if case.family == shape.clouds.family.name)
        known = {**like.coefficients, "cd": _drag(shape)}
        case = replace(like, name=f"p{i}", design=i, parameters=shape.values, coefficients=known)
        made.append(FamilyCar(case, shape.clouds))
    return made


def _drag(shape: FamilyShape) -> float:
    family = shape.clouds.family
    low, high = family.handles.range_of("ride_height")
    return 0.3 + 0.02 * (shape.values["ride_height"] - low) / (high - low) + 0.01 * (family.style == "fastback")


def test_designs_lie_within_the_handles_ranges_and_in_every_family(clouds):
    shapes = random_family_designs(clouds, 4 * len(clouds), seed=1)
    assert {shape.clouds.family.name for shape in shapes} == {c.family.name for c in clouds}
    for shape in shapes:
        shape.clouds.family.handles.amounts_of(shape.values)  # raises where a value is out of range


def test_their_points_are_the_designs_own(clouds):
    shape = random_family_designs(clouds, 2, seed=1)[0]
    cloud = shape.draw(256, np.random.default_rng(0))
    vertices = shape.clouds.family.mesh_on(shape.clouds.family.handles.amounts_of(shape.values))[0]
    assert np.ptp(cloud.points[:, 0]) <= np.ptp(vertices[:, 0]) + 1e-3
    assert np.linalg.norm(cloud.normals, axis=1) == pytest.approx(1.0, abs=1e-4)


def test_a_fit_on_the_cases_labels_designs_between_them(cars, clouds):
    between = random_family_designs(clouds, 30, seed=9)
    predicted = fit_family_coefficients(cars)(between)
    true = np.array([_drag(shape) for shape in between])
    assert np.abs(predicted[:, 0] - true).mean() < 0.3 * true.std()


def test_every_fifth_design_is_held_out(cars, clouds):
    learnt, held_out = split(cars)
    assert {car.case.design % 5 for car in held_out} == {2} and len(learnt) == 48
    assert len(families_of(cars)) == len(clouds)


def test_of_few_held_out_designs_the_interval_is_their_largest_error():
    assert _interval_off_template(np.array([])) is None
    assert _interval_off_template(np.array([0.01, -0.03])) == {"half_width": 0.03, "coverage": None}
    many = _interval_off_template(np.linspace(-0.02, 0.02, 40))
    assert many["half_width"] < 0.02 and many["coverage"] >= 0.85


def test_answers_lie_apart_as_they_do_on_nine_of_ten_held_out_designs():
    designs = [{"predicted": 0.3, "field_integral": 0.3 + 0.001 * i} for i in range(19)]
    of_families = [{"cd_predicted": 0.3, "cd_fields": 0.3 - 0.002 * i} for i in range(19)]
    few = answers_apart({"designs": designs, "families": {"designs": of_families[:5]}})
    assert few == {"half_width": pytest.approx(0.017)}
    both = answers_apart({"designs": designs, "families": {"designs": of_families}})
    assert both == {"half_width": pytest.approx(0.017), "off_template": pytest.approx(0.034)}
