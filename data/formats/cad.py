"""STEP and IGES: CAD surfaces, turned into triangles by Open CASCADE, which cascadio brings in a wheel of its own.

cascadio writes binary glTF, with the assembly's nodes and names, which our reader of that format takes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from data.errors import DrivAerError
from data.extras import MODULES, needs
from data.formats import gltf
from data.formats.source import Source
from data.mesh import RawMesh

CHORD_MM = 1.0
"""mm between a triangle and the surface that it stands for, at most."""
ANGLE_RAD = 0.35
"""Between the normals of a triangle's corners, at most: 20 degrees."""

_UNITS = {"step": "m", "iges": "mm"}
"""What cascadio's glTF is in, whatever unit the file has: it hands on what Open CASCADE makes of IGES as it is."""

_WITHOUT = "export it from the CAD program as binary STL (chord tolerance about 1 mm), or install what reads it: "


def read_step(source: Source) -> RawMesh:
    """The faces of all parts where their assembly has them; a part is named as its product."""
    if b"ISO-10303-21" not in source.data[:2000]:
        raise source.error("is not a STEP file, or truncated: it does not begin with ISO-10303-21", "export it again")
    if b"END-ISO-10303-21" not in source.data[-2000:]:
        raise source.error("truncated STEP: END-ISO-10303-21 is missing", "export or copy it again")
    return _tessellated(source, "step")


def read_iges(source: Source) -> RawMesh:
    """The same of IGES: 80 columns a line, each with its section's letter before its number."""
    lines = source.data[:2000].splitlines()
    if not lines or lines[0][72:73] not in (b"S", b"B", b"C"):
        raise source.error("is not an IGES file: its first line has no start section", "export it again")
    return _tessellated(source, "iges")


def _tessellated(source: Source, kind: Literal["step", "iges"]) -> RawMesh:
    try:
        needs("cad")
    except DrivAerError as error:
        what = f"{kind.upper()} needs {', '.join(MODULES['cad'])}, which is not installed"
        raise source.error(what, _WITHOUT + error.fix.rpartition(": ")[2]) from error
    import cascadio

    data = cascadio.load(source.data, file_type=kind, tol_linear=CHORD_MM, tol_angular=ANGLE_RAD)
    if not data:
        raise source.error(
            f"Open CASCADE finds no surface in this {kind.upper()} file", "export it from the CAD program again"
        )
    mesh = gltf.read(replace(source, suffix=".glb", data=data))
    said = f"CAD surfaces read as triangles, at most {CHORD_MM:g} mm and {np.degrees(ANGLE_RAD):.0f} degrees off them"
    return replace(mesh, unit=_UNITS[kind], up=None, warnings=(*mesh.warnings, said))
