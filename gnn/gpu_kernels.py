"""Triton kernels for the two steps that took most of a network's time on a GPU: the k smallest, and gather-then-max.

``torch.topk`` reads each row about twelve times whatever k is, and PyTorch's maximum over gathered rows writes the
gathered tensor, k times the features, to memory and reads it back. Get this module by `gnn.gpu.kernels_for`, which
returns None where Triton is missing.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_LEAST_GROUPS = 32
_BLOCK_ROWS, _BLOCK_CHANNELS = 16, 64


def smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of (..., n) values along their last dimension, in rising order, and their places (..., k) int64.

    Of equal values the first in its group comes first. NaN is not allowed.
    """
    rows = values.reshape(-1, values.shape[-1]).contiguous()
    n = rows.shape[1]
    found = torch.empty(len(rows), k, dtype=values.dtype, device=values.device)
    places = torch.empty(len(rows), k, dtype=torch.int64, device=values.device)
    groups = max(_LEAST_GROUPS, triton.next_power_of_2(round(n**0.5)))
    members = triton.next_power_of_2(triton.cdiv(n, groups))
    _smallest_of_row[(len(rows),)](rows, found, places, n, k, GROUPS=groups, MEMBERS=members, num_warps=1)
    return found.view(*values.shape[:-1], k), places.view(*values.shape[:-1], k)


def max_of_rows(features: Tensor, targets: Tensor, with_source: bool) -> tuple[Tensor, Tensor | None]:
    """(N, C) largest of the rows (N, k) of features (M, C) for each channel, and the row (N, C) int64 it came from.

    with_source: whether to return that row, else None.
    """
    features, targets = features.contiguous(), targets.contiguous()
    n, k = targets.shape
    channels = features.shape[1]
    largest = features.new_empty(n, channels)
    source = targets.new_empty(n, channels) if with_source else None
    width = min(_BLOCK_CHANNELS, triton.next_power_of_2(channels))
    grid = (triton.cdiv(n, _BLOCK_ROWS), triton.cdiv(channels, width))
    _max_of_rows[grid](
        features,
        targets,
        largest,
        targets if source is None else source,
        n,
        channels,
        k,
        WITH_SOURCE=with_source,
        ROWS=_BLOCK_ROWS,
        CHANNELS=width,
    )
    return largest, source


@triton.jit
def _smallest_of_row(values, found, places, n, k, GROUPS: tl.constexpr, MEMBERS: tl.constexpr):
    """One warp for each row. The row is divided into groups, whose minima are kept in registers: each of the k steps
    takes the smallest of these minima and searches only that group for its next one.

    Member j of group g is at ``j * GROUPS + g``. A group's members are taken in the order of (value, j), so that the
    last one taken tells which are left.
    """
    row = tl.program_id(0).to(tl.int64)
    values += row * n
    group, member = tl.arange(0, GROUPS), tl.arange(0, MEMBERS)
    nothing = float("inf")
    least = tl.full((GROUPS,), nothing, values.dtype.element_ty)
    for j in range(0, tl.cdiv(n, GROUPS)):
        place = j * GROUPS + group
        least = tl.minimum(least, tl.load(values + place, mask=place < n, other=nothing))
    last_value = tl.full((GROUPS,), -nothing, values.dtype.element_ty)
    last_place = tl.full((GROUPS,), -1, tl.int32)
    for i in range(0, k):
        value = tl.min(least, axis=0)
        own = tl.argmin(least, axis=0)
        last_alike = tl.max(tl.where((group == own) & (last_value == value), last_place, -1), axis=0)
        place = member * GROUPS + own
        theirs = tl.load(values + place, mask=place < n, other=nothing)
        candidate = (theirs == value) & (place > last_alike) & (place < n)
        taken = tl.min(tl.where(candidate, place, 2147483647), axis=0)
        tl.store(found + row * k + i, value)
        tl.store(places + row * k + i, taken.to(tl.int64))
        left = (theirs > value) | ((theirs == value) & (place > taken))
        least = tl.where(group == own, tl.min(tl.where(left, theirs, nothing), axis=0), least)
        last_value = tl.where(group == own, value, last_value)
        last_place = tl.where(group == own, taken, last_place)


@triton.jit
def _max_of_rows(
    features,
    targets,
    largest,
    source,
    n,
    channels,
    k,
    WITH_SOURCE: tl.constexpr,
    ROWS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    inside = (row < n)[:, None] & (channel < channels)[None, :]
    best = tl.full((ROWS, CHANNELS), -float("inf"), features.dtype.element_ty)
    came_from = tl.full((ROWS, CHANNELS), 0, tl.int64)
    for j in range(0, k):
        target = tl.load(targets + row * k + j, mask=row < n, other=0)
        value = tl.load(features + target[:, None] * channels + channel[None, :], mask=inside, other=0.0)
        better = (value > best) | (value != value)  # what is no number is not hidden
        best = tl.where(better, value, best)
        if WITH_SOURCE:
            came_from = tl.where(better, target[:, None], came_from)
    out = row[:, None] * channels + channel[None, :]
    tl.store(largest + out, best, mask=inside)
    if WITH_SOURCE:
        tl.store(source + out, came_from, mask=inside)
