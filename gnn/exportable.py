"""The networks in plain tensor operations, for formats that other programs run: every k-NN from all distances.

The same weights give the same numbers up to rounding and near ties between neighbours (see `gnn.near_ties`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.edge_conv import SLOPE
from gnn.field_net import FieldNet, waves
from gnn.regdgcnn import RegDGCNN


class InOwnUnits(nn.Module):
    """A plain network whose standardised output is brought to the units of its targets: times spread, plus mean."""

    def __init__(self, plain: nn.Module, mean: Sequence[float], spread: Sequence[float]):
        super().__init__()
        self.plain = plain
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(spread))

    def forward(self, points: Tensor, normals: Tensor | None = None) -> Tensor:
        standard = self.plain(points) if normals is None else self.plain(points, normals)
        return standard * self.spread + self.mean


class PlainRegDGCNN(nn.Module):
    """(B, N, 3) points as the network sees them to (B, n) standardised coefficients."""

    def __init__(self, network: RegDGCNN):
        super().__init__()
        self.network, self.k = network, network.k

    def forward(self, points: Tensor) -> Tensor:
        network, x, layers = self.network, points, []
        for number in range(1, network.n_edge_convs + 1):
            conv: Any = network.get_submodule(f"conv{number}")
            weight, bias = conv.folded()
            of_difference, of_centre = weight.split(conv.in_channels, dim=1)
            foremost = gathered(F.linear(x, of_difference), nearest(x, x, self.k)).amax(dim=2)
            x = F.leaky_relu(foremost + F.linear(x, of_centre - of_difference, bias), SLOPE)
            layers.append(x)
        last: Any = network.get_submodule(f"conv{network.n_edge_convs + 1}")
        weight, bias = last.folded()
        x = F.leaky_relu(F.linear(torch.cat(layers, dim=2), weight, bias), SLOPE)
        return network.head(torch.cat((x.amax(dim=1), x.mean(dim=1)), dim=1))


class PlainFieldNet(nn.Module):
    """(B, N, 3) points as the network sees them and (B, N, 3) normals to (B, N, 4) standardised Cp and Cf."""

    def __init__(self, network: FieldNet):
        super().__init__()
        self.network = network

    def forward(self, points: Tensor, normals: Tensor) -> Tensor:
        network = self.network
        geometry = torch.cat([points, normals], dim=-1)
        h = network.embed(torch.cat([geometry, waves(points, network.n_waves)], dim=-1))
        for block, thinning in zip(network.blocks, network.thinning, strict=True):
            seen = max(network.k, points.shape[1] // thinning)
            h = block(h, geometry, _Gathered(nearest(points, points[:, :seen], network.k)))
        return network.head(h)


class _Gathered:
    """Neighbours as gnn.neighbourhood.Neighbourhood has them, by gathering."""

    def __init__(self, indices: Tensor):
        self.indices = indices

    def max(self, features: Tensor) -> Tensor:
        return gathered(features, self.indices).amax(dim=2)


def nearest(points: Tensor, among: Tensor, k: int) -> Tensor:
    """(B, N, k) indices of the k nearest of (B, M, C) to each of (B, N, C).

    In space by the differences themselves, which lose no digits; in wide features by products, centred first.
    """
    if points.shape[2] == 3:
        x, y, z = ((points[:, :, None, i] - among[:, None, :, i]).square() for i in range(3))
        distance = x + y + z
    else:
        middle = points.mean(dim=1, keepdim=True)
        points, among = points - middle, among - middle
        distance = among.square().sum(dim=2)[:, None, :] - 2.0 * points @ among.transpose(1, 2)
    return distance.topk(k, dim=2, largest=False, sorted=False).indices


def gathered(features: Tensor, indices: Tensor) -> Tensor:
    """(B, N, k, C): features (B, M, C) of the (B, N, k) neighbours."""
    n, k = indices.shape[1:]
    flat = indices.flatten(1)[..., None].expand(-1, -1, features.shape[2])
    return features.gather(1, flat).unflatten(1, (n, k))
