"""k nearest neighbours in feature space, in bounded memory.

The distance is the published one, ``|x_i|^2 - 2 x_i.x_j + |x_j|^2``, and a point is among its own neighbours.
Everything nearer than the k-th neighbour is always taken. Distances that differ by less than their rounding are taken
in the order that `gnn.near_ties` gives them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gnn import pruned_knn
from gnn.gpu import tf32_products
from gnn.near_ties import SPARE, nearest_of
from gnn.smallest import smallest

BLOCK_BYTES = 32 * 2**20
"""What one block of the distance matrix may take."""
GPU_BLOCK_BYTES = 512 * 2**20
"""The same where thousands of rows are worked on at once."""


@torch.no_grad()
def knn(features: Tensor, k: int, careful: bool = True) -> Tensor:
    """Indices of each point's k nearest neighbours in its own cloud, itself included, in no particular order.

    Large clouds on a CPU are pruned first (see `gnn.pruned_knn`); wherever that is not certain to have found the
    nearest, every distance is looked at.

    Args:
        features: (B, N, C) float tensor.
        k: neighbours for each point, 1..N.
        careful: whether to settle near ties and to look for features that are no numbers. On a GPU both wait for what
            it has worked out so far; a training that does without can be captured, and learns the same.

    Returns:
        (B, N, k) int64, each entry in 0..N-1.

    Raises:
        ValueError: k outside 1..N, or features that are not finite or too large to square.
    """
    n_points = features.shape[1]
    if not 1 <= k <= n_points:
        raise ValueError(f"k = {k} neighbours asked of a cloud of {n_points} points; k must lie in 1..{n_points}")
    if careful and not torch.isfinite(features.square().sum(dim=2).amax() * 4):
        raise ValueError("features are not finite, or too large for their distances to be")
    # In lower precision there are ties everywhere.
    with torch.autocast(features.device.type, enabled=False), tf32_products(False):
        if features.device.type == "cpu" and careful:
            return torch.stack([_knn_of_cloud(cloud, k) for cloud in features])
        # A GPU waits for every step's start: each works on as many clouds as there is room for.
        together = max(1, GPU_BLOCK_BYTES // (features.element_size() * n_points**2))
        every = torch.arange(n_points, device=features.device)
        return torch.cat(
            [_all_pairs_knn(clouds, every, k, GPU_BLOCK_BYTES, careful) for clouds in features.split(together)]
        )


def _knn_of_cloud(cloud: Tensor, k: int) -> Tensor:
    """(N, C) features to (N, k) indices."""
    if not pruned_knn.pays(cloud, k):
        return _all_pairs_knn(cloud[None], torch.arange(len(cloud)), k, BLOCK_BYTES)[0]
    found, certain = pruned_knn.search(cloud, k)
    unsure = torch.nonzero(~certain).flatten()
    if len(unsure):
        found[unsure] = _all_pairs_knn(cloud[None], unsure, k, BLOCK_BYTES)[0]
    return found


def _all_pairs_knn(clouds: Tensor, rows: Tensor, k: int, block_bytes: int, settle: bool = True) -> Tensor:
    """(B, M, k): for the points ``rows`` (M,) of each of (B, N, C) clouds the nearest in it, from every distance.

    settle: whether near ties are decided as `gnn.near_ties` says; else as they come.
    """
    n_clouds, n_points, _ = clouds.shape
    centred = clouds - clouds.mean(dim=1, keepdim=True)
    norms = centred.square().sum(dim=2)
    first = n_points * torch.arange(n_clouds, device=clouds.device)[:, None, None]
    block = max(1, block_bytes // (clouds.element_size() * n_clouds * n_points))
    found = []
    for some in rows.split(block):
        # Less the point's own square, which is the same for all of its neighbours.
        distances = torch.baddbmm(norms[:, None], centred[:, some], centred.transpose(1, 2), alpha=-2)
        if not settle:
            found.append(smallest(distances, k)[1])
            continue
        values, candidates = smallest(distances, min(k + SPARE, n_points))
        own, others = (some + first[..., 0]).flatten(), (candidates + first).flatten(0, 1)
        nearest = nearest_of(clouds.flatten(0, 1), own, others, values.flatten(0, 1), k)
        found.append(nearest.view(n_clouds, len(some), k) - first)
    return torch.cat(found, dim=1)
