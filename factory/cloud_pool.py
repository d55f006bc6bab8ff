"""Points of many shapes held on a device: a GPU learns from clouds far sooner than a processor draws them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gnn.training.cars import Car, LabelledCloud
from gnn.training.clouds import Cloud

HELD = 4096
"""Points of each shape: 50 kB."""
HELD_OF_FIELDS = 16384
"""Points of each car with their normals and fields: 655 kB."""
_SHAPES_AT_ONCE = 64


class Shape(Protocol):
    """A car whose points can be drawn: `gnn.training.cars.Car`, or a design between the cases."""

    def draw(self, n: int, rng: np.random.Generator): ...


@dataclass(frozen=True, eq=False)
class CloudPool:
    """columns (n, held, c): what is known at points of n shapes, in random order, network coordinates first.

    odd: the columns that change their sign in a mirror.
    """

    columns: Tensor
    odd: tuple[int, ...] = (1,)

    @classmethod
    def of(cls, shapes: Sequence[Shape], device: str, held: int = HELD, seed: int = 0) -> CloudPool:
        """Points alone, drawn by as many processes as there are processors."""
        return cls(_columns(_Drawn(shapes, held, seed, _points), device))

    @classmethod
    def of_fields(cls, cars: Sequence[Car], device: str, held: int = HELD_OF_FIELDS, seed: int = 0) -> CloudPool:
        """Points, normals, Cp and Cf of cars: ten columns."""
        return cls(_columns(_Drawn(cars, held, seed, _points_and_fields), device), odd=(1, 4, 8))

    @property
    def device(self) -> torch.device:
        return self.columns.device

    def choose(self, which: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a cloud of each of the shapes ``which`` (b,): its row, its first point and its side (b,), on the CPU."""
        starts = rng.integers(self.columns.shape[1], size=len(which))
        sides = rng.choice(np.float32([-1, 1]), len(which))
        return tuple(torch.from_numpy(numbers) for numbers in (which, starts, sides))

    def take(self, rows: Tensor, starts: Tensor, sides: Tensor, n: int) -> Tensor:
        """(b, n, c) the clouds that `choose` drew, n points of each shape; half of the clouds are mirrored."""
        run = (starts[:, None] + torch.arange(n, device=self.device)) % self.columns.shape[1]
        clouds = self.columns[rows[:, None], run]
        for column in self.odd:
            clouds[..., column] *= sides[:, None]
        return clouds

    def draw(self, which: np.ndarray, n: int, rng: np.random.Generator) -> Tensor:
        """(len(which), n, c): random clouds of those shapes."""
        return self.take(*(chosen.to(self.device) for chosen in self.choose(which, rng)), n)


def _columns(drawn: _Drawn, device: str) -> Tensor:
    loader = DataLoader(drawn, _SHAPES_AT_ONCE, num_workers=os.cpu_count() or 1, prefetch_factor=2)
    columns = torch.empty(len(drawn), *drawn[0].shape, device=device)
    for number, some in enumerate(loader):
        first = number * _SHAPES_AT_ONCE
        columns[first : first + len(some)] = some.to(device)
    return columns


def _points(cloud: Cloud) -> np.ndarray:
    return cloud.points


def _points_and_fields(cloud: LabelledCloud) -> np.ndarray:
    return np.concatenate([cloud.points, cloud.normals, cloud.values], axis=1)


class _Drawn(Dataset):
    def __init__(self, shapes: Sequence[Shape], held: int, seed: int, columns_of: Callable[..., np.ndarray]):
        self.shapes, self.held, self.seed, self.columns_of = shapes, held, seed, columns_of

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, number: int) -> np.ndarray:
        rng = np.random.default_rng((self.seed, number))
        return self.columns_of(self.shapes[number].draw(self.held, rng))
