"""What training minimises: the errors of coefficients, and of the fields where they are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gnn.field_net import FieldNet
from gnn.training.cars import Car, LabelledCloud
from gnn.training.loop import Batch

LIFT_WEIGHT = 0.25
"""Of the loss that Cl gets: its labels scatter more, and drag is what is asked for."""
CF_WEIGHT = 0.3
"""Of the loss that skin friction gets: a twentieth of the drag, and noisier than pressure."""


def coefficient_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean square error of (B, 2) standardised Cd and Cl, or of (B, 1) Cd alone."""
    if predicted.shape != target.shape:  # else each would be compared with all
        raise ValueError(f"{tuple(predicted.shape)} coefficients for {tuple(target.shape)} targets")
    errors = (predicted - target).square().mean(dim=0).unbind()
    return sum(weight * error for weight, error in zip((1.0, LIFT_WEIGHT), errors, strict=False)) / len(errors)


def stacked(clouds: Sequence[LabelledCloud]) -> Batch:
    """points (B, N, 3), normals (B, N, 3) and values (B, N, 4) of clouds of one size."""
    return tuple(
        torch.from_numpy(np.stack([getattr(cloud, name) for cloud in clouds]))
        for name in ("points", "normals", "values")
    )


def field_loss(net: nn.Module, points: Tensor, normals: Tensor, values: Tensor) -> Tensor:
    """Mean square of the standardised error over the points whose values are known."""
    return field_loss_of(net(points, normals), (values - net.mean) / net.scale)


def field_loss_of(said: Tensor, target: Tensor) -> Tensor:
    """said (B, N, 4 or 1), target (B, N, 4) standardised, NaN where it is not known: Cp, then Cf where there is."""
    known = target.isfinite()[..., : said.shape[-1]]
    errors = (said - target[..., : said.shape[-1]].nan_to_num()).square() * known
    pressure = errors[..., 0].sum() / known[..., 0].sum()
    if said.shape[-1] == 1:
        return pressure
    # By products with what is known, not by choosing it: a GPU would be waited for.
    friction = errors[..., 1:].sum(dim=(0, 1)) / known[..., 1:].sum(dim=(0, 1)).clamp_min(1)
    weight = CF_WEIGHT * known[..., 1].any()
    return (1 - weight) * pressure + weight * friction.mean()


def set_output_scale(network: FieldNet, cars: Sequence[Car]) -> None:
    """Standardise by the cars' own spread; the three components of Cf share one scale so that none is stretched."""
    values = np.concatenate([car.face_values for car in cars])
    cp, cf = values[:, 0], values[:, 1:][np.isfinite(values[:, 1])]
    cf_scale = float(np.sqrt((cf**2).mean())) if len(cf) else 1.0
    network.mean.copy_(torch.tensor([float(cp.mean()), 0.0, 0.0, 0.0]))
    network.scale.copy_(torch.tensor([float(cp.std()), cf_scale, cf_scale, cf_scale]))
