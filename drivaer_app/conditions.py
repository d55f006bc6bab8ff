"""The wind that a prediction is for, and the forces that follow from coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data.errors import DrivAerError


@dataclass(frozen=True)
class Conditions:
    """Speed and density of the wind, and the area that coefficients refer to.

    speed: m/s. density: kg/m³. Both defaults are those of the CFD runs that the bundled models learnt from
    (air at 25 °C). area: m², replaces the measured frontal area as the reference of the coefficients; the
    force stays what it is, so Cd with the given area is Cd · measured area / given area.
    """

    speed: float = 30.0
    density: float = 1.184
    area: float | None = None

    def __post_init__(self) -> None:
        for name, unit in (("speed", "m/s"), ("density", "kg/m³"), ("area", "m²")):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise DrivAerError(f"{name} must be a positive number of {unit}, not {value:g}")
        if not 0 < self.dynamic_pressure < math.inf:
            raise DrivAerError(f"no force is a number at {self.speed:g} m/s in air of {self.density:g} kg/m³")

    @property
    def dynamic_pressure(self) -> float:
        """q = ½ ρ U², Pa."""
        return 0.5 * self.density * self.speed * self.speed

    def force(self, coefficient: float, area: float) -> float:
        """The force of a coefficient that refers to ``area`` (m²), N."""
        return self.dynamic_pressure * coefficient * area


def area_warning(given: float, measured: float) -> str:
    """What is said wherever coefficients do not refer to the area of the mesh, m²."""
    return f"coefficients refer to the given area of {given:g} m²; measured on the mesh it is {measured:.3f} m²"
