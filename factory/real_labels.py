"""Cd of the real car, for designs that our own CFD computes with errors of its own.

Our coarse CFD has the level wrong, by how much depends on the body, and tells effects of shape that others' resolved
simulations do not find. So a design is told from the car that it is a variant of (its base): the base's Cd is the wind
tunnel's where that measured it, else the CFD's with the error that it has on the tunnel's cars; what DrivAerML's secure
parameters do is DrivAerML's; of what the CFD says of its idle ones a little is kept, of all else more. That is a
multi-fidelity model with a linear discrepancy (Kennedy and O'Hagan, Biometrika 87, 2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from data.corpora import wind_tunnel
from data.corpora.runs import DRIVAERML
from factory.families import FamilyShape
from factory.labels import ridge
from factory.morphs import MorphDesign
from factory.published_effects import MATCHES, Effect

SHARE_OF_IDLE = 0.0
"""Of what our CFD says of DrivAerML's nine idle parameters, which do nothing there and up to 20 counts here."""
SHARE_OF_REST = 0.6
"""Of all else that our CFD says of a design. What DrivAerML's linear fit leaves is 6 counts (standard deviation), ours
10 to 27, of which some is noise of the mesh; but the estate's roof line is among it, whose drag is real."""
WIDTH_SHARE = math.sqrt(0.5)
"""Of DrivAerML's effect of width. Its table does not say whether a millimetre is of the whole car or of either side, in
which case it is half for the whole car; this lies as far from the one reading as from the other."""
_COUNT = 0.001
_TAIL = 0.9  # m: of a morph's tail that its boat-tail angle turns


@dataclass(frozen=True, eq=False)
class Variants:
    """Designs of one car, the first of which is the car itself.

    body, floor: of the base. parameters (n, k): DrivAerML's secure ones (``secure``), mm or degrees, 0 of the base;
    idle (n, m): the others. areas (n,): m². cd_rans (n,): by our CFD. measured: whether the base is one of the tunnel's
    cars.
    """

    body: str
    floor: str
    parameters: np.ndarray
    idle: np.ndarray
    areas: np.ndarray
    cd_rans: np.ndarray
    measured: bool = False

    def labels(self, level: float, slopes: np.ndarray) -> np.ndarray:
        """(n,) Cd of the real cars. level: of the base. slopes (k,): m² of drag area for each unit."""
        drag_area = self.cd_rans * self.areas
        change = drag_area - drag_area[0]
        moved = self.parameters - self.parameters[0]
        of_secure, of_idle = _linear_parts(change, moved, self.idle - self.idle[0])
        rest = change - of_secure - of_idle
        real = level * self.areas[0] + moved @ slopes + SHARE_OF_IDLE * of_idle + SHARE_OF_REST * rest
        return real / self.areas


def _linear_parts(change: np.ndarray, *parameters: np.ndarray) -> list[np.ndarray]:
    """What one linear fit says of changes (n,) from the base, apart for each group of parameters (n, k)."""
    rows = np.column_stack(parameters)
    scale = np.maximum(rows.std(axis=0), 1e-9)
    fit = ridge(rows / scale, change, 1.0)
    start = np.cumsum([0, *(own.shape[1] for own in parameters)])
    parts = []
    for first, end in pairwise(start):
        alone = np.zeros_like(rows)
        alone[:, first:end] = rows[:, first:end] / scale[first:end]
        parts.append(fit(alone) - fit(np.zeros((1, len(scale)))))
    return parts


def secure(effects: Mapping[str, Effect]) -> list[str]:
    """The parameters of DrivAerML that move drag."""
    return [name for name, effect in effects.items() if effect.is_secure]


def idle(effects: Mapping[str, Effect]) -> list[str]:
    """Those that do not."""
    return [name for name, effect in effects.items() if not effect.is_secure]


def slopes(effects: Mapping[str, Effect]) -> np.ndarray:
    """(k,) m² of drag area for each unit of the secure parameters."""
    share = {"Vehicle_Width": WIDTH_SHARE}
    counts = [effects[name].slope * share.get(name, 1.0) for name in secure(effects)]
    return np.array(counts) * _COUNT * DRIVAERML.reference_area


Cars = frozenset[tuple[str, str]]
"""Of the tunnel's cars some, by body and floor (detailed or closed)."""


