"""What training minimises: the errors of coefficients, and of the fields where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnn.training.cars import Car, LabelledCloud
from gnn.training.loop import Batch

LIFT_WEIGHT = 0.25
"""Of the loss that Cl gets: its labels scatter more, and drag is what is asked for."""
CF_WEIGHT = 0.3
"""Of the loss that skin friction gets: a twentieth of the drag, and noisier than pressure."""


def coefficient_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean square error of (B, n) standardised coefficients, in the order of gnn.model_config.COEFFICIENTS."""
    if predicted.shape != target.shape:  # else each would be compared with all
        raise ValueError(f"{tuple(predicted.shape)} coefficients for {tuple(target.shape)} targets")
    errors = (predicted - target).square().mean(dim=0).unbind()
    weighted = [weight * error for weight, error in zip((1.0, LIFT_WEIGHT, 1.0), errors, strict=False)]
    return torch.stack(weighted).sum() / len(errors)


def stacked(clouds: Sequence[LabelledCloud]) -> Batch:
    """points (B, N, 3), normals (B, N, 3) and values (B, N, 4) of clouds of one size."""
    return tuple(
        torch.from_numpy(np.stack([getattr(cloud, name) for cloud in clouds]))
        for name in ("points", "normals", "values")
    )


def field_loss(standard: Tensor, target: Tensor) -> Tensor:
    """Mean square error of a field (B, N, 1 or 4) where its target (B, N, 4) is known: Cp, then Cf where there is.

    Both standardised; the target is NaN where it is not known.
    """
    known = target.isfinite()[..., : standard.shape[-1]]
    errors = (standard - target[..., : standard.shape[-1]].nan_to_num()).square() * known
    pressure = errors[..., 0].sum() / known[..., 0].sum()
    if standard.shape[-1] == 1:
        return pressure
    # By products with what is known, not by choosing it: a GPU would be waited for.
    friction = errors[..., 1:].sum(dim=(0, 1)) / known[..., 1:].sum(dim=(0, 1)).clamp_min(1)
    weight = CF_WEIGHT * known[..., 1].any()
    return (1 - weight) * pressure + weight * friction.mean()


@dataclass(frozen=True)
class Scale:
    """mean, spread (n,): of a target's columns over the training cars."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def of_fields(cls, cars: Sequence[Car], columns: int) -> Scale:
        """Scale of Cp, and with four columns of Cf too, whose components share one spread. float32."""
        values = np.concatenate([car.face_values for car in cars])
        cp, cf = values[:, 0], values[:, 1:][np.isfinite(values[:, 1])]
        cf_spread = float(np.sqrt((cf**2).mean())) if len(cf) else 1.0
        mean, spread = [float(cp.mean()), 0.0, 0.0, 0.0], [float(cp.std()), *3 * [cf_spread]]
        return cls(*(tuple(torch.tensor(rows[:columns]).tolist()) for rows in (mean, spread)))

    def standardised(self, values: Tensor) -> Tensor:
        """(..., n) the first n columns of values (..., m), standardised; further columns are left out."""
        mean, spread = (torch.tensor(rows, device=values.device) for rows in (self.mean, self.spread))
        return (values[..., : len(mean)] - mean) / spread
