"""k nearest neighbours in feature space, in bounded memory.

The distance is the published one: ``|x_i|^2 - 2 x_i.x_j + |x_j|^2`` in the features' own precision, a point being
its own first neighbour. Which of several neighbours at the same distance are taken when not all of them fit among
the k is not defined (the published network leaves it to ``torch.topk``); everything nearer is always taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK_BYTES = 64 * 2**20
"""What one block of the distance matrix may take."""


def check_neighbours(n_points: int, k: int) -> None:
    """Raise ``ValueError`` where a cloud of ``n_points`` cannot give every point ``k`` neighbours, itself included."""
    if not 1 <= k <= n_points:
        raise ValueError(f"k = {k} neighbours asked of a cloud of {n_points} points; k must lie in 1..{n_points}")


@torch.no_grad()
def knn(features: Tensor, k: int, *, block_bytes: int = BLOCK_BYTES) -> Tensor:
    """Indices of each point's k nearest neighbours in its own cloud, itself included, in no particular order.

    Args:
        features: (B, N, C) float tensor.
        k: neighbours for each point, 1..N.
        block_bytes: bound on the memory of one block of distances.

    Returns:
        (B, N, k) int64, each entry in 0..N-1.

    Raises:
        ValueError: k outside 1..N.
    """
    n_points = features.shape[1]
    check_neighbours(n_points, k)
    rows = max(1, min(n_points, block_bytes // (features.element_size() * n_points)))
    found = torch.empty((*features.shape[:2], k), dtype=torch.int64, device=features.device)
    for cloud, out in zip(features, found, strict=True):
        _knn_of_cloud(cloud, out, rows)
    return found


def _knn_of_cloud(cloud: Tensor, out: Tensor, rows: int) -> None:
    """Fill ``out`` (N, k) for one cloud (N, C), ``rows`` queries at a time."""
    norms = cloud.square().sum(dim=1)
    for start in range(0, len(cloud), rows):
        block = slice(start, start + rows)
        distances = torch.addmm(norms, cloud[block], cloud.T, alpha=-2.0)
        out[block] = torch.topk(distances, out.shape[1], dim=1, largest=False, sorted=False).indices
