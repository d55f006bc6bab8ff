import numpy as np
import pytest

from gnn.novelty import N_STATIONS, NoveltyReference, profile


@pytest.fixture
def family():
    """Vectors on a curved two-parameter sheet with a little noise."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1, 1, (2, 600))
    directions = rng.normal(size=(3, 40))
    vectors = np.outer(a, directions[0]) + np.outer(b, directions[1]) + np.outer(0.1 * a * b, directions[2])
    return vectors + 0.01 * rng.normal(size=vectors.shape)


def test_members_score_below_one_and_strangers_above(family):
    reference = NoveltyReference.fit([family[:500]])
    assert np.mean([reference.score(v) <= 1 for v in family[500:]]) > 0.97
    assert reference.score(family.mean(axis=0)) < 0.9
    assert reference.score(family[0] * 4) > 1
    off = np.random.default_rng(1).normal(size=40)
    assert reference.score(family[0] + off) > 3


def test_profile_says_where_a_surface_is_wide_and_high():
    rng = np.random.default_rng(0)
    points = rng.uniform([-2, -0.9, -0.7], [2, 0.9, 0.7], (20000, 3)).astype(np.float32)
    normals = np.tile(np.array([[0, 0, 1]], np.float32), (len(points), 1))
    rows = profile(points, normals).reshape(N_STATIONS, 12)
    covered = rows[:, 0] > 0
    assert covered.sum() == 16
    assert rows[covered, 1] == pytest.approx(0.97 * 0.9, abs=0.02)
    assert rows[covered, 2] == pytest.approx(0.94 * 0.7, abs=0.03)
    assert not rows[~covered].any()


def test_what_lies_between_two_families_is_novel_and_members_of_either_are_not(family):
    apart = 40.0 * np.random.default_rng(2).normal(size=40)
    reference = NoveltyReference.fit([family[:500], family[:500] + apart])
    inside = [reference.score(v) <= 1 for shift in (0.0, 1.0) for v in family[500:] + shift * apart]
    assert np.mean(inside) > 0.97
    assert reference.score(family.mean(axis=0) + 0.5 * apart) > 3


def test_a_known_car_is_typical_and_its_neighbours_less_far_than_a_familys(family):
    stranger = family[0] + 5.0 * np.random.default_rng(3).normal(size=40)
    reference = NoveltyReference.fit([family[:500]])
    assert reference.score(stranger) > 3
    knowing = reference.knowing(stranger[None])
    assert knowing.score(stranger) < 0.01
    step = family[500] - family.mean(axis=0)
    assert knowing.score(stranger + step) == pytest.approx(2 * reference.score(family.mean(axis=0) + step), rel=0.1)
