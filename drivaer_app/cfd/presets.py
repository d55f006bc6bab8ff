"""How fine, by which schemes and how long: the presets of a simulation."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import DrivAerError


@dataclass(frozen=True)
class Layers:
    """Boundary layer cells: how many grow on each kind of wall, from the thinnest at the wall outwards.

    expansion: thickness of a layer over that of the one beneath it. last: thickness of the outermost, as a share of the
    cell that it lies under. slip_angle: degrees; between faces that meet at a sharper edge the layers' points may slide
    along the surface (0: they may not).
    """

    body: int
    wheels: int = 0
    ground: int = 0
    expansion: float = 1.2
    last: float = 0.5
    slip_angle: float = 0.0


@dataclass(frozen=True)
class Schemes:
    """How the flow is discretised.

    convection: of momentum, an OpenFOAM scheme that takes a gradient. gradient_limit: 1 limits a cell's gradients to
    its neighbours' values, 0 does not. non_orthogonal: limiter of the non-orthogonal correction, 0 (none) to 1 (whole).
    model: RANS closure by its OpenFOAM name (`setup.TURBULENCE_FIELDS`).
    """

    convection: str = "linearUpwind"
    gradient_limit: float = 1.0
    non_orthogonal: float = 0.5
    model: str = "kOmegaSST"


@dataclass(frozen=True)
class Preset:
    """Mesh, schemes and iterations. Lengths are given for a car of 4.6 m and follow its size (`domain.size_of`).

    base_cell: m, of the undisturbed flow; halved ``level`` times at the car, once more at its mirrors and the tyres'
    contacts, and ``curved`` times more where its surface turns by more than 30 degrees from cell to cell.
    wake: how many times more the cells in the near wake and under the floor are halved than outside of it.
    iterations: in all. window: the last ones, which results average over.
    room: width and height of the box of air over those that leave a car a blockage of 3 %.
    """

    name: str
    base_cell: float
    level: int
    layers: Layers
    iterations: int
    window: int
    schemes: Schemes = Schemes()
    curved: int = 0
    wake: int = 0
    room: float = 1.0


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("draft", 1.2, 5, Layers(1), 300, 150),
        Preset("coarse", 0.875, 5, Layers(1), 300, 150),
        Preset("medium", 0.62, 5, Layers(2), 500, 200),
        Preset("fine", 0.44, 5, Layers(3), 1000, 400),
    )
}

TRIAL = Preset("trial", 1.2, 3, Layers(1), 30, 10)
"""Shows that everything works, within seconds; its numbers mean nothing."""


def preset_of(name: str) -> Preset:
    """Raises DrivAerError for a name that is none."""
    if name == TRIAL.name:
        return TRIAL
    if name not in PRESETS:
        raise DrivAerError(f"there is no preset {name!r}", fix=f"choose {', '.join(PRESETS)}")
    return PRESETS[name]
