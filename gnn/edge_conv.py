"""EdgeConv (Wang et al. 2019, "Dynamic Graph CNN for Learning on Point Clouds"), in two forms with one set of weights.

For a point i with neighbours j the layer is ``max_j leaky(bn(W [x_j - x_i, x_i]))``.

* ``published``: as written, over a tensor of (B, 2C, N, k) edges. The oracle.
* ``fast``: with ``W = [W1, W2]`` the linear map splits into ``W1 x_j + (W2 - W1) x_i``: one product for each point
  rather than one for each edge. Batch normalisation is one scale and shift for each channel, so max over the
  neighbours passes through it (min where the scale is negative) and through the monotone LeakyReLU; only the
  neighbours' term has to be reduced. In training the batch statistics over all edges follow exactly from the
  per-point terms, too.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.neighbourhood import Neighbourhood

Form = Literal["fast", "published"]
SLOPE = 0.2


def edge_features(points: Tensor, indices: Tensor) -> Tensor:
    """(B, 2C, N, k) features ``[x_j - x_i, x_i]`` of every edge of (B, N, C) points with (B, N, k) neighbours."""
    batch = torch.arange(len(points), device=points.device)[:, None, None]
    neighbours = points[batch, indices]
    centres = points[:, :, None, :].expand_as(neighbours)
    return torch.cat((neighbours - centres, centres), dim=3).permute(0, 3, 1, 2).contiguous()


class EdgeConv(nn.Sequential):
    """One EdgeConv layer: 1x1 convolution of the edge features, batch normalisation, LeakyReLU, max over neighbours.

    Children are numbered as published: ``0`` the convolution (out, 2 * in, 1, 1) without bias, ``1`` its batch
    normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(
            nn.Conv2d(2 * in_channels, out_channels, kernel_size=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(negative_slope=SLOPE),
        )
        self.in_channels = in_channels

    def forward(self, points: Tensor, indices: Tensor, form: Form = "fast") -> Tensor:
        """(B, N, C_in) features and (B, N, k) neighbours to (B, N, C_out) features."""
        if form == "published":
            return super().forward(edge_features(points, indices)).amax(dim=-1).transpose(1, 2)
        if form != "fast":
            raise ValueError(f"form {form!r} is neither 'fast' nor 'published'")
        centre, neighbour = self._split(points)
        graph = Neighbourhood(indices)
        scale, shift = self._normalisation(centre, neighbour, graph)
        sign = torch.where(scale < 0, -1.0, 1.0)
        nearest = graph.max(neighbour * sign) * sign
        return F.leaky_relu((nearest + centre) * scale + shift, SLOPE)

    def _split(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The linear map's parts: (B, N, C_out) of the point as centre and as a neighbour."""
        weight = self[0].weight.flatten(1)
        of_difference, of_centre = weight[:, : self.in_channels], weight[:, self.in_channels :]
        return F.linear(points, of_centre - of_difference), F.linear(points, of_difference)

    def _normalisation(self, centre: Tensor, neighbour: Tensor, graph: Neighbourhood) -> tuple[Tensor, Tensor]:
        """Scale and shift (C_out,) that the batch normalisation amounts to; in training from this batch's edges."""
        norm = self[1]
        if norm.training:
            mean, variance = edge_statistics(centre, neighbour, graph)
            update_running_statistics(norm, mean, variance, graph.n_edges)
        else:
            mean, variance = norm.running_mean, norm.running_var
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        return scale, norm.bias - mean * scale


def edge_statistics(centre: Tensor, neighbour: Tensor, graph: Neighbourhood) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (C,) of ``centre_i + neighbour_j`` over all edges, without forming the edges.

    With in-degrees d_j and S_i the sum of ``neighbour`` over i's neighbours, both centred first so that nothing
    cancels: ``n var = sum d_j neighbour_j^2 + k sum centre_i^2 + 2 sum centre_i S_i``.
    """
    degree = graph.in_degree[..., None].to(neighbour.dtype)
    centre_mean = centre.mean(dim=(0, 1))
    neighbour_mean = (neighbour * degree).sum(dim=(0, 1)) / graph.n_edges
    centre, neighbour = centre - centre_mean, neighbour - neighbour_mean
    square = (degree * neighbour.square() + graph.k * centre.square() + 2 * centre * graph.sum(neighbour)).sum(
        dim=(0, 1)
    )
    return centre_mean + neighbour_mean, (square / graph.n_edges).clamp_min(0)


@torch.no_grad()
def update_running_statistics(norm: nn.Module, mean: Tensor, variance: Tensor, count: int) -> None:
    """What ``torch.nn.BatchNorm2d`` does to its running statistics after a batch of ``count`` values a channel."""
    norm.num_batches_tracked += 1
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
