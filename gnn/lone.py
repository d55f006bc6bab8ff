"""A model folder with one network, as `drivaer train --corpus` makes it: drag alone, or surface fields alone.

Its configuration says how it was trained (``recipe``), which is how it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.mesh import SurfaceSample
from gnn.checkpoints import FORMAT, ModelFolder, write_parts
from gnn.field_net import FieldNet
from gnn.input_frame import middle_x, to_network
from gnn.novelty import profile
from gnn.regdgcnn import RegDGCNN
from gnn.regdgcnn_pressure import RegDGCNNPressure

LONE = "lone"
NETWORKS = {"regdgcnn": RegDGCNN, "fieldnet": FieldNet, "regdgcnn-pressure": RegDGCNNPressure}


@dataclass(frozen=True, eq=False)
class LonePrediction:
    """What a lone network says, with the words of gnn.surrogate.SurfacePrediction; what it does not know is None."""

    cd: float | None = None
    cd_low: float | None = None
    cd_high: float | None = None
    cl: None = None
    cd_pressure: None = None
    cd_friction: None = None
    novelty: float | None = None
    in_distribution: bool | None = None
    novelty_reason: str = ""
    cp: np.ndarray | None = None
    cf: np.ndarray | None = None
    warnings: tuple[str, ...] = ()


class LoneModel:
    """A network of its own. model: a folder whose configuration has ``recipe``.

    It looks at ``draws`` clouds of a sample's points, one after another: any run of an even sample is even.
    """

    def __init__(self, model: ModelFolder, device: str):
        self.name, self.device, self.config = f"{model.path.name}@{model.digest}", device, model.config
        self.recipe: dict[str, Any] = model.config["recipe"]
        self.gives_drag = self.recipe["model"] == "drag"
        self._network = model.network(LONE, NETWORKS[self.recipe["network"]]).to(device)
        self._novelty = model.novelty() if "novelty" in model.config else None

    @property
    def n_points(self) -> int:
        """Points of a sample that are looked at."""
        return self.recipe["n_points"] * self.recipe["draws"]

    @property
    def n_parameters(self) -> int:
        return sum(p.numel() for p in self._network.parameters())

    @torch.inference_mode()
    def predict(self, sample: SurfaceSample, frontal_area: float) -> LonePrediction:
        """Of one car; coefficients are on the areas of the training's labels."""
        novelty, reason = self._novelty_of(sample)
        if not self.gives_drag:
            values = self._values(sample)
            cf = values[:, 1:] if values.shape[1] == 4 else None
            return LonePrediction(novelty=novelty, novelty_reason=reason, cp=values[:, 0], cf=cf)
        cd = self.cd(sample)
        half = self.config.get("interval", {}).get("half_width")
        return LonePrediction(
            cd=cd,
            cd_low=None if half is None else cd - half,
            cd_high=None if half is None else cd + half,
            novelty=novelty,
            in_distribution=None if novelty is None else novelty <= 1.0,
            novelty_reason=reason,
            warnings=(f"{self.name} is a drag network alone: no fields, no lift",),
        )

    @torch.inference_mode()
    def cd(self, sample: SurfaceSample, n_clouds: int | None = None) -> float:
        """Cd alone; of the first n_clouds clouds only where that is given."""
        said = self._network(self._clouds(self._seen(sample), n_clouds))[:, 0].double().mean()
        return float(said) * self.config["spread"][0] + self.config["mean"][0]

    def _values(self, sample: SurfaceSample) -> np.ndarray:
        """(n, 4) Cp and Cf or (n, 1) Cp at the points that are looked at."""
        points = self._clouds(self._seen(sample))
        if isinstance(self._network, FieldNet):
            said = self._network.fields(points, self._clouds(sample.normals))
        else:
            said = self._network(points).transpose(1, 2) * self.config["spread"][0] + self.config["mean"][0]
        return said.flatten(0, 1).float().cpu().numpy()

    def _seen(self, sample: SurfaceSample) -> np.ndarray:
        return to_network(sample.points, middle_x(sample.points)) if self.recipe["centred"] else sample.points

    def _clouds(self, rows: np.ndarray, n_clouds: int | None = None) -> torch.Tensor:
        n, size = n_clouds or self.recipe["draws"], self.recipe["n_points"]
        used = rows[np.arange(n * size) % len(rows)]
        return torch.from_numpy(np.ascontiguousarray(used, np.float32)).view(n, size, 3).to(self.device)

    def _novelty_of(self, sample: SurfaceSample) -> tuple[float | None, str]:
        if self._novelty is None:
            return None, ""
        points = to_network(sample.points, middle_x(sample.points))
        novelty = self._novelty.score(profile(points, sample.normals))
        what = f"the shape lies outside of what the model was trained on ({self.config['trained_on']})"
        return novelty, what if novelty > 1 else ""


def is_lone(config: dict[str, Any]) -> bool:
    """Whether a model folder's configuration is of a network of its own."""
    return "recipe" in config


def write_lone(folder: Path, config: dict[str, Any], network: torch.nn.Module, novelty=None) -> None:
    """Write weights and configuration of a lone network; the configuration last."""
    write_parts(folder, {"format": FORMAT, **config}, {LONE: network.state_dict()}, novelty)
