"""Clouds drawn once and held: what is drawn from them is the shape's own."""

import numpy as np
import pytest

from factory.cloud_pool import CloudPool
from gnn.training.cars import LabelledCloud
from tests.factory.test_drag_training import SHAPES


@pytest.fixture(scope="module")
def pool() -> CloudPool:
    return CloudPool.of(SHAPES, "cpu", held=200)


def test_clouds_are_the_points_of_the_shapes_asked_for(pool):
    which = np.array([3, 20, 3])
    clouds = pool.draw(which, 150, np.random.default_rng(0)).numpy()
    held = pool.columns.numpy() * np.float32([1, -1, 1])
    for number, cloud in zip(which, clouds, strict=True):
        points = np.concatenate([pool.columns[number].numpy(), held[number]]).round(5)
        assert len(np.unique(cloud.round(5), axis=0)) == 150
        assert {*map(tuple, cloud.round(5).tolist())} <= {*map(tuple, points.tolist())}
    assert not np.array_equal(clouds[0], clouds[2])


def test_half_of_the_clouds_are_mirrored_and_the_pool_is_left_as_it_was(pool):
    before = pool.columns.clone()
    which = np.zeros(400, int)
    clouds = pool.draw(which, 200, np.random.default_rng(1))
    total = before[0, :, 1].sum()
    mirrored = ((clouds[..., 1].sum(dim=1) - total).abs() > abs(total)).float().mean()
    assert 0.4 < mirrored < 0.6
    assert (pool.columns == before).all()


def test_the_same_pool_is_drawn_again_and_shapes_are_in_order(pool):
    again = CloudPool.of(SHAPES, "cpu", held=200)
    assert (again.columns == pool.columns).all()
    lengths = pool.columns[..., 0].abs().amax(dim=1)
    assert (lengths.diff() > 0).float().mean() > 0.9


class Lopsided:
    """A car whose fields are its points: Cp x + z, Cf the point itself; wholly on the right."""

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        points = rng.uniform(0.1, 1.0, (n, 3)).astype(np.float32)
        return LabelledCloud(points, points[:, ::-1].copy(), np.column_stack([points[:, 0] + points[:, 2], points]))


def test_fields_are_mirrored_with_the_points():
    pool = CloudPool.of_fields([Lopsided()], "cpu", held=100)
    clouds = pool.draw(np.zeros(40, int), 60, np.random.default_rng(0)).numpy()
    points, normals, cp, cf = np.split(clouds, [3, 6, 7], axis=2)
    assert {*np.sign(points[..., 1]).ravel()} == {-1, 1}
    np.testing.assert_array_equal(cf, points)
    np.testing.assert_array_equal(normals, points[..., ::-1])
    np.testing.assert_array_equal(cp[..., 0], points[..., 0] + points[..., 2])
