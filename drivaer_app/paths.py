"""Where the program keeps and finds its own files."""

from __future__ import annotations

import os
from pathlib import Path

from data.errors import DrivAerError

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
CORPUS_VARIABLE = "DRIVAER_CORPUS"
"""The environment variable that says where the built-in corpus is, where the program was installed without it."""


def built_in_folder() -> Path:
    """Where the built-in corpus is looked for (the folder may not exist)."""
    return Path(os.environ.get(CORPUS_VARIABLE) or RESOURCES / "corpus")


def built_in_corpus() -> Path:
    """The folder of the CFD cases that the bundled model learnt from: part of a checkout, not of an installed package.

    Raises DrivAerError where it is not there.
    """
    folder = built_in_folder()
    if not folder.is_dir():
        raise DrivAerError(
            "the CFD cases that the bundled model learnt from are not here: an installed package comes without them",
            file=folder,
            fix=f"run this from a checkout of drivaer, or name a checkout's resources/corpus in {CORPUS_VARIABLE}",
        )
    return folder


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
