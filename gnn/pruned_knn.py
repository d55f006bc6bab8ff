"""k nearest neighbours of a large cloud without all distances, and for which points the answer is certain.

Features of a surface's points lie close to few dimensions, however many channels they have. So each point gets a
sketch: its coordinates along the cloud's principal directions, and the length of what is left of it. A distance of
sketches never exceeds the distance itself:

    |x - y|^2 >= |Px - Py|^2 + (|x - Px| - |y - Py|)^2        (P the projection, by the triangle inequality).

The search narrows down in three steps. Points are tiled into groups along the first two directions, and only a
group's nearest groups are looked into; of their points the nearest by sketch are kept; of those the true distances
decide. A point's neighbours are certain when neither the groups left out (by the distance of their boxes) nor the
points left out (by their sketches) can hold anything nearer than the k-th found, with room for rounding.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn.near_ties import SPARE, nearest_of
from gnn.smallest import smallest

_DIRECTIONS = 48
"""Principal directions in a sketch."""
_BOX_DIRECTIONS = 8
"""Of these, how many a group's bounding box has."""
_NEAR_GROUPS = 32
"""Groups looked into for the points of one."""
_SAMPLE = 512
"""Points that the principal directions are worked out from; good ones make the search quick, any keep it right."""
_BLOCK_GROUPS = 16
"""Groups worked on at once: their candidates fit in a core's cache."""


_LEAST_POINTS = 2048
"""Below it all distances are as quick to work out, in a few large steps that many threads share better."""


def pays(cloud: Tensor, k: int) -> bool:
    """Whether to search here: a CPU (the kernels are there alone), many points, and far more than candidates."""
    enough = len(cloud) >= max(_LEAST_POINTS, 2 * _NEAR_GROUPS * _group_size(k))
    return cloud.device.type == "cpu" and cloud.dtype in (torch.float32, torch.float64) and enough


