"""The optional parts of an installation, as pip names them: ``pip install 'drivaer[window]'``."""

from __future__ import annotations

from importlib.util import find_spec

from data.errors import DrivAerError

MODULES = {
    "window": ("PySide6", "pyvistaqt", "pyqtgraph"),
    "report": ("jinja2", "reportlab", "xlsxwriter"),
    "train": ("torch_geometric", "pyarrow", "tensorboardX"),
    "cad": ("cascadio",),
    "cluster": ("distributed",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
}
"""What each extra brings, by the names that are imported; ``pyproject.toml`` has the packages."""


def needs(extra: str) -> None:
    """Raises DrivAerError where a part of the program is asked for whose packages are not installed."""
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if missing:
        what = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        raise DrivAerError(what, fix=f"it comes with the extra {extra}: pip install 'drivaer[{extra}]'")
