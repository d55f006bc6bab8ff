"""What the screen can draw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpenGL:
    """lacking: why there can be no viewport, a sentence; empty where there can. software: the processor draws."""

    lacking: str = ""
    software: bool = False

    @classmethod
    def without(cls, reason: str) -> OpenGL:
        """reason: the first half of a sentence."""
        return cls(lacking=f"No picture of the car: {reason}. Drag, plots and comparison work all the same.")
