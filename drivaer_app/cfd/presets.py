"""How fine and how long: the three presets of a simulation."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import DrivAerError


@dataclass(frozen=True)
class Preset:
    """Mesh and iterations. Lengths are given for a car of 4.6 m and follow the car's size (`domain.size_of`).

    base_cell: m, of the undisturbed flow; halved ``level`` times at the car, once more at its mirrors and the tyres'
    contacts. layers: of boundary layer cells. iterations: in all. window: the last ones, which results average over.
    """

    name: str
    base_cell: float
    level: int
    layers: int
    iterations: int
    window: int


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("draft", 1.2, 5, 1, 300, 150),
        Preset("coarse", 0.875, 5, 1, 300, 150),
        Preset("medium", 0.62, 5, 2, 500, 200),
        Preset("fine", 0.44, 5, 3, 1000, 400),
    )
}

TRIAL = Preset("trial", 1.2, 3, 1, 30, 10)
"""Shows that everything works, within seconds; its numbers mean nothing."""


def preset_of(name: str) -> Preset:
    """Raises DrivAerError for a name that is none."""
    if name == TRIAL.name:
        return TRIAL
    if name not in PRESETS:
        raise DrivAerError(f"there is no preset {name!r}", fix=f"choose {', '.join(PRESETS)}")
    return PRESETS[name]
