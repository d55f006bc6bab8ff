"""Small cars for batches: a sample, thinned, in as many widths as are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def make_cars(sample_file) -> Callable[[Path, int], list[Path]]:
    """Writes n different cars into a folder and returns their files."""
    import fast_simplification
    import trimesh

    mesh = trimesh.load(sample_file)
    vertices, faces = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=6000)

    def make(folder: Path, n: int) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for i in range(n):
            files.append(folder / f"car_{i:02d}.stl")
            trimesh.Trimesh(vertices * [1, 1 + 0.002 * i, 1], faces, process=False).export(files[-1])
        return files

    return make
