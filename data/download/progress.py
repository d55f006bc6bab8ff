"""What a person hears of a long transfer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class TransferProgress:
    """Where a transfer or a check stands.

    n_done, n_files: files. bytes_done, bytes_total: of what was asked for, what was there already included.
    bytes_fetched: that went over the network so far, what had to be sent twice included. doing: in words.
    """

    n_done: int
    n_files: int
    bytes_done: int
    bytes_total: int
    bytes_fetched: int
    doing: str


OnProgress = Callable[[TransferProgress], None]
Say = Callable[[str], None]


def silent(_: object) -> None:
    """For those who do not want to hear."""
