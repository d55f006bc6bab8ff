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

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.neighbourhood import Neighbourhood

Form = Literal["fast", "published"]
SLOPE = 0.2
_BLOCK_EDGES = 4096
"""Edges of a two-layer EdgeConv worked on at once: few enough that their features stay in a core's cache."""


def check_form(form: str) -> None:
    """Raise ``ValueError`` for anything but a `Form`."""
    if form not in get_args(Form):
        raise ValueError(f"form {form!r} is none of {', '.join(get_args(Form))}")


def edge_features(points: Tensor, indices: Tensor) -> Tensor:
    """(B, 2C, N, k) features ``[x_j - x_i, x_i]`` of every edge of (B, N, C) points with (B, N, k) neighbours."""
    batch = torch.arange(len(points), device=points.device)[:, None, None]
    neighbours = points[batch, indices]
    centres = points[:, :, None, :].expand_as(neighbours)
    return torch.cat((neighbours - centres, centres), dim=3).permute(0, 3, 1, 2).contiguous()


class ConvNorm(nn.Sequential):
    """1x1 convolution without bias, batch normalisation, LeakyReLU; numbered 0, 1, 2 in the state dict as published.

    Called as it is, it works on channels first: (B, C, N) for ``dims=1``, (B, C, N, k) for ``dims=2``.
    """

    def __init__(self, in_channels: int, out_channels: int, dims: Literal[1, 2]):
        conv, norm = ((nn.Conv1d, nn.BatchNorm1d), (nn.Conv2d, nn.BatchNorm2d))[dims - 1]
        super().__init__(
            conv(in_channels, out_channels, kernel_size=1, bias=False),
            norm(out_channels),
            nn.LeakyReLU(negative_slope=SLOPE),
        )

    @property
    def weight(self) -> Tensor:
        """The convolution's (C_out, C_in) matrix."""
        conv: Any = self[0]
        return conv.weight.flatten(1)

    def of_layers(self, layers: Sequence[Tensor]) -> Tensor:
        """The layer, for ``dims=1``, of several (B, N, C_l) features side by side: (B, N, C_out)."""
        if self[1].training:
            return self(torch.cat(tuple(layers), dim=2).transpose(1, 2)).transpose(1, 2)
        weight, bias = self.folded()
        parts = weight.split([layer.shape[2] for layer in layers], dim=1)
        # In place on no view of another tensor: gradients would be copied for it.
        first, *others = (layer.flatten(0, 1) for layer in layers)
        out = F.linear(first, parts[0], bias)
        for layer, part in zip(others, parts[1:], strict=True):
            out.addmm_(layer, part.T)
        return F.leaky_relu_(out, SLOPE).unflatten(0, layers[0].shape[:2])

    def running_scale_shift(self) -> tuple[Tensor, Tensor]:
        """Scale and shift (C_out,) that the batch normalisation amounts to outside training."""
        norm: Any = self[1]
        return scale_shift(norm, norm.running_mean, norm.running_var)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight (C_out, C_in) and bias (C_out,) of convolution and running normalisation as one linear map."""
        scale, shift = self.running_scale_shift()
        return self.weight * scale[:, None], shift


class EdgeConv(ConvNorm):
    """One EdgeConv layer of (B, N, C_in) points; the state dict is that of its convolution over edge features."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(2 * in_channels, out_channels, dims=2)
        self.in_channels = in_channels

    def forward(self, points: Tensor, indices: Tensor, form: Form = "fast") -> Tensor:  # type: ignore[override]
        """(B, N, C_in) features and (B, N, k) neighbours to (B, N, C_out) features."""
        if form == "published":
            return self.on_edges(points, indices).max(dim=-1).values.transpose(1, 2)
        graph = Neighbourhood(indices)
        if not self[1].training:
            # The scale, sign and all, goes into the weights: what is left is a maximum, a sum and the LeakyReLU.
            weight, bias = self.folded()
            of_difference, of_centre = weight.split(self.in_channels, dim=1)
            foremost = graph.max(F.linear(points, of_difference))
            return F.leaky_relu_(F.linear(points, of_centre - of_difference, bias).add_(foremost), SLOPE)
        centre, neighbour = self.split(points)
        mean, variance = edge_statistics(centre, neighbour, graph)
        update_running_statistics(self[1], mean, variance, graph.n_edges)
        scale, shift = scale_shift(self[1], mean, variance)
        sign = torch.where(scale < 0, -1.0, 1.0).to(scale.dtype)
        foremost = graph.max(neighbour * sign) * sign
        return F.leaky_relu((foremost + centre) * scale + shift, SLOPE)

    def on_edges(self, points: Tensor, indices: Tensor) -> Tensor:
        """(B, C_out, N, k): the layer before its maximum, as published."""
        return super().forward(edge_features(points, indices))

    def split(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The linear map's parts, (B, N, C_out) each: of a point as centre, and as somebody's neighbour.

        In the points' own precision, also where autocast multiplies in a lower one: statistics would lose too much.
        """
        of_difference, of_centre = self.weight.split(self.in_channels, dim=1)
        parts = F.linear(points, of_centre - of_difference), F.linear(points, of_difference)
        one, other = (part.to(points.dtype) for part in parts)
        return one, other


def two_layer_edge_conv(
    first: EdgeConv, second: ConvNorm, points: Tensor, indices: Tensor, form: Form = "fast"
) -> Tensor:
    """``max_j second(first([x_j - x_i, x_i]))``: (B, N, C_in) features to (B, N, C_out).

    The second layer sits between a LeakyReLU and the maximum, so it has to see every edge. In the fast form it sees
    them block by block; in training, where its statistics need them all, the C_mid features of all edges are held.
    """
    if form == "published":
        return second(first.on_edges(points, indices)).max(dim=-1).values.transpose(1, 2)
    centre, neighbour = (part.flatten(0, 1) for part in first.split(points))
    graph = Neighbourhood(indices)
    if first[1].training:
        edges = (neighbour[graph.targets] + centre[:, None]).unflatten(0, indices.shape[:2]).permute(0, 3, 1, 2)
        return second(first[2](first[1](edges))).max(dim=-1).values.transpose(1, 2)
    scale, shift = first.running_scale_shift()
    centre, neighbour = centre * scale + shift, neighbour * scale
    weight, bias = second.folded()
    rows = max(1, _BLOCK_EDGES // graph.k)
    foremost = [
        F.linear(F.leaky_relu(neighbour[targets] + part[:, None], SLOPE), weight).amax(dim=1)
        for targets, part in zip(graph.targets.split(rows), centre.split(rows), strict=True)
    ]
    return F.leaky_relu(torch.cat(foremost) + bias, SLOPE).unflatten(0, indices.shape[:2])


def scale_shift(norm: Any, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Batch normalisation with this mean and variance as ``x * scale + shift``."""
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def edge_statistics(centre: Tensor, neighbour: Tensor, graph: Neighbourhood) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (C,) of ``centre_i + neighbour_j`` over all edges, without forming the edges.

    With in-degrees d_j and S_i the sum of ``neighbour`` over i's neighbours, both centred first so that little
    cancels: ``n var = sum d_j neighbour_j^2 + k sum centre_i^2 + 2 sum centre_i S_i``.
    """
    degree = graph.in_degree[..., None].to(neighbour.dtype)
    centre_mean = centre.mean(dim=(0, 1))
    neighbour_mean = (neighbour * degree).sum(dim=(0, 1)) / graph.n_edges
    centre, neighbour = centre - centre_mean, neighbour - neighbour_mean
    squares = degree * neighbour.square() + graph.k * centre.square() + 2 * centre * graph.sum(neighbour)
    return centre_mean + neighbour_mean, (squares.sum(dim=(0, 1)) / graph.n_edges).clamp_min(0)


@torch.no_grad()
def update_running_statistics(norm: Any, mean: Tensor, variance: Tensor, count: int) -> None:
    """What ``torch.nn.BatchNorm2d`` does to its running statistics after a batch of ``count`` values a channel."""
    norm.num_batches_tracked += 1
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
