"""k nearest neighbours in feature space, in bounded memory.

The distance is the published one, ``|x_i|^2 - 2 x_i.x_j + |x_j|^2``, and a point is among its own neighbours.
Everything nearer than the k-th neighbour is always taken. Distances that differ by less than their rounding are taken
in the order that `gnn.near_ties` gives them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gnn import pruned_knn
from gnn.near_ties import SPARE, nearest_of
from gnn.smallest import smallest

BLOCK_BYTES = 32 * 2**20
"""What one block of the distance matrix may take."""
GPU_BLOCK_BYTES = 512 * 2**20
"""The same where thousands of rows are worked on at once."""


@torch.no_grad()
def knn(features: Tensor, k: int) -> Tensor:
    """Indices of each point's k nearest neighbours in its own cloud, itself included, in no particular order.

    Large clouds on a CPU are pruned first (see `gnn.pruned_knn`); wherever that is not certain to have found the
    nearest, every distance is looked at.

    Args:
        features: (B, N, C) float tensor.
        k: neighbours for each point, 1..N.

    Returns:
        (B, N, k) int64, each entry in 0..N-1.

    Raises:
        ValueError: k outside 1..N, or features that are not finite or too large to square.
    """
    n_points = features.shape[1]
    if not 1 <= k <= n_points:
        raise ValueError(f"k = {k} neighbours asked of a cloud of {n_points} points; k must lie in 1..{n_points}")
    norms = features.square().sum(dim=2)
    if not torch.isfinite(norms.amax() * 4):
        raise ValueError("features are not finite, or too large for their distances to be")
    with torch.autocast(features.device.type, enabled=False):  # in lower precision there are ties everywhere
        if features.device.type == "cpu":
            return torch.stack([_knn_of_cloud(cloud, k) for cloud in features])
        together = GPU_BLOCK_BYTES // (features.element_size() * n_points**2)
        if not together:
            every = torch.arange(n_points, device=features.device)
            return torch.stack([all_pairs_knn(cloud, every, k, GPU_BLOCK_BYTES) for cloud in features])
        return torch.cat([_knn_of_clouds(clouds, k) for clouds in features.split(together)])


def _knn_of_cloud(cloud: Tensor, k: int) -> Tensor:
    """(N, C) features to (N, k) indices."""
    if not pruned_knn.pays(cloud, k):
        return all_pairs_knn(cloud, torch.arange(len(cloud), device=cloud.device), k)
    found, certain = pruned_knn.search(cloud, k)
    unsure = torch.nonzero(~certain).flatten()
    if len(unsure):
        found[unsure] = all_pairs_knn(cloud, unsure, k)
    return found


def _knn_of_clouds(clouds: Tensor, k: int) -> Tensor:
    """(B, N, C) features to (B, N, k) indices, in steps that work on all clouds: a GPU waits for every step's start."""
    n_clouds, n_points, _ = clouds.shape
    centred = clouds - clouds.mean(dim=1, keepdim=True)
    norms = centred.square().sum(dim=2)
    distances = torch.baddbmm(norms[:, None], centred, centred.transpose(1, 2), alpha=-2).add_(norms[..., None])
    values, candidates = smallest(distances, min(k + SPARE, n_points))
    first = n_points * torch.arange(n_clouds, device=clouds.device)[:, None, None]
    rows = torch.arange(n_clouds * n_points, device=clouds.device)
    found = nearest_of(clouds.flatten(0, 1), rows, (candidates + first).flatten(0, 1), values.flatten(0, 1), k)
    return found.view(n_clouds, n_points, k) - first


def all_pairs_knn(cloud: Tensor, rows: Tensor, k: int, block_bytes: int | None = None) -> Tensor:
    """The (M, k) indices of the points nearest to the points ``rows`` (M,) of the (N, C) cloud, from every distance."""
    centred = cloud - cloud.mean(dim=0)
    norms = centred.square().sum(dim=1)
    n_kept = min(k + SPARE, len(cloud))
    block = max(1, (block_bytes or BLOCK_BYTES) // (cloud.element_size() * len(cloud)))
    found = []
    for some in rows.split(block):
        distances = torch.addmm(norms, centred[some], centred.T, alpha=-2).add_(norms[some, None])
        values, candidates = smallest(distances, n_kept)
        found.append(nearest_of(cloud, some, candidates, values, k))
    return torch.cat(found)
