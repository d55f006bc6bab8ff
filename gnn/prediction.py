"""What every model answers, whatever networks it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gnn.input_frame import InputFrame

if TYPE_CHECKING:
    from gnn.template import RegisteredTemplate


@dataclass(frozen=True, eq=False)
class SurfacePrediction:
    """A model's answer for one sample, on the frontal area that was given; None where the model gives no such value.

    cd with cd_low..cd_high, the interval that holds 90 % of designs like those trained on. cl.
    cd_rans with cd_rans_low..cd_rans_high: the same of what our own CFD would give, where the model tells that apart
    from the real car's cd. compared: what stands beside our CFD.
    cd_pressure, cd_friction: integrals of cp, cf over the bent template as far as it fits, else over the sample.
    answers_apart: how far their sum lies from ``compared`` at most, on nine of ten designs that no training saw.
    novelty: > 1 is outside of the training designs, and then novelty_reason is a sentence that says so.
    points (N, 3) m and normals (N, 3), car frame; cp (N,), cf (N, 3) on them. float32.
    warnings: sentences for the user.
    registered: the template bent onto the car, which gives the fields between those points too. on_template: that fits,
    and the car is nearest to the template's own family, for which the narrower interval was calibrated.
    is_bluff: the shape is nearest to the bluff bodies that the model learnt from.
    frame: how the networks and the template saw the car.
    """

    cd: float | None = None
    cd_low: float | None = None
    cd_high: float | None = None
    cl: float | None = None
    cd_rans: float | None = None
    cd_rans_low: float | None = None
    cd_rans_high: float | None = None
    cd_pressure: float | None = None
    cd_friction: float | None = None
    answers_apart: float | None = None
    novelty: float | None = None
    in_distribution: bool | None = None
    novelty_reason: str = ""
    points: np.ndarray | None = None
    normals: np.ndarray | None = None
    cp: np.ndarray | None = None
    cf: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    registered: RegisteredTemplate | None = None
    on_template: bool = False
    is_bluff: bool = False
    frame: InputFrame = InputFrame()

    @property
    def compared(self) -> float | None:
        """Cd that our own CFD should give: to be compared with it, and with the fields' integral."""
        return self.cd if self.cd_rans is None else self.cd_rans

    def refined(self, values: np.ndarray, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Cp and Cf (N, 4) that were brought to vertices (N, 3) m of the car frame, better where the template fits."""
        from gnn.template import SOFT_AROUND

        if self.registered is None:
            return values
        return self.registered.over(values, self.frame.to_network(points), normals, SOFT_AROUND)
