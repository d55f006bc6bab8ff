"""Neighbours that single precision can hardly tell apart: decided alike whatever the order of the sums."""

import torch

from gnn.knn import knn
from gnn.near_ties import nearest_of


def far_from_the_origin(n_points: int) -> torch.Tensor:
    """Points whose distances are a thousandth of their squares, as features of a deep layer have them."""
    random = torch.Generator().manual_seed(5)
    return 4.0 + 0.1 * torch.randn(n_points, 64, generator=random)


def test_channels_in_another_order_give_the_same_neighbours():
    """A processor's order of summing is one of these."""
    cloud = far_from_the_origin(400)
    shuffled = cloud[:, torch.randperm(64, generator=torch.Generator().manual_seed(1))]
    first, second = (knn(c[None], 20).sort(dim=2).values for c in (cloud, shuffled))
    assert torch.equal(first, second)


def test_a_tie_takes_the_later_point():
    cloud = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    distances = (cloud - cloud[0]).square().sum(dim=1)[None]
    found = nearest_of(cloud, torch.tensor([0]), torch.arange(4)[None], distances, 3)
    assert set(found[0].tolist()) == {0, 2, 3}
