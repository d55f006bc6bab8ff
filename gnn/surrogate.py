"""A model folder ready to answer: drag with its interval, the surface fields, and how far from home the car is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.errors import ModelError
from data.mesh import SurfaceSample
from gnn.checkpoints import ModelFolder, read_model
from gnn.field_net import FieldNet
from gnn.input_frame import CENTRE_Z, InputFrame
from gnn.novelty import NoveltyReference, profile
from gnn.regdgcnn import RegDGCNN
from gnn.template import SOFT_AROUND, RegisteredTemplate, fits_template, register

BUNDLED = Path(__file__).resolve().parent.parent / "resources" / "models"
DEFAULT_MODEL = "drivaer"
_END_POINTS = 128


@dataclass(frozen=True, eq=False)
class SurfacePrediction:
    """What a model says of one sample; coefficients on the frontal area that was given.

    cd with cd_low..cd_high, the interval that holds 90 % of designs like those trained on. cl.
    cd_pressure, cd_friction: integrals of cp, cf over the bent template as far as it fits, else over the sample.
    answers_apart: how far their sum lies from cd at most, on nine of ten designs that no training saw.
    novelty: > 1 is outside of the training designs.
    points (N, 3) m and normals (N, 3), car frame; cp (N,), cf (N, 3) on them. float32.
    registered: the template bent onto the car, which knows the fields between those points too. on_template: that fits,
    and the car is nearest to the template's own family, for which the narrower interval was calibrated.
    frame: how the networks and the template saw the car.
    """

    cd: float
    cd_low: float
    cd_high: float
    cl: float
    cd_pressure: float
    cd_friction: float
    answers_apart: float
    novelty: float
    in_distribution: bool
    novelty_reason: str
    points: np.ndarray
    normals: np.ndarray
    cp: np.ndarray
    cf: np.ndarray
    warnings: tuple[str, ...] = ()
    registered: RegisteredTemplate | None = None
    on_template: bool = False
    frame: InputFrame = InputFrame()

    def refined(self, values: np.ndarray, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Cp and Cf (N, 4) that were brought to vertices (N, 3) m of the car frame, better where the template knows."""
        if self.registered is None:
            return values
        return self.registered.over(values, self.frame.to_network(points), normals, SOFT_AROUND)


