"""drivaer from Python: drag, its uncertainty and the pressure field of a car, from its mesh.

    import drivaer

    prediction = drivaer.predict("car.stl", units="mm")
    prediction.cd, prediction.cd_low, prediction.cd_high     # with its 90 % interval
    prediction.cp                                            # (V,) on the mesh's own vertices

A mesh is a path, a ``trimesh.Trimesh``, a ``pyvista.PolyData`` or ``(vertices, faces)``. What is wrong with one, or
with an argument, is a ``DrivAerError`` of one line. Nothing is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivaer_app.version import __version__

if TYPE_CHECKING:
    from drivaer_app.cli.app import main as main
    from drivaer_app.scripting import (
        CarMesh,
        Catalogue,
        Comparison,
        Conditions,
        DesignDataset,
        DesignGraphs,
        DrivAerError,
        MeshLike,
        PointSettings,
        Prediction,
        Predictor,
        RawMesh,
        Reading,
        Study,
        compare,
        load,
        morph,
        predict,
    )

__all__ = [
    "CarMesh",
    "Catalogue",
    "Comparison",
    "Conditions",
    "DesignDataset",
    "DesignGraphs",
    "DrivAerError",
    "MeshLike",
    "PointSettings",
    "Prediction",
    "Predictor",
    "RawMesh",
    "Reading",
    "Study",
    "__version__",
    "compare",
    "load",
    "morph",
    "predict",
]


def __getattr__(name: str) -> object:
    if name == "main":  # the console script's
        from drivaer_app.cli.app import main

        return main
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from drivaer_app import scripting

    value = globals()[name] = getattr(scripting, name)
    return value


def __dir__() -> list[str]:
    return __all__


if __name__ == "__main__":
    import sys

    from drivaer_app.cli.app import main

    sys.exit(main())
