"""What can colour a car and where it can be looked at from; known before VTK is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from drivaer_app.desk.layers import PARTS
from drivaer_app.desk.sensitivity import UNIT


@dataclass(frozen=True)
class Overlay:
    """A way of colouring. name: in the program. title: for people. span: the range to start with, None for no scale.

    signed: about zero, on the diverging map. unit: behind the symbol. like: the overlay whose range it shares.
    """

    name: str
    title: str
    symbol: str = ""
    span: float | None = None
    signed: bool = True
    tip: str = ""
    unit: str = ""
    like: str = ""

    @property
    def scale(self) -> str:
        """What its range is kept under."""
        return self.like or self.name


SIDES = "sides"
OVERLAYS = (
    Overlay("cp", "Pressure Cp", "Cp", 1.0, tip="Pressure coefficient: 1 where the flow stops, below 0 in suction"),
    Overlay("cf", "Friction |Cf|", "|Cf|", 0.008, signed=False, tip="Magnitude of the skin friction over q"),
    Overlay(
        "difference",
        "Difference ΔCp",
        "ΔCp",
        0.3,
        tip="Cp minus the baseline's at the nearest point of its surface; grey where it has no such place",
    ),
    Overlay(
        "sensitivity",
        "Sensitivity dCd/dn",
        "dCd/dn",
        0.2,
        tip="What pushing the surface out does to drag: blue lowers it, red raises it; pushing in does the opposite",
        unit=UNIT,
    ),
    Overlay(
        "cfd",
        "Error against CFD",
        "Cp − CFD",
        0.3,
        tip="Predicted Cp minus that of the variant's CFD; grey where the CFD has no such place",
    ),
    Overlay(
        "truth",
        "Pressure of the CFD",
        "Cp",
        1.0,
        tip="Cp of the variant's CFD, its own run or what a corpus publishes of the design; grey where it has no place",
        like="cp",
    ),
    Overlay(
        SIDES,
        "CFD, prediction, error",
        "Cp",
        1.0,
        tip="One car three times: Cp of its CFD, as predicted, and the error, with one camera",
        like="cp",
    ),
    Overlay(PARTS, "Parts of the car", tip="Wheels, mirrors, floor and the rest, as the bars of drag by part below"),
    Overlay("shape", "Shape", tip="The bare surface, hollows darker and ridges lighter"),
    Overlay("health", "Mesh health", tip="Open edges in red; what the flow does not see in violet"),
)


def overlay_of(name: str) -> Overlay:
    return next(o for o in OVERLAYS if o.name == name)


SIDES_SHOW = ("truth", "cp", "cfd")
"""What the three cars side by side are coloured by, from left to right."""


VIEWS = {
    "front": ((-1, 0, 0.0), "Front"),
    "rear": ((1, 0, 0.0), "Rear"),
    "left": ((0, -1, 0.0), "Left"),
    "right": ((0, 1, 0.0), "Right"),
    "top": ((0, 0, 1.0), "Top"),
    "underneath": ((0, 0, -1.0), "Under"),
    "corner": ((-0.72, -0.62, 0.32), "Corner"),
}
"""Direction from the car to the viewer, and the view's name; in the order of the keys 1 to 7."""
