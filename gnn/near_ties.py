"""The k nearest of candidates, with near ties decided as the published network's arithmetic does.

The published distance is ``-|x_j|^2 + 2 x_i.x_j - |x_i|^2`` in single precision, whose rounding reorders neighbours
that are nearly as far. What it makes of them depends on the order in which a processor sums the products, and with it
the network's answer, from the fifth digit on. So near ties are decided by that formula with every term rounded
correctly, and equal ones by taking the later point: every machine then decides alike about the same features.
"""

from __future__ import annotations

import torch
from torch import Tensor

SPARE = 8
"""Candidates beyond the k-th that a near tie is decided among."""
_BLOCK_BYTES = 32 * 2**20


def nearest_of(cloud: Tensor, rows: Tensor, candidates: Tensor, distances: Tensor, k: int) -> Tensor:
    """(M, k) of the (M, m) candidates, m >= k: the nearest to each of the points ``rows`` (M,) of the (N, C) cloud.

    distances: (M, m) squared, or by how much they differ in each row, right to within the rounding of the published
    formula. More than k candidates are needed to tell a near tie.
    """
    n_kept = min(k + SPARE, candidates.shape[1])
    values, place = (of_all[:, :n_kept] for of_all in distances.sort(dim=1))
    kept = candidates.gather(1, place)
    if n_kept == k:
        return kept
    rounding = torch.finfo(cloud.dtype).eps * (4 + cloud.shape[1] ** 0.5) * cloud[rows].square().sum(dim=1)
    close = torch.nonzero(values[:, k] - values[:, k - 1] <= rounding).flatten()
    found = kept[:, :k].contiguous()
    block = max(1, _BLOCK_BYTES // (8 * n_kept * cloud.shape[1]))
    for some in close.split(block):
        found[some] = _nearest_as_published(cloud, rows[some], kept[some], k)
    return found


def _nearest_as_published(cloud: Tensor, rows: Tensor, candidates: Tensor, k: int) -> Tensor:
    later_first = candidates.sort(dim=1, descending=True).values
    theirs, own = cloud[later_first].double(), cloud[rows, None].double()
    products = (theirs * own).sum(dim=2).to(cloud.dtype)
    their_squares, own_squares = (x.square().sum(dim=2).to(cloud.dtype) for x in (theirs, own))
    likeness = -their_squares + 2 * products - own_squares
    return later_first.gather(1, likeness.sort(dim=1, descending=True, stable=True).indices[:, :k])
