"""A model ready to answer, of whatever it has: a drag network, a field network, templates, an interval, a novelty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from data.errors import ModelError
from data.mesh import SurfaceSample
from gnn.checkpoints import ModelFolder, read_model
from gnn.input_frame import InputFrame
from gnn.loaded_network import LoadedNetwork
from gnn.model_config import COEFFICIENTS, DRAG, FIELD, ModelConfig, NetworkConfig
from gnn.novelty import NoveltyReference, profile
from gnn.prediction import SurfacePrediction
from gnn.published import read_published
from gnn.scaling import scale_for
from gnn.template import RegisteredTemplate, Template, fits_template, register

_BLUFF = (
    "a bluff body, no car: Cd and Cl were learnt from AhmedML's; pressure, friction and what our own CFD would give "
    "were not"
)
_PUBLISHED_POINTS = 5000
"""Of one cloud in DrivAerNet's training script, in metres in the car frame, neither centred nor scaled."""


class Surrogate:
    """A model, loaded once, that predicts cars from their samples.

    name: the model's, with its digest. config: as stored. networks: by target.
    """

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        networks: Mapping[str, nn.Module],
        device: str,
        novelty: NoveltyReference | None = None,
        templates: Sequence[Template] = (),
    ):
        self.name, self.config, self.device = name, config, device
        self._networks = {
            target: LoadedNetwork(network, config.networks[target], device) for target, network in networks.items()
        }
        self._drag, self._field = self._networks.get(DRAG), self._networks.get(FIELD)
        self._novelty, self._templates = novelty, list(templates)

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> Surrogate:
        """A model folder, or published drag weights (``.pth``). device: auto, cpu or cuda. Raises ModelError."""
        path, device = Path(path), pick_device(device)
        if path.suffix in (".pth", ".pt"):
            return cls._of_published(path, device)
        return cls.of_folder(read_model(path), device)

    @classmethod
    def of_folder(cls, model: ModelFolder, device: str) -> Surrogate:
        networks = {target: model.network(target) for target in model.config.networks}
        name = f"{model.path.name}@{model.digest}"
        return cls(name, model.config, networks, device, model.novelty(), model.templates())

    @classmethod
    def _of_published(cls, path: Path, device: str) -> Surrogate:
        spec, network = read_published(path)
        if spec.target != DRAG:
            fix = "give the drag network's weights"
            raise ModelError("holds the pressure network, which gives no drag", file=path, fix=fix)
        section = NetworkConfig(spec.name, {}, _PUBLISHED_POINTS, 1, mean=(0.0,), spread=(1.0,), centred=False)
        return cls(path.name, ModelConfig(path.name, "unknown", drag=section), {DRAG: network}, device)

    @property
    def n_points(self) -> int:
        """Points of a sample that are looked at; more are passed over."""
        return max(network.config.n_seen for network in self._networks.values())

    @property
    def n_parameters(self) -> int:
        return sum(network.n_parameters for network in self._networks.values())

    @property
    def gives_drag(self) -> bool:
        return self._drag is not None

    @property
    def gives_fields(self) -> bool:
        return self._field is not None

    @torch.inference_mode()
    def predict(self, sample: SurfaceSample, frontal_area: float) -> SurfacePrediction:
        """Of one car. sample: best of ``n_points`` points or more. frontal_area: m², whole car."""
        frame = self.frame_of(sample)
        points = frame.to_network(sample.points)
        described = profile(points, sample.normals) if self._novelty or self._templates else np.empty(0)
        registered = register(self._templates, points, sample.normals, described)
        novelty = self._novelty.score(described) if self._novelty else None
        fits = fits_template(registered)
        nearest = self._novelty.nearest(described) if self._novelty else None
        on_template = fits and nearest == 0
        is_bluff = novelty is not None and novelty <= 1.0 and nearest == self.config.bluff_cloud
        apart = self.config.answers_apart or self.config.interval_rans or self.config.interval
        return SurfacePrediction(
            **self._coefficients(sample, frame, on_template, is_bluff),
            **self._fields(sample, frame, frontal_area, registered),
            answers_apart=None if apart is None else apart.of(on_template),
            novelty=novelty,
            in_distribution=None if novelty is None else novelty <= 1.0,
            novelty_reason=_novelty_reason(novelty, self.config.trained_on),
            warnings=(
                *((_BLUFF,) if is_bluff else ()),
                *(frame.warnings if self._is_centred else ()),
                *self._warnings(),
            ),
            registered=registered,
            on_template=on_template,
            is_bluff=is_bluff,
            frame=frame,
        )

    def cd(self, sample: SurfaceSample, n_clouds: int | None = None) -> float:
        """Cd alone, in a third of ``predict``'s time; in less where n_clouds asks for the first few clouds only.

        Raises ModelError for a model without a drag network.
        """
        drag = self._network(DRAG)
        seen = drag.points_seen(sample.points, self.frame_of(sample))
        return float(drag.coefficients(seen, sample.normals, n_clouds)[0])

    def drag_gradient(self, sample: SurfaceSample) -> np.ndarray:
        """(n, 3) dCd/dx, 1/m, at the n points of the sample's whole clouds. Raises ModelError."""
        return self._network(DRAG).gradient(sample.points, sample.normals, self.frame_of(sample))

    def frame_of(self, sample: SurfaceSample) -> InputFrame:
        """How this model sees a car: in its own size, or in one that it knows."""
        if self._novelty is None or not self._is_centred:
            return InputFrame.of(sample.points)
        return InputFrame.of(sample.points, scale_for(sample.points, sample.normals, self._novelty))

    def drag_features(self, points: np.ndarray) -> np.ndarray:
        """(f,) the drag network's pooled features of points (N, 3) as it sees them. Raises ModelError."""
        return self._network(DRAG).features(points)

    def novelty(self, points: np.ndarray, normals: np.ndarray) -> float | None:
        """How far a car's points (N, 3) in network coordinates and normals (N, 3) lie from training; > 1 is outside."""
        return self._novelty.score(profile(points, normals)) if self._novelty else None

    def _network(self, target: str) -> LoadedNetwork:
        if target not in self._networks:
            raise ModelError(f"the model {self.name} has no {target} network", fix="choose one that has")
        return self._networks[target]

    @property
    def _is_centred(self) -> bool:
        return any(network.config.centred for network in self._networks.values())

    def _warnings(self) -> tuple[str, ...]:
        """What a drag network alone lacks, in a sentence."""
        if self.gives_fields:
            return ()
        lacking = {
            "no interval": self.config.interval is None,
            "no fields": True,
            "no lift": self._drag is not None and len(self._drag.config.mean) < 2,
            "nothing on how far the car is from what it was trained on": self._novelty is None,
        }
        return (f"{self.name} is a drag network alone: {', '.join(what for what, is_so in lacking.items() if is_so)}",)

    def _coefficients(
        self, sample: SurfaceSample, frame: InputFrame, on_template: bool, is_bluff: bool
    ) -> dict[str, Any]:
        if self._drag is None:
            return {}
        values = self._drag.coefficients(self._drag.points_seen(sample.points, frame), sample.normals)
        found = dict(zip(COEFFICIENTS, map(float, values), strict=False))
        for name, interval in (("cd", self.config.interval), ("cd_rans", self.config.interval_rans)):
            if interval is not None and name in found:
                half = interval.of(on_template)
                if is_bluff and interval.bluff is not None:
                    half = interval.bluff
                found |= {f"{name}_low": found[name] - half, f"{name}_high": found[name] + half}
        return found

    def _fields(
        self, sample: SurfaceSample, frame: InputFrame, frontal_area: float, registered: RegisteredTemplate | None
    ) -> dict[str, Any]:
        """Cp and Cf: the template's where the car lies on it, the field network's elsewhere; and their integrals."""
        if self._field is None:
            return {}
        rows = self._field.rows_seen(len(sample.points))
        points, normals = sample.points[rows], sample.normals[rows]
        values = self._field.values(self._field.points_seen(sample.points, frame), sample.normals)
        if values.shape[1] == 1:
            return {"points": points, "normals": normals, "cp": values[:, 0]}
        if registered is not None:
            values = registered.over(values, frame.to_network(points), normals)
        cp, cf = values[:, 0], values[:, 1:]
        found = {"points": points, "normals": normals, "cp": cp, "cf": cf}
        if self.config.cd_pressure_offset is not None:
            cd_pressure, cd_friction = self._integrals(sample, rows, cp, cf, registered, frame, frontal_area)
            found |= {"cd_pressure": float(cd_pressure), "cd_friction": float(cd_friction)}
        return found

    def _integrals(
        self,
        sample: SurfaceSample,
        rows: np.ndarray,
        cp: np.ndarray,
        cf: np.ndarray,
        registered: RegisteredTemplate | None,
        frame: InputFrame,
        frontal_area: float,
    ) -> np.ndarray:
        """(2,) Cd from pressure and from friction. The template's faces are the CFD's own, edges and all."""
        areas = sample.areas[rows]
        areas = areas.astype(np.float64) * (sample.areas.sum(dtype=np.float64) / areas.sum())
        pressure = -(cp * sample.normals[rows, 0] * areas).sum() / frontal_area
        friction = (cf[:, 0] * areas).sum() / frontal_area
        over_sample = np.array([pressure + self.config.cd_pressure_offset, friction])
        if registered is None:
            return over_sample
        of_template = np.array(registered.drag_areas) / (frame.scale**2 * frontal_area)
        return over_sample + registered.fit * (of_template - over_sample)


def pick_device(device: str) -> str:
    """``auto`` becomes cuda where there is one. Raises ModelError for a GPU that is not there, and for other names."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ModelError(f"{device} is no device", fix="use auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("no CUDA device is available", fix="use --device cpu, or install a CUDA build of torch")
    return device


def _novelty_reason(novelty: float | None, trained_on: str) -> str:
    if novelty is None or novelty <= 1.0:
        return ""
    how = "slightly outside" if novelty < 1.5 else "outside" if novelty < 3 else "far outside"
    return f"the shape lies {how} of what the model was trained on ({trained_on}): its interval does not hold here"
