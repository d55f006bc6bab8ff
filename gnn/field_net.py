"""FieldNet: Cp and the skin-friction vector at the points of a surface sample.

A point's pressure follows from three things: where it lies on the car, the shape around it, and the car as a whole.
So each block takes a maximum over neighbours (an EdgeConv with a fixed graph; Wang et al., "Dynamic Graph CNN for
Learning on Point Clouds", 2019), at three widening radii, and a pooled code of the whole car (PointNet; Qi et al.,
2017).
The graph is of positions, found once: in feature space the published pressure network finds it anew in every layer,
which costs most of its time.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from gnn.gpu import tf32_products
from gnn.neighbourhood import Neighbourhood
from gnn.network_spec import FIELD, NetworkSpec
from gnn.smallest import smallest


class FieldBlock(nn.Module):
    """Neighbourhood maximum and whole-car code, added to each point's features."""

    def __init__(self, width: int, n_geometry: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.from_neighbour = nn.Linear(width + n_geometry, width)
        self.to_centre = nn.Linear(n_geometry, width, bias=False)
        self.pool = nn.Linear(width, width)
        self.code = nn.Linear(2 * width, width)
        self.mix = nn.Sequential(nn.Linear(3 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, h: Tensor, geometry: Tensor, neighbours: Neighbourhood) -> Tensor:
        """h (B, N, width), geometry (B, N, n_geometry), neighbours of B clouds of N points -> (B, N, width)."""
        normed = self.norm(h)
        # max_j of W [h_j, g_j] - V g_i: only differences of position matter, and each term is made once a point.
        message = self.from_neighbour(torch.cat([normed, geometry], dim=-1))
        local = neighbours.max(message) - self.to_centre(geometry)
        pooled = self.pool(normed)
        code = self.code(torch.cat([pooled.amax(dim=1), pooled.mean(dim=1)], dim=-1))
        code = code[:, None].expand_as(h)
        return h + self.mix(torch.cat([normed, nn.functional.gelu(local), code], dim=-1))


class FieldNet(nn.Module):
    """(B, N, 3) points in network coordinates and (B, N, 3) normals -> (B, N, 4): Cp and Cf, standardised.

    k: neighbours a point looks at. thinning: one block each; a block looks among the first N / t points. Because any
    prefix of a sample is even, that widens its sight by the root of t.
    n_waves: wavelengths in which a point tells its place, halving from 4 m: six go down to 12 cm.
    """

    def __init__(self, width: int = 128, k: int = 12, thinning: tuple[int, ...] = (1, 4, 16), n_waves: int = 6):
        super().__init__()
        self.k, self.thinning, self.n_waves = k, tuple(thinning), n_waves
        n_input = 6 + 6 * n_waves
        self.embed = nn.Sequential(nn.Linear(n_input, width), nn.GELU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(FieldBlock(width, n_geometry=6) for _ in self.thinning)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 4))

    def forward(self, points: Tensor, normals: Tensor) -> Tensor:
        geometry = torch.cat([points, normals], dim=-1)
        h = self.embed(torch.cat([geometry, waves(points, self.n_waves)], dim=-1))
        for block, thinning in zip(self.blocks, self.thinning, strict=True):
            seen = max(self.k, points.shape[1] // thinning)
            h = block(h, geometry, Neighbourhood(nearest(points, points[:, :seen], self.k)))
        return self.head(h)


def waves(points: Tensor, n: int) -> Tensor:
    """(B, N, 3) -> (B, N, 6 n): sines and cosines of n wavelengths, halving from 4 m (Tancik et al., 2020)."""
    rates = 0.5 * math.pi * 2.0 ** torch.arange(n, dtype=points.dtype, device=points.device)
    angles = (points[..., None] * rates).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


@torch.no_grad()
def nearest(points: Tensor, among: Tensor, k: int) -> Tensor:
    """For each of (B, N, 3) points the k nearest of (B, M, 3): (B, N, k) int64 into M, in no particular order."""
    if points.device.type == "cpu":  # in three dimensions a tree takes a quarter of the time of all distances
        from scipy.spatial import cKDTree

        clouds = zip(points.detach().numpy(), among.detach().numpy(), strict=True)
        rows = [cKDTree(there).query(here, k=k, workers=-1)[1].reshape(-1, k) for here, there in clouds]
        return torch.from_numpy(np.stack(rows))
    with tf32_products(False):
        offset = torch.baddbmm(among.square().sum(dim=-1)[:, None, :], points, among.transpose(1, 2), alpha=-2.0)
    return smallest(offset, k)[1]


def _call(network: FieldNet, points: Tensor, normals: Tensor) -> Tensor:
    return network(points, normals)


def _plain(network: FieldNet) -> nn.Module:
    from gnn.exportable import PlainFieldNet

    return PlainFieldNet(network)


SPEC = NetworkSpec("fieldnet", FieldNet, FIELD, _call, columns=4, inputs=("points", "normals"), plain=_plain)
