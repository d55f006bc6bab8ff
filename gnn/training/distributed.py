"""Several processes that train one network: torchrun starts them, torch.distributed joins them; alone, nothing changes.

``torchrun --nproc-per-node 2 main.py train ...``: each process takes every second car of a batch, and their gradients
are averaged (Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", 2020).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """rank: this one's number; world: how many there are. device: what this one computes on."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[Any]) -> Sequence[Any]:
        """This process's part of some items."""
        return items[self.rank :: self.world]

    def wrapped(self, network: nn.Module, unused: bool = False) -> nn.Module:
        """The network with its gradients averaged over the processes. unused: some of its weights play no part."""
        if self.world == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=devices, find_unused_parameters=unused)

    def gathered(self, own: list[Any]) -> list[Any]:
        """Every process's list, put together as ``share`` took it apart; the same in all processes."""
        if self.world == 1:
            return own
        parts: list[list[Any]] = [[] for _ in range(self.world)]
        distributed.all_gather_object(parts, own)
        return [parts[i % self.world][i // self.world] for i in range(sum(map(len, parts)))]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            distributed.barrier()


ALONE = Processes(0, 1, torch.device("cpu"))
"""One process, on a CPU or wherever its network is."""


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """This process among those that torchrun started, or alone. device: cpu or cuda."""
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if device == "cuda" else torch.device("cpu")
    if world == 1:
        yield Processes(0, 1, place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    together = Processes(rank, world, place)
    try:
        yield together
        together.wait()
    finally:
        # DistributedDataParallel refers to itself and keeps the group, whose threads abort the process where the
        # interpreter's end meets them.
        gc.collect()
        distributed.destroy_process_group()
