"""Many numbers out of text, fast and strictly: numpy's parser, with its quiet stops turned into errors."""

from __future__ import annotations

import threading
import warnings

import numpy as np

from data.formats.source import Source

_filters = threading.Lock()  # Python's warning filters are one set for all threads


def parse_numbers(source: Source, text: bytes | str, what: str, dtype: type = np.float64) -> np.ndarray:
    """All blank-separated numbers of ``text`` (1D); MeshError naming ``what`` when one of them is not a number."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy only warns, and gives what it had, at a bad word
        try:
            return np.fromstring(text, dtype=dtype, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise source.error(
                f"a number among the {what} cannot be read", "the file is damaged: export it again"
            ) from error


def parse_table(source: Source, lines: list[bytes], what: str) -> np.ndarray:
    """Lines of numbers, all of the same length, as (rows, columns) float64."""
    if not lines:
        return np.zeros((0, 0))
    widths = {len(line.split()) for line in lines} if len(lines) < 1000 else _widths(lines)
    if len(widths) != 1:
        raise source.error(f"the lines of {what} hold {min(widths)} to {max(widths)} numbers each", "export it again")
    return parse_numbers(source, b" ".join(lines), what).reshape(len(lines), -1)


def _widths(lines: list[bytes]) -> set[int]:
    return set(map(len, map(bytes.split, lines)))
