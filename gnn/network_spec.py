"""What the program needs to know of a network to train, evaluate and export it without knowing its class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from gnn.model_config import DRAG, FIELD

__all__ = ["DRAG", "FIELD", "NetworkSpec"]


def _of_points(network: nn.Module, points: Tensor, normals: Tensor) -> Tensor:
    return network(points)


@dataclass(frozen=True)
class NetworkSpec:
    """One network.

    name: in recipes and model folders. build: the class; its keyword arguments are the architecture.
    target: DRAG, coefficients of a car, or FIELD, values at the points of its surface.
    call(network, points (B, N, 3), normals (B, N, 3)): (B, n) standardised coefficients, as many of
    gnn.model_config.COEFFICIENTS as it gives, or (B, N, columns) standardised values, Cp first.
    columns: of a field: 1, Cp, or 4, Cp and the friction vector.
    inputs: those that an exported network takes. plain(network): the same function in operations that exporters
    know, called with ``inputs``, answering as ``call`` does; None where there is none.
    features(network, points): (B, f) of a whole car; None where the network has none.
    has_unused_weights: whether some weights play no part, of which training by several processes must know.
    """

    name: str
    build: Callable[..., nn.Module]
    target: str
    call: Callable[[Any, Tensor, Tensor], Tensor] = _of_points
    columns: int = 1
    inputs: tuple[str, ...] = ("points",)
    plain: Callable[[Any], nn.Module] | None = None
    features: Callable[[Any, Tensor], Tensor] | None = None
    has_unused_weights: bool = False
