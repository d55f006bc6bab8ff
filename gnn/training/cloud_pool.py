"""Points of many shapes held on a device: a GPU learns from clouds far sooner than a processor draws them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

HELD = 4096
"""Points of each shape: 50 kB."""
_SHAPES_AT_ONCE = 64


class Shape(Protocol):
    """A car whose points can be drawn: `gnn.training.cars.Car`, or a design between the cases."""

    def draw(self, n: int, rng: np.random.Generator): ...


@dataclass(frozen=True, eq=False)
class CloudPool:
    """points (n, HELD, 3): of n shapes, in network coordinates, in random order."""

    points: Tensor

    @classmethod
    def of(cls, shapes: Sequence[Shape], device: str, held: int = HELD, seed: int = 0) -> CloudPool:
        """Drawn by as many processes as there are processors."""
        loader = DataLoader(
            _Drawn(shapes, held, seed), _SHAPES_AT_ONCE, num_workers=os.cpu_count() or 1, prefetch_factor=2
        )
        points = torch.empty(len(shapes), held, 3, device=device)
        for number, drawn in enumerate(loader):
            first = number * _SHAPES_AT_ONCE
            points[first : first + len(drawn)] = drawn.to(device)
        return cls(points)

    @property
    def device(self) -> torch.device:
        return self.points.device

    def draw(self, which: np.ndarray, n: int, rng: np.random.Generator) -> Tensor:
        """(len(which), n, 3): a run of each shape's points from anywhere on; half of the clouds are mirrored."""
        rows, starts = (
            torch.from_numpy(numbers).to(self.device)
            for numbers in (which, rng.integers(self.points.shape[1], size=len(which)))
        )
        sides = torch.from_numpy(rng.choice(np.float32([-1, 1]), len(which))).to(self.device)
        run = (starts[:, None] + torch.arange(n, device=self.device)) % self.points.shape[1]
        clouds = self.points[rows[:, None], run]
        clouds[..., 1] *= sides[:, None]
        return clouds


class _Drawn(Dataset):
    def __init__(self, shapes: Sequence[Shape], held: int, seed: int):
        self.shapes, self.held, self.seed = shapes, held, seed

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, number: int) -> np.ndarray:
        rng = np.random.default_rng((self.seed, number))
        return self.shapes[number].draw(self.held, rng).points
