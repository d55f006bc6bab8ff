"""What all tests share: where the data outside the repository lies, and cars of our own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

_DRAG = {"k": 4, "conv_channels": [8, 8], "emb_dims": 16, "mlp": [8], "dropout": 0.0, "out_channels": 2}
_FIELD = {"width": 16, "k": 4, "thinning": [1, 4], "n_waves": 3}

# Several test processes at once: one thread each, or they take turns waiting for each other.
if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """m³ within a closed, outward-wound surface."""
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real meshes and CFD results beside the repository; the test skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the data in {SHARED.name} beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def sample_file() -> Path:
    """A car mesh that comes with the repository: closed, in metres, in the car frame."""
    return ROOT / "resources" / "samples" / "fastback.stl"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A model folder with networks that know nothing yet."""
    import torch

    from gnn.checkpoints import write_model
    from gnn.field_net import FieldNet
    from gnn.model_config import Interval, ModelConfig, NetworkConfig
    from gnn.novelty import NoveltyReference
    from gnn.regdgcnn import RegDGCNN

    torch.manual_seed(0)
    networks = {"drag": RegDGCNN(**_DRAG).state_dict(), "field": FieldNet(**_FIELD).state_dict()}
    config = ModelConfig(
        name="tiny",
        trained_on="nothing",
        drag=NetworkConfig("regdgcnn", _DRAG, n_points=128, n_clouds=4, mean=(0.35, 0.0), spread=(0.05, 0.1)),
        field=NetworkConfig("fieldnet", _FIELD, n_points=256, n_clouds=4, mean=(0.0,) * 4, spread=(1.0,) * 4),
        cd_pressure_offset=0.0,
        interval=Interval(0.02),
    )
    novelty = NoveltyReference.fit([np.random.default_rng(0).normal(size=(80, 288)) * 0.01])
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_model(folder, config, networks, novelty)
    return folder


@pytest.fixture(scope="session")
def engine() -> Iterator[object]:
    """The process that predicts, one for all tests; what it was asked before it does not work out again."""
    from drivaer_app.desk.examine import examine
    from drivaer_app.engine import Engine

    class RememberingEngine(Engine):
        def __init__(self):
            super().__init__()
            self._answers = {}

        def call(self, function, *arguments, report=None):
            if function is not examine:
                return super().call(function, *arguments, report=report)
            content = arguments[0].read_bytes() if arguments[0].is_file() else None
            key = (content, *arguments[1:])
            if content is None or key not in self._answers:
                answer = super().call(function, *arguments, report=report)
                self._answers[key] = answer
            elif report:
                report(0.5, "remembered")
            return self._answers[key]

    engine = RememberingEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def make_cars(sample_file) -> Callable[[Path, int], list[Path]]:
    """Writes n different cars, a sample thinned and in as many widths, into a folder and returns their files."""
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
