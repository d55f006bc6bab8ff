"""Training steps on a GPU, started by one call each instead of some hundreds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_AS_THEY_ARE = 3
"""Steps before the capture: in them kernels are built, libraries choose theirs, and the optimiser makes its state."""


class CapturedStep:
    """``take(*batch)`` on a GPU: a few times as it is, then captured as a CUDA graph, which is replayed from then on.

    A small network's step is some hundred short kernels, and the processor that starts them one by one is slower than
    the GPU (Nguyen, Carilli et al., "Accelerating PyTorch with CUDA graphs", 2021). What is captured may neither wait
    for the GPU nor do anything else from step to step: batches have the same shapes each time, and are copied to the
    same place. The answer, too, stands at one place and is overwritten by the next step.
    """

    def __init__(self, take: Callable[..., Tensor], device: torch.device):
        self._take, self._device = take, device
        self._batch: tuple[Tensor, ...] = ()
        self._n_taken, self._graph, self._answer = 0, None, None

    def __call__(self, *batch: Tensor) -> Tensor:
        if not self._batch:
            self._batch = tuple(part.to(self._device) for part in batch)
        for place, part in zip(self._batch, batch, strict=True):
            place.copy_(part)
        self._n_taken += 1
        if self._n_taken <= _AS_THEY_ARE:
            return self._beside()
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # this notes the step down, and does not take it
                self._answer = self._take(*self._batch)
        self._graph.replay()
        return self._answer

    def _beside(self) -> Tensor:
        """On another stream than the usual, as what is to be captured wants to be begun."""
        here, beside = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        beside.wait_stream(here)
        with torch.cuda.stream(beside):
            answer = self._take(*self._batch)
        here.wait_stream(beside)
        return answer