class Surrogate:
    """The drag network, the field network and the novelty reference of one model folder, loaded once."""

    def __init__(self, model: ModelFolder, device: str):
        self.name, self.device, self.config = f"{model.path.name}@{model.digest}", device, model.config
        self._drag = model.network("drag", RegDGCNN).to(device)
        self._field = model.network("field", FieldNet).to(device)
        self._novelty: NoveltyReference = model.novelty()
        self._templates = model.templates()

    @classmethod
    def load(cls, name_or_path: str | Path = DEFAULT_MODEL, device: str = "auto") -> Surrogate:
        """A bundled model by name, or a model folder. device: auto, cpu or cuda. Raises ModelError."""
        return cls(read_model(find_model(name_or_path)), pick_device(device))

    @property
    def n_points(self) -> int:
        """Points of a sample that are looked at; more are passed over."""
        drag, field = self.config["drag"], self.config["field"]
        return max(part["n_clouds"] * part["n_points"] for part in (drag, field))

    @torch.inference_mode()
    def predict(self, sample: SurfaceSample, frontal_area: float) -> SurfacePrediction:
        """sample: at least ``n_points`` points. frontal_area: m², whole car."""
        frame = InputFrame.of(sample.points)
        points = frame.to_network(sample.points)
        cd, cl = self._coefficients(points)
        described = profile(points, sample.normals)
        registered = register(self._templates, points, sample.normals, described)
        cp, cf, n = self._fields(points, sample.normals, registered)
        novelty = self._novelty.score(described)
        cd_pressure, cd_friction = self._integrals(sample, cp, cf, registered, frame, frontal_area)
        on_template = fits_template(registered) and self._novelty.nearest(described) == 0
        half = _of_family(self.config["interval"], on_template)
        apart = _of_family(self.config.get("answers_apart", self.config["interval"]), on_template)
        return SurfacePrediction(
            cd=cd,
            cd_low=cd - half,
            cd_high=cd + half,
            cl=cl,
            cd_pressure=float(cd_pressure),
            cd_friction=float(cd_friction),
            answers_apart=apart,
            novelty=novelty,
            in_distribution=novelty <= 1.0,
            novelty_reason=_novelty_reason(novelty, self.config["trained_on"]),
            points=sample.points[:n],
            normals=sample.normals[:n],
            cp=cp,
            cf=cf,
            registered=registered,
            on_template=on_template,
            frame=frame,
            warnings=frame.warnings,
        )

    @torch.inference_mode()
    def cd(self, sample: SurfaceSample, n_clouds: int | None = None) -> float:
        """Cd alone, a third of ``predict``'s time; of the first n_clouds clouds only it takes as much less."""
        return self._coefficients(InputFrame.of(sample.points).to_network(sample.points), n_clouds)[0]

    def drag_gradient(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) dCd/dx per metre of points (N, 3) m, car frame: of as many whole clouds as they make."""
        drag = self.config["drag"]
        n_clouds = len(points) // drag["n_points"]
        n = n_clouds * drag["n_points"]
        moving = torch.from_numpy(np.ascontiguousarray(points[:n], np.float32)).to(self.device).requires_grad_()
        frame = InputFrame.of(points)
        enlarged = moving * frame.scale
        x = enlarged[:, 0]
        # The middle is that of two points; their share of the slope is spread over the car's two ends, as a push's is.
        ends = (x.topk(min(_END_POINTS, n), largest=side).values.mean() for side in (True, False))
        middle = 0.5 * sum(end - end.detach() for end in ends) + frame.x_middle
        standard = self._drag(
            (enlarged - torch.stack([middle, x.new_tensor(0.0), x.new_tensor(CENTRE_Z)])).view(n_clouds, -1, 3)
        )[:, 0]
        cd = standard.mean() * drag["spread"][0]
        (gradient,) = torch.autograd.grad(cd, moving)
        return gradient.cpu().numpy()

    def novelty(self, points: np.ndarray, normals: np.ndarray) -> float:
        """How far a car's points (N, 3) in network coordinates and normals (N, 3) lie from training; > 1 is outside."""
        return self._novelty.score(profile(points, normals))

    @torch.inference_mode()
    def drag_features(self, points: np.ndarray) -> np.ndarray:
        """(2 * emb_dims,) the drag network's pooled features of points (N, 3) in network coordinates."""
        drag = self.config["drag"]
        clouds = _clouds(points, drag["n_clouds"], drag["n_points"], self.device)
        return self._drag.features(clouds).mean(dim=0).cpu().numpy()

    def _coefficients(self, points: np.ndarray, n_clouds: int | None = None) -> tuple[float, float]:
        """Cd and Cl as the mean over several disjoint clouds: their scatter is only which points were taken."""
        drag = self.config["drag"]
        clouds = _clouds(points, n_clouds or drag["n_clouds"], drag["n_points"], self.device)
        standard = self._drag(clouds).double().mean(dim=0).cpu().numpy()
        cd, cl = standard * drag["spread"] + drag["mean"]
        return float(cd), float(cl)

    def _integrals(
        self,
        sample: SurfaceSample,
        cp: np.ndarray,
        cf: np.ndarray,
        registered: RegisteredTemplate | None,
        frame: InputFrame,
        frontal_area: float,
    ) -> np.ndarray:
        """(2,) Cd from pressure and from friction. The template's faces are the CFD's own, edges and all."""
        n = len(cp)
        areas = sample.areas[:n].astype(np.float64) * (sample.areas.sum(dtype=np.float64) / sample.areas[:n].sum())
        pressure = -(cp * sample.normals[:n, 0] * areas).sum() / frontal_area
        offset = self.config["field"]["cd_pressure_offset"]
        over_sample = np.array([pressure + offset, (cf[:, 0] * areas).sum() / frontal_area])
        if registered is None:
            return over_sample
        of_template = np.array(registered.drag_areas) / (frame.scale**2 * frontal_area)
        return over_sample + registered.fit * (of_template - over_sample)

    def _fields(
        self, points: np.ndarray, normals: np.ndarray, registered: RegisteredTemplate | None
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Cp, Cf and for how many points: the template's where the car lies on it, FieldNet's elsewhere."""
        field = self.config["field"]
        n_clouds, n_points = field["n_clouds"], field["n_points"]
        shape = (n_clouds, n_points, self.device)
        values = self._field.fields(_clouds(points, *shape), _clouds(normals, *shape)).flatten(0, 1).cpu().numpy()
        n = n_clouds * n_points
        if registered is not None:
            values = registered.over(values, points[:n], normals[:n])
        return values[:, 0], values[:, 1:], n


def _of_family(widths: Mapping[str, float], on_template: bool) -> float:
    """A half width: cars that are not of the template's family may have one of their own."""
    return widths["half_width"] if on_template else widths.get("elsewhere", widths["half_width"])


def find_model(name_or_path: str | Path) -> Path:
    """Folder of a bundled model by its name, else the path itself. Raises ModelError when there is neither."""
    bundled = BUNDLED / str(name_or_path)
    for folder in (bundled, Path(name_or_path)):
        if folder.is_dir():
            return folder
    names = ", ".join(sorted(p.name for p in BUNDLED.glob("*") if p.is_dir()))
    raise ModelError("no such model", file=name_or_path, fix=f"bundled: {names}; or give a model folder")


def pick_device(device: str) -> str:
    """``auto`` becomes cuda where there is one. Raises ModelError for a GPU that is not there, and for other names."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ModelError(f"{device} is no device", fix="use auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("no CUDA device is available", fix="use --device cpu, or install a CUDA build of torch")
    return device


def _clouds(rows: np.ndarray, n_clouds: int, n_points: int, device: str) -> Tensor:
    """(N, 3) rows to (n_clouds, n_points, 3): runs of an even sample are even samples themselves."""
    if len(rows) < n_clouds * n_points:
        raise ValueError(f"a sample of {len(rows)} points, but the model looks at {n_clouds * n_points}")
    used = torch.from_numpy(np.ascontiguousarray(rows[: n_clouds * n_points], np.float32))
    return used.view(n_clouds, n_points, 3).to(device)


def _novelty_reason(novelty: float, trained_on: str) -> str:
    if novelty <= 1.0:
        return ""
    how = "slightly outside" if novelty < 1.5 else "outside" if novelty < 3 else "far outside"
    return f"the shape lies {how} of what the model was trained on ({trained_on}): its interval does not hold here"
