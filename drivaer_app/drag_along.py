"""Where along the car its drag arises: Cd accumulated from the nose to the tail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.load import sample_car

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction

N_STATIONS = 200


@dataclass(frozen=True, eq=False)
class DragAlong:
    """x (S,) m, car frame, rising. pressure, friction (S,): Cd of all the surface ahead of x."""

    x: np.ndarray
    pressure: np.ndarray
    friction: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return self.pressure + self.friction


def drag_along(prediction: Prediction) -> DragAlong | None:
    """The fields' integral split over stations; its end is cd_pressure and cd_friction. None without fields.

    Made of the same parts as those two numbers: the bent template's faces as far as it fits, the sample's points for
    the rest. What the model adds as a constant is spread over the surface by area.
    """
    surface = prediction.surface
    if surface is None:
        return None
    n = len(surface.cp)
    sample = sample_car(prediction.car, n)
    areas = sample.areas[:n].astype(np.float64) * (sample.areas.sum(dtype=np.float64) / sample.areas[:n].sum())
    x = surface.points[:, 0].astype(np.float64)
    forces = np.stack([-surface.cp * surface.normals[:, 0] * areas, surface.cf[:, 0] * areas])
    low, high = float(x.min()), float(x.max())
    stations = np.linspace(low, high, N_STATIONS)
    split = _accumulated(x, forces, stations)
    if surface.registered is not None:
        bent = surface.registered
        lengths = np.linalg.norm(bent.area_vectors, axis=1)
        on_faces = 2.0 * np.stack([-bent.values[:, 0] * bent.area_vectors[:, 0], bent.values[:, 1] * lengths])
        frame = surface.frame
        places = (np.asarray(bent.tree.data)[:, 0] + frame.x_middle) / frame.scale
        template = _accumulated(places, on_faces / frame.scale**2, stations)
        split = split + bent.fit * (template - split)
    split /= prediction.frontal_area
    ends = np.array([prediction.cd_pressure, prediction.cd_friction])
    by_area = _accumulated(x, areas[None] / areas.sum(), stations)
    split += (ends - split[:, -1])[:, None] * by_area
    return DragAlong(stations, *(row.astype(np.float32) for row in split))


def _accumulated(x: np.ndarray, amounts: np.ndarray, stations: np.ndarray) -> np.ndarray:
    """(C, S): of amounts (C, N) at x (N,), the sums ahead of each station; all of them at the last."""
    at = np.minimum(np.searchsorted(stations, x), len(stations) - 1)
    return np.stack([np.cumsum(np.bincount(at, row, minlength=len(stations))) for row in amounts.astype(np.float64)])
