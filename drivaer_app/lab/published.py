"""Predicting with published RegDGCNN drag weights, as the authors' own evaluation feeds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import ModelError
from data.mesh import SurfaceSample

_N_POINTS = 5000  # of one cloud in DrivAerNet's training script


@dataclass(frozen=True)
class DragOnly:
    """What a lone drag network says, in the shape of a SurfacePrediction: everything else is None."""

    cd: float
    warnings: tuple[str, ...]
    cd_low: None = None
    cd_high: None = None
    cl: None = None
    cd_pressure: None = None
    cd_friction: None = None
    novelty: None = None
    in_distribution: None = None
    novelty_reason: str = ""
    cp: None = None


class PublishedDrag:
    """A published drag network, behind the same two names as gnn.surrogate.Surrogate.

    Its input is what DrivAerNet's data loader hands over: 5,000 surface points in metres in the car frame,
    neither centred nor scaled. Raises ModelError for a file that holds no drag network.
    """

    n_points = _N_POINTS

    def __init__(self, path: Path, device: str):
        from gnn.published import load_published
        from gnn.regdgcnn import RegDGCNN
        from gnn.surrogate import pick_device

        network = load_published(path)
        if not isinstance(network, RegDGCNN):
            raise ModelError(
                "holds the pressure network, which gives no drag", file=path, fix="give the drag network's weights"
            )
        self.name = path.name
        self.device = pick_device(device)
        self._network = network.to(self.device)

    def predict(self, sample: SurfaceSample, frontal_area: float) -> DragOnly:
        """Drag of one sample; the frontal area plays no part, the network was trained on coefficients."""
        cd = self.cd(sample)
        why = f"{self.name} is a drag network alone: no interval, no fields, and no word on how far the car is from"
        return DragOnly(cd, (f"{why} what it was trained on",))

    def cd(self, sample: SurfaceSample, n_clouds: int | None = None) -> float:
        """n_clouds: of no account, it looks at one cloud."""
        import torch

        points = torch.from_numpy(np.ascontiguousarray(sample.points[:_N_POINTS])).to(self.device)
        with torch.inference_mode():
            return float(self._network(points[None])[0, 0])
