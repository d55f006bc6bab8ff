"""k nearest neighbours in feature space, in bounded memory.

The distance is the published one, ``|x_i|^2 - 2 x_i.x_j + |x_j|^2`` in the features' own precision, and a point is
among its own neighbours. Everything nearer than the k-th neighbour is always taken; which of several points at the
k-th distance itself are taken is left open, as it is by ``torch.topk`` in the published network. Distances that differ
by less than their rounding count as the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gnn import pruned_knn

BLOCK_BYTES = 32 * 2**20
"""What one block of the distance matrix may take."""


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
    return torch.stack([_knn_of_cloud(*cloud, k) for cloud in zip(features, norms, strict=True)])


def _knn_of_cloud(cloud: Tensor, norms: Tensor, k: int) -> Tensor:
    """(N, C) features and their (N,) squared norms to (N, k) indices."""
    if not pruned_knn.pays(cloud, k):
        return all_pairs_knn(cloud, norms, cloud, norms, k)
    found, certain = pruned_knn.search(cloud, k)
    unsure = torch.nonzero(~certain).flatten()
    if len(unsure):
        found[unsure] = all_pairs_knn(cloud[unsure], norms[unsure], cloud, norms, k)
    return found


def all_pairs_knn(queries: Tensor, query_norms: Tensor, cloud: Tensor, norms: Tensor, k: int) -> Tensor:
    """(M, C) queries to the (M, k) indices of their nearest in the (N, C) cloud, from every distance, in blocks."""
    rows = max(1, BLOCK_BYTES // (cloud.element_size() * len(cloud)))
    found = torch.empty((len(queries), k), dtype=torch.int64, device=cloud.device)
    for start in range(0, len(queries), rows):
        block = slice(start, start + rows)
        distances = torch.addmm(norms, queries[block], cloud.T, alpha=-2).add_(query_norms[block, None])
        found[block] = torch.topk(distances, k, dim=1, largest=False, sorted=False).indices
    return found
