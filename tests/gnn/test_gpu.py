import logging
import sys
from types import SimpleNamespace

import pytest
import torch

from gnn import gpu


@pytest.fixture(autouse=True)
def asked_anew():
    gpu._kernels.cache_clear()
    yield
    gpu._kernels.cache_clear()


def test_a_processor_needs_no_kernels():
    assert gpu.kernels_for(torch.zeros(3)) is None


@pytest.mark.parametrize(
    ("has_triton", "compiler", "reason"),
    [(False, "gcc", "Triton is not installed"), (True, "", "no C compiler"), (True, "gcc", "Python.h")],
)
def test_where_kernels_cannot_be_built_the_log_says_why(monkeypatch, caplog, has_triton, compiler, reason):
    def smallest(values, k):
        raise RuntimeError("fatal error: Python.h: No such file or directory")

    monkeypatch.setitem(sys.modules, "gnn.gpu_kernels", SimpleNamespace(smallest=smallest))
    monkeypatch.setattr("gnn.gpu_kernels", sys.modules["gnn.gpu_kernels"], raising=False)
    monkeypatch.setattr(gpu, "find_spec", lambda name: has_triton or None)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: compiler or None)
    monkeypatch.setattr(gpu.torch, "zeros", lambda *shape, device: None)
    monkeypatch.delenv("CC", raising=False)
    with caplog.at_level(logging.INFO):
        assert gpu._kernels(0) is None
    assert reason in caplog.text
