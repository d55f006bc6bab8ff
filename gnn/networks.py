"""The networks that models may have. A new one: a file with its class and its SPEC, and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from data.errors import DrivAerError, ModelError
from gnn import field_net, regdgcnn, regdgcnn_pressure
from gnn.network_spec import NetworkSpec

NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        regdgcnn.SPEC,
        field_net.SPEC,
        regdgcnn_pressure.SPEC,
    )
}


def network_spec(name: str, file: Path | None = None, error: type[DrivAerError] = ModelError) -> NetworkSpec:
    """Raises ``error`` for a network that there is not."""
    if name not in NETWORKS:
        raise error(f"there is no network {name}", file=file, fix=f"the networks are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def build_network(
    name: str, architecture: Mapping[str, Any], file: Path | None = None, error: type[DrivAerError] = ModelError
) -> nn.Module:
    """The network with fresh weights. Raises ``error`` for an architecture that it has not."""
    try:
        return network_spec(name, file, error).build(**architecture)
    except (TypeError, ValueError, RuntimeError, IndexError, ZeroDivisionError) as wrong:
        what = f"{name} has no such architecture ({wrong})"
        raise error(what, file=file, fix="see the network's arguments; a model: update drivaer") from wrong
