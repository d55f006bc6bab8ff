"""Reductions over each point's neighbours, without a tensor of all edges.

On a CPU ``torch.sparse.mm`` with a reduction is a fused gather-and-reduce kernel: it reads each neighbour's row once
and keeps the running result in registers. On a GPU `gnn.gpu_kernels` has one for the maximum; for the rest, and where
it cannot be built, the rows are gathered block by block.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from gnn.gpu import kernels_for

BLOCK_BYTES = 256 * 2**20
"""What the gathered rows of one block may take where there is no fused kernel."""


class Neighbourhood:
    """The directed graph of (B, N, k) neighbour indices, each into its own cloud."""

    def __init__(self, indices: Tensor):
        self.shape = indices.shape
        self.k = indices.shape[2]
        self.n_edges = indices.numel()
        first = torch.arange(len(indices), device=indices.device)[:, None, None] * indices.shape[1]
        self.targets = (indices + first).reshape(-1, self.k)

    @cached_property
    def in_degree(self) -> Tensor:
        """(B, N) int64: of how many points each point is a neighbour."""
        degree = self.targets.new_zeros(len(self.targets))  # torch.bincount would wait for a GPU
        return degree.scatter_add_(0, self.targets.flatten(), degree.new_ones(self.n_edges)).view(self.shape[:2])

    def max(self, features: Tensor) -> Tensor:
        """(B, N, C) to (B, N, C): for each channel the largest value among the point's neighbours."""
        return self._reduce(features, "amax", _MaxOfNeighbours)

    def sum(self, features: Tensor) -> Tensor:
        """(B, N, C) to (B, N, C): the sum over the point's neighbours."""
        return self._reduce(features, "sum", _SumOfNeighbours)

    def _reduce(self, features: Tensor, reduction: str, on_other_devices: type[torch.autograd.Function]) -> Tensor:
        rows = features.flatten(0, 1)
        if rows.device.type == "cpu":
            return torch.sparse.mm(self._adjacency(rows.dtype), rows, reduction).view_as(features)
        return on_other_devices.apply(rows, self.targets).view_as(features)

    def _adjacency(self, dtype: torch.dtype) -> Tensor:
        n_points = len(self.targets)
        starts = torch.arange(0, self.n_edges + 1, self.k)
        ones = torch.ones(self.n_edges, dtype=dtype)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
            return torch.sparse_csr_tensor(
                starts, self.targets.flatten(), ones, (n_points, n_points), check_invariants=False
            )


def _blocks(features: Tensor, targets: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Slices of points, each with its neighbours' features (rows, k, C)."""
    rows = max(1, BLOCK_BYTES // (targets.shape[1] * features.shape[1] * features.element_size()))
    for start in range(0, len(targets), rows):
        block = slice(start, start + rows)
        yield block, features[targets[block]]


class _MaxOfNeighbours(torch.autograd.Function):
    """Largest value (N, C) of each point's neighbours; the gradient goes to one neighbour that has it."""

    @staticmethod
    def forward(ctx, features: Tensor, targets: Tensor) -> Tensor:
        if kernels := kernels_for(features):
            largest, source = kernels.max_of_rows(features, targets, ctx.needs_input_grad[0])
            ctx.save_for_backward(source)
            return largest
        largest, source = torch.empty_like(features), torch.empty_like(features, dtype=torch.int64)
        for block, gathered in _blocks(features, targets):
            largest[block], place = gathered.max(dim=1)
            source[block] = targets[block].gather(1, place)
        ctx.save_for_backward(source)
        return largest

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (source,) = ctx.saved_tensors
        return torch.zeros_like(gradient).scatter_add_(0, source, gradient), None


class _SumOfNeighbours(torch.autograd.Function):
    """Sum (N, C) over each point's neighbours."""

    @staticmethod
    def forward(ctx, features: Tensor, targets: Tensor) -> Tensor:
        ctx.save_for_backward(targets)
        total = torch.empty_like(features)
        for block, gathered in _blocks(features, targets):
            torch.sum(gathered, dim=1, out=total[block])
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (targets,) = ctx.saved_tensors
        out = torch.zeros_like(gradient)
        for place in targets.unbind(1):
            out.index_add_(0, place, gradient)
        return out, None