def search(cloud: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(N, C) features to (N, k) indices of neighbours, and (N,) booleans: whether they are the nearest for certain."""
    centred = cloud - cloud.mean(dim=0)
    norms = centred.square().sum(dim=1)
    sketch, exact = _sketch(centred, norms)
    groups = _Groups.tile(sketch, _group_size(k))
    near, next_gap = groups.nearest(_NEAR_GROUPS)
    candidates, left_out = _nearest_by_sketch(sketch, groups, near, k + SPARE if exact else 5 * k // 2)
    distances = _distances(centred, norms, candidates)
    found = nearest_of(cloud, torch.arange(len(cloud)), candidates, distances, k)
    # A dot product of C terms is off by at most C eps/2 |x||y|; four of its kind enter a comparison.
    slack = 4 * cloud.shape[1] * torch.finfo(cloud.dtype).eps * norms.amax()
    reach = distances.kthvalue(k, dim=1).values + slack
    points_certain = torch.ones_like(reach, dtype=torch.bool) if exact else left_out >= reach
    groups_certain = groups.to_points(next_gap[:, None].expand_as(groups.points)) >= reach
    doubtful = torch.nonzero(points_certain & ~groups_certain).flatten()
    groups_certain[doubtful] = groups.gap_to_others(sketch, doubtful, near) >= reach[doubtful]
    return found, points_certain & groups_certain


def _group_size(k: int) -> int:
    return max(16, 4 * k // 5)


def _sketch(centred: Tensor, norms: Tensor) -> tuple[Tensor, bool]:
    """(N, D) points whose distances are at most those of the centred (N, C) cloud; whether they are the same."""
    n_points, n_channels = centred.shape
    sample = centred[:: max(1, n_points // _SAMPLE)]
    covariance = sample.T @ sample
    if n_channels <= _DIRECTIONS:
        return centred @ torch.linalg.eigh(covariance).eigenvectors.flip(1), True
    directions = _principal_directions(covariance)
    inside = centred @ directions
    outside = (norms - inside.square().sum(dim=1)).clamp_min(0).sqrt()
    return torch.cat((inside, outside[:, None]), dim=1), False


def _principal_directions(covariance: Tensor) -> Tensor:
    """(C, _DIRECTIONS) orthonormal columns near the largest eigenvectors, largest first, by subspace iteration."""
    seeded = torch.Generator().manual_seed(0)
    basis = torch.randn(len(covariance), _DIRECTIONS, generator=seeded, dtype=covariance.dtype)
    for _ in range(2):
        basis = torch.linalg.qr(covariance @ basis).Q
    within = torch.linalg.eigh(basis.T @ (covariance @ basis)).eigenvectors
    return basis @ within.flip(1)


@dataclass(frozen=True)
class _Groups:
    """A cloud's points tiled into G groups of g, near to each other in a group.

    points: (G, g) int64 indices; the last group's row of tiles is filled up by repeating a point.
    repeated: (G, g) bool, such a repetition.
    low, high: (G, D) corners of the groups' boxes in the first directions of the sketch.
    """

    points: Tensor
    repeated: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def tile(cls, sketch: Tensor, size: int) -> _Groups:
        """Slabs of equally many points along the first direction, each cut into groups along the second."""
        n_points = len(sketch)
        n_slabs = max(1, round(math.sqrt(n_points / size)))
        n_filled = math.ceil(n_points / (size * n_slabs)) * size * n_slabs
        order = sketch[:, 0].argsort()
        order = torch.cat((order, order[-1:].expand(n_filled - n_points))).view(n_slabs, -1)
        repeated = (torch.arange(n_filled, device=order.device) >= n_points).view(n_slabs, -1)
        within = sketch[:, min(1, sketch.shape[1] - 1)][order].argsort(dim=1)
        points = order.gather(1, within).view(-1, size)
        corners = sketch[:, :_BOX_DIRECTIONS][points]
        return cls(points, repeated.gather(1, within).view(-1, size), corners.amin(dim=1), corners.amax(dim=1))

    def nearest(self, count: int) -> tuple[Tensor, Tensor]:
        """Each group's nearest groups (G, count), itself included, and the squared gap (G,) to the next nearest."""
        apart = torch.maximum(self.low[None] - self.high[:, None], self.low[:, None] - self.high[None])
        gaps, groups = apart.clamp_min_(0).square().sum(dim=2).topk(count + 1, largest=False)
        return groups[:, :count], gaps[:, count]

    def gap_to_others(self, sketch: Tensor, rows: Tensor, near: Tensor) -> Tensor:
        """Squared distance (R,) from each point in ``rows`` to the nearest box of a group that is not ``near`` it."""
        gaps = sketch.new_zeros(len(rows), len(self.points))
        for along, low, high in zip(sketch.T, self.low.T, self.high.T, strict=False):
            at = along[rows, None]
            gaps += torch.maximum(low - at, at - high).clamp_min_(0).square_()
        home = self.to_points(torch.arange(len(self.points))[:, None].expand_as(self.points))
        return gaps.scatter_(1, near[home[rows]], math.inf).amin(dim=1)

    def to_points(self, values: Tensor) -> Tensor:
        """Values (G, g, ...) of the groups' members, in the order (N, ...) of the points."""
        members = ~self.repeated
        out = values.new_empty(int(members.sum()), *values.shape[2:])
        out[self.points[members]] = values[members]
        return out


def _nearest_by_sketch(sketch: Tensor, groups: _Groups, near: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of the points in the near groups the ``count`` with the nearest sketches: (N, count) indices.

    Also (N,) a squared distance that none of the others in those groups is below.
    """
    members = sketch[groups.points]
    own_norms = members.square().sum(dim=2)
    norms = own_norms.masked_fill(groups.repeated, math.inf)
    found = torch.empty((*groups.points.shape, count), dtype=torch.int64)
    furthest = torch.empty_like(own_norms)
    for start in range(0, len(near), _BLOCK_GROUPS):
        block = slice(start, start + _BLOCK_GROUPS)
        theirs = near[block]
        candidates = members[theirs].flatten(1, 2)
        distances = torch.baddbmm(norms[theirs].flatten(1)[:, None], members[block], candidates.mT, alpha=-2)
        values, place = smallest(distances, count)
        furthest[block] = values.amax(dim=2)
        found[block] = groups.points[theirs].flatten(1).gather(1, place.flatten(1)).view_as(place)
    return groups.to_points(found), groups.to_points(furthest + own_norms)


def _distances(centred: Tensor, norms: Tensor, candidates: Tensor) -> Tensor:
    """Squared distances (N, m) of each point to its candidates, by the fused kernel for sampled products."""
    n_points, count = candidates.shape
    starts = torch.arange(0, candidates.numel() + 1, count)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        pairs = torch.sparse_csr_tensor(
            starts,
            candidates.flatten(),
            torch.zeros(candidates.numel(), dtype=centred.dtype),
            (n_points, n_points),
            check_invariants=False,
        )
    products = torch.sparse.sampled_addmm(pairs, centred, centred.T, beta=0.0, alpha=-2.0).values()
    return products.view_as(candidates).add_(norms[candidates]).add_(norms[:, None])
