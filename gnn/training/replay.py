"""Rehearsal: the cars that a model was trained on, rebuilt from its templates for fine-tuning.

Fine-tuning on new cars alone makes a network forget the old ones, so that they are repeated (Robins, "Catastrophic
Forgetting, Rehearsal and Pseudorehearsal", 1995). The DrivAer's geometry may not be shipped, but a model's templates
bend to any of its morphs: ``replay.json`` in a model folder has the code of each CFD case, and
``resources/corpus/drivaer_morphs`` has the case's coefficients and its fields, face by face in the template's order.
Shapes between the cases have no CFD; there the old network's prediction is the label (Li and Hoiem, "Learning without
Forgetting", 2016).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.corpora.case import Case
from data.corpora.case_files import CASES, read_case
from data.errors import ModelError
from data.mesh import SurfaceSample
from data.nearest import nearest_faces
from data.sampling import closed_areas
from data.thinning import even_order
from gnn.input_frame import CENTRE_Z
from gnn.template import Template
from gnn.training.cars import DRIVAER, LabelledCloud, OfCase
from gnn.training.clouds import SAMPLE_POINTS, Cloud, labels

REPLAY = "replay.json"
_CHOICE = 4  # points to choose from for one that is taken, as a file's sample has


@dataclass(frozen=True, eq=False)
class TemplateCode:
    """The number of one of a model's templates, and the code (K,) that bends it."""

    template: int
    code: np.ndarray


@dataclass(frozen=True, eq=False)
class TemplateShape:
    """A template bent by a code, as a car that points are drawn from."""

    template: Template
    code: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """n points (n, 3) in network coordinates, normals (n, 3), and the face at each (n,) or NO_FACE; of both halves.

        Faces are drawn in proportion to their area, and a point uniformly on the face.
        """
        points, normals = self._scatter(n, rng)
        return points, normals, self._faces_at(points, normals)

    def draw_evenly(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As ``draw``, with points as evenly spaced as a mesh's sample, because networks are sensitive to that."""
        points, normals = self._scatter(_CHOICE * n, rng)
        low, high = points.min(axis=0), points.max(axis=0)
        each = np.full(len(points), self.wetted_area / len(points))
        diagonal = float(np.linalg.norm(high - low))
        taken = even_order(points, normals, each, rng.random(len(points)), low, diagonal)[:n]
        points, normals = points[taken], normals[taken]
        return points, normals, self._faces_at(points, normals)

    def _scatter(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        points, vectors = self.template.marks_at(self.code)
        areas = np.linalg.norm(vectors, axis=1)
        which = rng.choice(len(points), n, p=areas / areas.sum(dtype=np.float64))
        normals = vectors[which] / areas[which, None]
        # The marked faces stand for the others as well.
        size = np.sqrt(areas[which, None] * len(self.template.places[0]) / len(points))
        step = rng.uniform(-0.5, 0.5, (n, 3)) * size
        step -= (step * normals).sum(axis=1, keepdims=True) * normals
        side = np.where(rng.random((n, 1)) < 0.5, 1.0, -1.0) * [0, 1, 0] + [1, 0, 1]
        return ((points[which] + step) * side).astype(np.float32), (normals * side).astype(np.float32)

    def _faces_at(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        centres, vectors = self.template.bent(self.code)
        facing = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return nearest_faces(centres, facing, points, normals, half=True)

    @property
    def wetted_area(self) -> float:
        """m², of both halves."""
        return 2.0 * float(np.linalg.norm(self.template.bent(self.code)[1], axis=1).sum())


@dataclass(frozen=True, eq=False)
class ReplayCar(OfCase):
    """A CFD case on the template that is bent to it."""

    case: Case
    shape: TemplateShape
    kind: str = DRIVAER

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        points, normals, face = self.shape.draw(n, rng)
        return LabelledCloud(points, normals, labels(self.case, Cloud(points, normals, face)))

    def sample(self) -> tuple[SurfaceSample, np.ndarray]:
        points, normals, face = self.shape.draw_evenly(SAMPLE_POINTS, np.random.default_rng(0))
        areas = closed_areas(normals.astype(np.float64), self.shape.wetted_area).astype(np.float32)
        in_car_frame = points + np.array([0.0, 0.0, CENTRE_Z], np.float32)
        return SurfaceSample(in_car_frame, normals, areas), labels(self.case, Cloud(points, normals, face))


def read_replay(folder: Path) -> dict[str, TemplateCode]:
    """A model folder's codes by the cases' names; empty where it has none. Raises ModelError for a damaged file."""
    path = folder / REPLAY
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text("utf-8"))
        return {name: TemplateCode(int(b["template"]), np.array(b["code"], np.float32)) for name, b in rows.items()}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"damaged ({error})", file=path, fix="copy the model again") from error


def replay_cars(codes: Mapping[str, TemplateCode], templates: Sequence[Template], corpus: Path) -> list[ReplayCar]:
    """The cars of those cases of a compact corpus whose code the model has."""
    cars = []
    for name, own in sorted(codes.items()):
        path = corpus / CASES / f"{name}.npz"
        if path.exists():
            cars.append(ReplayCar(read_case(path), TemplateShape(templates[own.template], own.code)))
    return cars
