"""Networks, their training, evaluation and checkpoints. Importing this package does not import torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnn.published import load_published

__all__ = ["load_published"]


def __getattr__(name: str) -> object:
    """Public names on first use, so that torch is loaded only by who needs a network."""
    if name != "load_published":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gnn.published import load_published

    return load_published
