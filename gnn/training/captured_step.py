"""Training steps on a GPU as CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_AS_THEY_ARE = 3
"""Steps before the capture, in which kernels are compiled, libraries tune themselves and the optimiser allocates."""


class CapturedStep:
    """``take(*batch)`` on a GPU: run a few times, then captured as a CUDA graph, which is replayed from then on.

    A small network's step is some hundred short kernels, whose launches take the CPU longer than the GPU computes
    (Nguyen, Carilli et al., "Accelerating PyTorch with CUDA graphs", 2021). A captured step may not synchronise with
    the GPU and must be the same each time: batches of one shape, which are copied into the same buffers. The result,
    too, is a buffer that the next step overwrites.
    """

    def __init__(self, take: Callable[..., Tensor], device: torch.device):
        self._take, self._device = take, device
        self._batch: tuple[Tensor, ...] = ()
        self._n_taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._answer: Tensor | None = None

    def __call__(self, *batch: Tensor) -> Tensor:
        if not self._batch:
            self._batch = tuple(part.to(self._device) for part in batch)
        for place, part in zip(self._batch, batch, strict=True):
            place.copy_(part)
        self._n_taken += 1
        if self._n_taken <= _AS_THEY_ARE:
            return self._beside()
        if self._graph is None:
            self._graph = graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # this notes the step down, and does not take it
                self._answer = self._take(*self._batch)
        self._graph.replay()
        assert self._answer is not None
        return self._answer

    def _beside(self) -> Tensor:
        """On a side stream, as PyTorch asks of the steps before a capture."""
        here, beside = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        beside.wait_stream(here)
        with torch.cuda.stream(beside):
            answer = self._take(*self._batch)
        here.wait_stream(beside)
        return answer
