"""Training steps on a CUDA device, captured and as they are: `python benchmarks/gpu_training.py [--write FILE]`.

Cars are stood in for by ellipsoids of their size: what a step takes depends on how many points there are alone. The
networks are the bundled model's, with as many clouds a step as it was trained with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402
from factory.cloud_pool import CloudPool  # noqa: E402
from factory.drag import train_drag_network  # noqa: E402
from factory.field import train_field_net  # noqa: E402
from factory.steps import DRAG_NETWORK, FIELD_NETWORK  # noqa: E402
from gnn.checkpoints import read_model  # noqa: E402
from gnn.model_config import DRAG  # noqa: E402
from gnn.networks import build_network  # noqa: E402
from gnn.training import loop  # noqa: E402
from gnn.training.captured_step import CapturedStep  # noqa: E402
from gnn.training.cars import LabelledCloud  # noqa: E402
from gnn.training.loop import Optimisation  # noqa: E402
from gnn.training.losses import Scale  # noqa: E402

MODEL = ROOT / "resources" / "models" / "drivaer"
N_CARS = 200
WARM_UP = 50


@dataclass(frozen=True)
class Ellipsoid:
    length: float
    name: str = "ellipsoid"

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        normals = rng.normal(size=(n, 3)).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = normals * np.float32([self.length / 2, 0.9, 0.7])
        return LabelledCloud(points, normals, np.concatenate([points[:, :1], points], axis=1))

    @property
    def face_values(self) -> np.ndarray:
        return self.draw(1000, np.random.default_rng(0)).values


class PlainStep:
    """What `CapturedStep` stands in for."""

    def __init__(self, take: Callable[..., torch.Tensor], device: torch.device):
        self._take, self._device = take, device

    def __call__(self, *batch: torch.Tensor) -> torch.Tensor:
        return self._take(*(part.to(self._device) for part in batch))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--write", type=Path, help="file to put the table into, between its marks")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no CUDA device is available: this table is of one")
    rows = list(table(options.steps))
    print("\n".join(rows))
    if options.write:
        replace_between("gpu-training", "\n".join(rows), options.write)


def table(steps: int) -> Iterator[str]:
    yield f"{torch.cuda.get_device_name()}; means of {steps} steps:\n"
    yield "| network | clouds a step | as it is | captured | times as fast |"
    yield "|---|---:|---:|---:|---:|"
    cars = [Ellipsoid(float(length)) for length in np.linspace(4.0, 5.0, N_CARS)]
    for name, batch, learn in (
        ("RegDGCNN, 1,024 points, from nothing", 64, drag_steps),
        ("the same going on, its batch statistics kept", 64, partial(drag_steps, start=MODEL)),
        ("FieldNet, 2,048 points", 16, field_steps),
    ):
        plain, captured = (seconds_a_step(learn, cars, batch, steps, kind) for kind in (PlainStep, CapturedStep))
        yield f"| {name} | {batch} | {1e3 * plain:.1f} ms | {1e3 * captured:.1f} ms | {plain / captured:.1f} |"


def seconds_a_step(learn: Callable[..., None], cars: list[Ellipsoid], batch: int, steps: int, kind: type) -> float:
    """By the clock: a training of many steps less one of few, which builds kernels and draws clouds all the same."""
    loop.CapturedStep = kind
    took = []
    for n in (WARM_UP, WARM_UP, WARM_UP + steps):
        started = time.perf_counter()
        with TemporaryDirectory() as folder:
            learn(cars, batch, Optimisation(n, warm_up=WARM_UP // 2), Path(folder, "a.ckpt"))
        took.append(time.perf_counter() - started)
    return (took[2] - took[1]) / steps


def drag_steps(
    cars: list[Ellipsoid], batch: int, how: Optimisation, checkpoint: Path, start: Path | None = None
) -> None:
    known = np.column_stack([[car.length for car in cars]] * 2)
    scale = Scale(tuple(known.mean(axis=0).tolist()), tuple(known.std(axis=0).tolist()))
    fresh = build_network(DRAG_NETWORK.network, DRAG_NETWORK.architecture)
    network = fresh if start is None else read_model(start).network(DRAG)
    sizes = {"n_points": DRAG_NETWORK.n_points, "batch": batch, "pool": CloudPool.of(cars, "cuda")}
    train_drag_network(network, cars, known, scale, how, checkpoint, keep_statistics=start is not None, **sizes)


def field_steps(cars: list[Ellipsoid], batch: int, how: Optimisation, checkpoint: Path) -> None:
    network = build_network(FIELD_NETWORK.network, FIELD_NETWORK.architecture)
    pool = CloudPool.of_fields(cars, "cuda", held=4096)
    sizes = {"n_points": FIELD_NETWORK.n_points, "batch": batch, "pool": pool}
    train_field_net(network, cars, Scale.of_fields(cars, columns=4), how, checkpoint, **sizes)


if __name__ == "__main__":
    main()
