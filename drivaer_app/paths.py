"""Where the program keeps and finds its own files."""

from __future__ import annotations

from pathlib import Path

RESOURCES = Path(__file__).resolve().parents[1] / "resources"


def log_file() -> Path:
    """The program's log, in the place that the system sets aside for logs (the folder may not exist yet)."""
    from platformdirs import user_log_path

    return user_log_path("drivaer", appauthor=False) / "drivaer.log"


def own_corpus() -> Path:
    """Where a user's own CFD cases are kept unless another place is given (the folder may not exist yet)."""
    from platformdirs import user_data_path

    return user_data_path("drivaer", appauthor=False) / "corpus"


def own_models() -> Path:
    """Where models that a user trained are kept by their names (the folder may not exist yet)."""
    from platformdirs import user_data_path

    return user_data_path("drivaer", appauthor=False) / "models"


def own_catalogues() -> Path:
    """Where catalogues are kept of folders that cannot hold their own, and which was used last (may not exist yet)."""
    from platformdirs import user_data_path

    return user_data_path("drivaer", appauthor=False) / "catalogues"


def cache() -> Path:
    """What can be made again: sampled points, catalogues of folders that have none (the folder may not exist yet)."""
    from platformdirs import user_cache_path

    return user_cache_path("drivaer", appauthor=False)
