"""The maximum over neighbours, without the gradient's memory growing with their number."""

from __future__ import annotations

import torch
from torch import Tensor


class _GatherMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, index: Tensor) -> Tensor:
        batch, n_points, width = values.shape
        flat = values.reshape(-1, width)
        rows = (index + torch.arange(batch, device=index.device)[:, None, None] * n_points).reshape(-1, index.shape[-1])
        out, winner = [], []
        step = max(1, 2**22 // (width * index.shape[-1]))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            best, arg = flat[block].max(dim=1)
            out.append(best)
            winner.append(block.gather(1, arg))
        ctx.save_for_backward(torch.cat(winner))
        ctx.shape = values.shape
        return torch.cat(out).reshape(batch, index.shape[1], width)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (winner,) = ctx.saved_tensors
        width = ctx.shape[-1]
        total = grad.new_zeros(ctx.shape[0] * ctx.shape[1], width)
        total.scatter_add_(0, winner, grad.reshape(-1, width))
        return total.reshape(ctx.shape), None


def gather_max(values: Tensor, index: Tensor) -> Tensor:
    """For each point the maximum of its neighbours' values, channel by channel.

    values: (B, N, C). index: (B, M, k) int64 into N. Returns (B, M, C).
    Only the winners are kept for the gradient, (B, M, C), not the (B, M, k, C) values.
    """
    return _GatherMax.apply(values, index)
