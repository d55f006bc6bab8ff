"""Our packages before others of their names: ``data`` and ``gnn`` are what a user's own files may be called too."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LAYERS = ("data", "gnn")


class _OwnLayers:
    """Finds the layers beside this package, wherever sys.path has others of their names."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [_ROOT]) if name in _LAYERS else None


def put_first() -> None:
    """From now on ``import data`` and ``import gnn`` are ours. Raises ImportError where others are loaded already."""
    if _OwnLayers in sys.meta_path:
        return
    for name in _LAYERS:
        file = _file_of(sys.modules.get(name))
        if file and os.path.realpath(file) != os.path.realpath(os.path.join(_ROOT, name)):
            raise ImportError(f"{file} is in the way: drivaer has a package {name} of its own; rename that file")
    sys.meta_path.insert(0, _OwnLayers)


def _file_of(module: ModuleType | None) -> str:
    """A module's file, or a package's folder."""
    if module is None:
        return ""
    folders = list(getattr(module, "__path__", ()))
    return os.path.abspath(folders[0] if folders else module.__file__ or module.__name__)