def levels(groups: Sequence[Variants], left_out: Cars = frozenset()) -> list[float]:
    """Cd of each group's base. left_out: cars whose measured values are not used."""
    anchors = [g for g in groups if g.measured and g.floor == "detailed" and (g.body, g.floor) not in left_out]
    known = {g.body: measured(g.body, g.floor) - float(g.cd_rans[0]) for g in anchors}
    typical = float(np.mean(list(known.values())))
    whole = {body for body, _ in wind_tunnel.DRIVAER if not {(body, "detailed"), (body, "closed")} & left_out}
    closing = {body: measured(body, "closed") - measured(body, "detailed") for body in whole}

    def of_detailed(group: Variants) -> float:
        if group.measured and (group.body, "detailed") not in left_out:
            return measured(group.body, "detailed")
        if group.measured and (group.body, "closed") not in left_out:
            return measured(group.body, "closed") - _mean_of(closing, group.body)
        return float(group.cd_rans[0]) + known.get(group.body, typical)

    found = []
    for group in groups:
        if group.floor != "closed":
            found.append(of_detailed(group))
        elif group.measured and (group.body, "closed") not in left_out:
            found.append(measured(group.body, "closed"))
        else:
            base = next(g for g in groups if _car_of(g) == _car_of(group) and g.floor == "detailed")
            found.append(of_detailed(base) + _mean_of(closing, group.body))
    return found


def _mean_of(of_bodies: Mapping[str, float], body: str) -> float:
    """A body's own, or the mean where it has none."""
    return of_bodies.get(body, float(np.mean(list(of_bodies.values()))))


def measured(body: str, floor: str) -> float:
    """Cd in the wind tunnel, the middle of what is quoted. floor: detailed, or closed, which is the tunnel's smooth."""
    return float(np.mean(wind_tunnel.DRIVAER[body, "smooth" if floor == "closed" else floor]))


def _car_of(group: Variants) -> tuple[str, bool]:
    return group.body, group.measured


_OF_MORPHS: dict[str, Callable[[Mapping[str, float]], float]] = {
    "Vehicle_Width": lambda p: 1000 * p["width"],
    "Vehicle_Ride_Height": lambda p: 1000 * p["ride_height"],
    "Vehicle_Height": lambda p: 1000 * p["roof_height"],
    "Rear_Overhang": lambda p: 1000 * p["trunk_length"],
    "Rearend_tapering": lambda p: -1000 * _TAIL * math.tan(math.radians(p["boattail_angle"])),
    "Greenhouse_Tapering": lambda p: -1000 * p["greenhouse_taper"],
    "Vehicle_Length": lambda p: p["length"],
    "Windscreen_Angle": lambda p: p["windscreen_shift"],
    "Backlight_Angle": lambda p: p["rear_window_shift"],
    "Decklid_Height": lambda p: p["trunklid_angle"],
    "Rear_Diffusor_Angle": lambda p: p["diffuser_angle"],
    "Approach_Angle": lambda p: p["ramp_angle"],
    "Front_Overhang": lambda p: p["bumper_length"],
    "Front_Planview": lambda p: p["front_rounding"],
    "Hood_Angle": lambda p: p["hood_height"],
}
"""DrivAerML's parameters of the corpus's generator's: the secure ones in mm, of the others only the place counts. It
pitches no car."""


def parameters_of_morph(design: MorphDesign, names: Sequence[str]) -> list[float]:
    return [_OF_MORPHS[name](design.parameters) if name in _OF_MORPHS else 0.0 for name in names]


def parameters_of_family_design(shape: FamilyShape, names: Sequence[str]) -> list[float]:
    handles, surface = shape.clouds.family.handles, shape.clouds.family.surface
    unbent = surface.on(handles, handles.amounts_of({}))
    neutral = {name: float(handles.neutral[i]) for i, name in enumerate(handles.names)}

    def furthest(values: Mapping[str, float]) -> float:
        return float(np.abs(surface.on(handles, handles.amounts_of(values)) - unbent).max())

    changes = {name: value - neutral[name] for name, value in shape.values.items()}
    return parameters_of_handles(
        shape.values, changes, dict(zip(handles.names, handles.units, strict=True)), furthest, names
    )


def parameters_of_handles(
    values: Mapping[str, float],
    changes: Mapping[str, float],
    units: Mapping[str, str],
    furthest: Callable[[Mapping[str, float]], float],
    names: Sequence[str],
) -> list[float]:
    """By the handles that stand for them (`MATCHES`); a handle that the car has not changes nothing.

    values, changes: of handles, and what they differ by from the neutral ones. furthest: m that values move the
    surface by.
    """
    row = []
    for name in names:
        of_handles = 0.0
        for match in MATCHES:
            if match.parameter == name and match.handle in values:
                change, in_degrees = changes[match.handle], match.by_value and units[match.handle] == "deg"
                if not match.by_value:
                    change = math.copysign(furthest({match.handle: values[match.handle]}), change)
                of_handles += match.sense * change * (1 if in_degrees else 1000)
        row.append(of_handles)
    return row
