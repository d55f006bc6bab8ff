"""k nearest neighbours against every distance in double precision."""

import pytest
import torch

from gnn import pruned_knn
from gnn.knn import BLOCK_BYTES, _all_pairs_knn, knn


def distances(cloud: torch.Tensor) -> torch.Tensor:
    """(N, N) squared distances in float64."""
    cloud = cloud.double()
    norms = cloud.square().sum(dim=1)
    return (norms[:, None] + norms - 2 * cloud @ cloud.T).clamp_min(0)


def assert_nearest(cloud: torch.Tensor, found: torch.Tensor, rounding: float) -> None:
    """The k found of every point are different points, and none left out is nearer than a found one by more than
    ``rounding``."""
    assert (found.sort(dim=1).values.diff(dim=1) > 0).all()
    every = distances(cloud)
    furthest = every.gather(1, found).amax(dim=1)
    nearest_left = every.scatter(1, found, float("inf")).amin(dim=1)
    assert (furthest <= nearest_left + rounding).all()


def surface_like(n_points: int, n_channels: int, noise: float) -> torch.Tensor:
    """Points on a curved sheet in many dimensions, with noise off it: what an EdgeConv layer's features look like."""
    random = torch.Generator().manual_seed(3)
    sheet = torch.rand(n_points, 2, generator=random)
    waves = torch.randn(2, n_channels, generator=random)
    spread = torch.randn(n_points, n_channels, generator=random)
    return torch.sin(sheet @ waves) + noise * spread


@pytest.mark.parametrize("n_channels", [3, 17])
@pytest.mark.parametrize("careful", [True, False])
def test_small_cloud_gets_the_nearest(n_channels, careful):
    cloud = torch.randn(200, n_channels, generator=torch.Generator().manual_seed(0))
    assert_nearest(cloud, knn(cloud[None], 12, careful)[0], rounding=1e-5)


@pytest.mark.parametrize(("n_channels", "noise"), [(3, 0.0), (3, 0.3), (64, 0.001), (256, 0.02), (256, 1.0)])
def test_large_cloud_gets_the_nearest(n_channels, noise):
    """Also where the sketches tell nothing (much noise), and every distance has to be looked at."""
    cloud = surface_like(2300, n_channels, noise)
    assert pruned_knn.pays(cloud, 40)
    assert_nearest(cloud, knn(cloud[None], 40)[0], rounding=2e-5 * cloud.square().sum(dim=1).max().item())


def test_search_is_certain_of_surfaces_and_only_of_the_nearest():
    cloud = surface_like(2300, 256, 0.02)
    found, certain = pruned_knn.search(cloud, 40)
    assert certain.float().mean() > 0.9
    every = distances(cloud)
    left = every.scatter(1, found, float("inf")).amin(dim=1)
    assert (every.gather(1, found).amax(dim=1)[certain] <= left[certain] + 1e-4).all()


def test_search_is_not_certain_of_noise():
    """With every direction alike a sketch bounds nothing, and the search has to say so."""
    cloud = torch.randn(2300, 256, generator=torch.Generator().manual_seed(0))
    assert pruned_knn.search(cloud, 40)[1].float().mean() < 0.1


@pytest.mark.parametrize("n_points", [400, 2300])
def test_ties_take_everything_nearer_and_as_many_of_the_tied_as_fit(n_points):
    """On a lattice many points tie for the last places: which of them is open, but not that they are the nearest."""
    cloud = torch.cartesian_prod(torch.arange(20.0), torch.arange(n_points / 20))
    cloud = torch.cat((cloud, torch.zeros(n_points, 1)), dim=1)
    found = knn(cloud[None], 40)[0]
    got = distances(cloud).gather(1, found).sort(dim=1).values
    assert torch.equal(got, distances(cloud).sort(dim=1).values[:, :40])


def test_repeated_points_are_all_neighbours():
    cloud = torch.randn(2300, 3, generator=torch.Generator().manual_seed(0))
    cloud[100:130] = cloud[7]
    found = knn(cloud[None], 40)[0]
    twins = {7, *range(100, 130)}
    assert all(twins <= set(found[point].tolist()) for point in twins)


def test_all_points_the_same_still_gives_k_different_neighbours():
    found = knn(torch.ones(1, 2300, 3), 40)[0]
    assert (found.sort(dim=1).values.diff(dim=1) > 0).all()


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_scale_does_not_matter(scale):
    cloud = torch.randn(300, 3, generator=torch.Generator().manual_seed(0)) * scale
    assert_nearest(cloud, knn(cloud[None], 10)[0], rounding=1e-5 * scale**2)


def test_clouds_of_a_batch_do_not_see_each_other():
    clouds = torch.randn(3, 150, 3, generator=torch.Generator().manual_seed(0))
    together = knn(clouds, 9).sort(dim=2).values
    apart = torch.cat([knn(cloud[None], 9) for cloud in clouds]).sort(dim=2).values
    assert torch.equal(together, apart)


def test_blocks_do_not_change_the_answer(monkeypatch):
    cloud = torch.randn(1, 500, 16, generator=torch.Generator().manual_seed(0))
    whole = knn(cloud, 20).sort(dim=2).values
    seven_rows = 7 * 4 * 500
    assert seven_rows < BLOCK_BYTES
    monkeypatch.setattr("gnn.knn.BLOCK_BYTES", seven_rows)
    assert torch.equal(knn(cloud, 20).sort(dim=2).values, whole)


@pytest.mark.parametrize("k", [0, 31])
def test_impossible_k_is_refused(k):
    with pytest.raises(ValueError, match="cloud of 30 points"):
        knn(torch.zeros(1, 30, 3), k)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e20])
def test_points_without_distances_are_refused(bad):
    cloud = torch.zeros(1, 50, 3)
    cloud[0, 4, 1] = bad
    with pytest.raises(ValueError, match="not finite"):
        knn(cloud, 5)


def test_clouds_worked_on_together_get_what_each_gets_alone():
    """As a GPU is asked; the order of sums may differ, so near ties are told from the distances."""
    clouds = torch.stack([surface_like(300, 24, 0.05), surface_like(300, 24, 0.3), torch.ones(300, 24)])
    found_together = _all_pairs_knn(clouds, torch.arange(300), 12, BLOCK_BYTES)
    for cloud, found in zip(clouds, found_together, strict=True):
        assert_nearest(cloud, found, rounding=1e-4)
