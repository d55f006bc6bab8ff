"""What a GPU has of its own: the kernels of `gnn.gpu_kernels` where they can be built, and products in TF32."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor

log = logging.getLogger(__name__)

_COMPILERS = ("gcc", "clang", "cc")


@contextmanager
def tf32_products(allowed: bool) -> Iterator[None]:
    """Whether a GPU may round factors to TF32 (ten bits of mantissa), which it multiplies several times as fast."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def kernels_for(tensor: Tensor) -> ModuleType | None:
    """`gnn.gpu_kernels` for a tensor that they can work on; None on a CPU, and where they cannot be built."""
    return _kernels(tensor.device.index or 0) if tensor.device.type == "cuda" else None


@lru_cache
def _kernels(device: int) -> ModuleType | None:
    """PyTorch for CUDA brings Triton on Linux; it builds a kernel's launcher with the machine's C compiler."""
    if find_spec("triton") is None:
        missing = "Triton is not installed"
    elif not (os.environ.get("CC") or any(map(shutil.which, _COMPILERS))):
        missing = "there is no C compiler"
    else:
        try:
            from gnn import gpu_kernels

            gpu_kernels.smallest(torch.zeros(1, 32, device=torch.device("cuda", device)), 2)
            return gpu_kernels
        # Of Triton, the compilers it calls, the driver: Python's headers may lack, or a GPU be too old.
        except Exception as error:
            missing = f"Triton cannot build them ({error})"
    log.info("networks run on the GPU without kernels of our own, which takes longer: %s", missing)
    return None
