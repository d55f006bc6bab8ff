"""Cars as the lab's store has them, but drawn in a moment: ellipsoids whose drag is their height's."""

from __future__ import annotations

import numpy as np

from gnn.training.point_store import Held, PointStoreCar
from gnn.training.recipe import TrainingRecipe

DRAG = TrainingRecipe(
    architecture={"k": 8, "conv_channels": [8, 8], "emb_dims": 16, "mlp": [8], "dropout": 0.1},
    n_points=64,
    pool=512,
    epochs=6,
    batch=4,
    rate=1e-2,
    average=0.5,
    draws=2,
)
FIELD = TrainingRecipe(
    model="field",
    network="fieldnet",
    architecture={"width": 16, "k": 4, "thinning": [1], "n_waves": 2},
    n_points=128,
    pool=512,
    epochs=4,
    batch=4,
    rate=1e-2,
    average=0.5,
)


def ellipsoids(n: int, first: int = 0) -> list[PointStoreCar]:
    """n cars 4 m long, 0.9 to 1.8 m high."""
    return [_ellipsoid(i) for i in range(first, first + n)]


def _ellipsoid(i: int) -> PointStoreCar:
    rng = np.random.default_rng(i)
    height = rng.uniform(0.9, 1.8)
    normals = rng.normal(size=(512, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals * [2.0, 0.9, height / 2] + [0.0, 0.0, height / 2]
    values = np.column_stack([1 - 2 * normals[:, 1] ** 2 - 2 * normals[:, 2] ** 2, np.full((512, 3), 0.003)])
    arrays = (points.astype(np.float32), normals.astype(np.float16), values.astype(np.float16))
    coefficients = {"cd": 0.2 + 0.1 * height}
    return PointStoreCar(f"e{i}", "ellipsoids", None, "train", coefficients, 2.0, Held(*arrays), 20.0)
