"""What drag costs on the road: energy, range and CO2 over the WLTC, or at a steady speed.

Force at the wheels, second by second: F = 1.03 m a + m g f + ½ ρ Cd·A v² (longitudinal dynamics as in Mitschke &
Wallentowitz, "Dynamik der Kraftfahrzeuge"; the 3 % are the turning parts' inertia that UN GTR No. 15 adds where it was
not measured). Where F pulls, the drive train delivers F v through its efficiency; where F brakes, an electric car gets
a share of it back.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.errors import DrivAerError
from drivaer_app.paths import RESOURCES

GRAVITY = 9.81
TURNING_PARTS = 1.03
PHASES = {"low": 589, "medium": 1022, "high": 1477, "extra-high": 1800}
"""Last second of each phase of the WLTC."""

_JOULES_PER_KWH = 3.6e6
# Net calorific value MJ/kg and CO2 kg/MJ: IPCC Guidelines for National Greenhouse Gas Inventories 2006, volume 2,
# chapter 1; density kg/l: of the reference fuels in UN GTR No. 15.
_FUELS = {"petrol": (44.3, 0.0693, 0.75), "diesel": (43.0, 0.0741, 0.835)}


@dataclass(frozen=True)
class Vehicle:
    """A car on the road.

    mass: kg, with its load. rolling_resistance: force over weight. efficiency: from battery or tank to the wheels.
    recuperation: share of the braking energy that comes back to an electric car's battery. fuel: ``electric``,
    ``petrol`` or ``diesel``. battery: usable, kWh; None where a range is not asked for. auxiliaries: W, whenever the
    car is on.
    """

    mass: float = 1600.0
    rolling_resistance: float = 0.009
    efficiency: float = 0.85
    recuperation: float = 0.6
    fuel: str = "electric"
    battery: float | None = None
    auxiliaries: float = 300.0

    def __post_init__(self) -> None:
        """Raises DrivAerError for what no car has."""
        if self.fuel not in ("electric", *_FUELS):
            raise DrivAerError(f"there is no fuel {self.fuel!r}", fix=f"choose electric, {', '.join(_FUELS)}")
        ranges = {
            "mass": (100.0, 60_000.0, "kg"),
            "rolling_resistance": (0.0, 0.1, ""),
            "efficiency": (0.01, 1.0, ""),
            "recuperation": (0.0, 1.0, ""),
            "auxiliaries": (0.0, 20_000.0, "W"),
        }
        for name, (low, high, unit) in ranges.items():
            if not low <= getattr(self, name) <= high:
                limits = f"{low:g} to {high:g} {unit}".rstrip()
                raise DrivAerError(f"{name.replace('_', ' ')} must be {limits}, not {getattr(self, name):g}")
        if self.battery is not None and not 0 < self.battery < 2000:
            raise DrivAerError(f"battery must be 0 to 2000 kWh, not {self.battery:g}")


@dataclass(frozen=True)
class Consumption:
    """What a distance costs.

    distance: m. energy: J, out of the battery or tank. aerodynamic: J, of drag at the wheels. fuel: as the vehicle's.
    battery: usable, kWh, or None.
    """

    distance: float
    energy: float
    aerodynamic: float
    fuel: str
    battery: float | None

    @property
    def kwh_per_100km(self) -> float:
        return self.energy / _JOULES_PER_KWH / self.distance * 1e5

    @property
    def litres_per_100km(self) -> float | None:
        """None of an electric car."""
        if self.fuel == "electric":
            return None
        heat, _, density = _FUELS[self.fuel]
        return self.kwh_per_100km * 3.6 / (heat * density)

    @property
    def co2_g_per_km(self) -> float | None:
        """Out of the exhaust; None of an electric car, whose CO2 depends on the grid."""
        if self.fuel == "electric":
            return None
        return self.kwh_per_100km * 3.6 * _FUELS[self.fuel][1] * 10

    @property
    def range_km(self) -> float | None:
        """None where no battery was told."""
        return None if self.battery is None else 100 * self.battery / self.kwh_per_100km


def over_wltc(vehicle: Vehicle, cda: float, density: float = 1.184) -> dict[str, Consumption]:
    """Consumption in each phase of the WLTC, and in the whole of it under ``all``. cda: Cd·A, m². density: kg/m³."""
    time, speed = wltc()
    ends = list(PHASES.values())
    starts = [0, *ends[:-1]]
    result = {
        name: _driven(vehicle, cda, density, time[start : end + 1], speed[start : end + 1])
        for name, start, end in zip(PHASES, starts, ends, strict=True)
    }
    return result | {"all": _driven(vehicle, cda, density, time, speed)}


def at_speed(vehicle: Vehicle, cda: float, speed: float, density: float = 1.184) -> Consumption:
    """Consumption at a steady speed, m/s. Raises DrivAerError for one that is none."""
    if not 0 < speed < 200:
        raise DrivAerError(f"speed must be above 0 and below 200 m/s, not {speed:g}")
    return _driven(vehicle, cda, density, np.array([0.0, 1000.0]), np.array([speed, speed]))


@lru_cache(maxsize=1)
def wltc() -> tuple[np.ndarray, np.ndarray]:
    """The WLTC of class 3b: time (1801,) s and speed (1801,) m/s."""
    with (RESOURCES / "driving_cycles" / "wltc_class3b.csv").open(encoding="ascii", newline="") as file:
        rows = [(float(row["time_s"]), float(row["speed_kmh"]) / 3.6) for row in csv.DictReader(file)]
    time, speed = np.array(rows).T
    return time, speed


def _driven(vehicle: Vehicle, cda: float, density: float, time: np.ndarray, speed: np.ndarray) -> Consumption:
    """The trace is linear between its points: each stretch has one acceleration, and its mean speed."""
    step = np.diff(time)
    mean = (speed[1:] + speed[:-1]) / 2
    # The mean of v³ over a stretch of linear v, so that steps of any length are exact for drag.
    cubed = (speed[1:] ** 2 + speed[:-1] ** 2) * (speed[1:] + speed[:-1]) / 4
    drag = 0.5 * density * cda * cubed
    inertia = TURNING_PARTS * vehicle.mass * np.diff(speed) / step * mean
    rolling = vehicle.mass * GRAVITY * vehicle.rolling_resistance * mean
    power = drag + inertia + rolling
    pulled = np.maximum(power, 0.0) / vehicle.efficiency
    share = vehicle.recuperation if vehicle.fuel == "electric" else 0.0
    returned = np.maximum(-power, 0.0) * share * vehicle.efficiency
    return Consumption(
        distance=float((mean * step).sum()),
        energy=float(((pulled - returned + vehicle.auxiliaries) * step).sum()),
        aerodynamic=float((drag * step).sum()),
        fuel=vehicle.fuel,
        battery=vehicle.battery,
    )
