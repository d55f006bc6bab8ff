"""STEP and IGES: the unit of the file, names of parts, a stated tolerance; one clear line without the extra."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from data.errors import MeshError
from data.formats import read_mesh
from data.formats.cad import CHORD_MM
from data.units import METRES

STEP = (
    "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
    "FILE_SCHEMA(('AUTOMOTIVE_DESIGN'));\nENDSEC;\nDATA;\nENDSEC;\nEND-ISO-10303-21;\n"
)
_OPEN_CASCADE = "needs an Open CASCADE writer: pip install cadquery-ocp-novtk"


def write_step(file: Path, unit: str) -> None:
    """A box of 4.6 m, 1.8 m, 1.4 m and a cylinder of 0.7 m radius beside it, called body and tank."""
    pytest.importorskip("OCP", reason=_OPEN_CASCADE)
    from OCP.BRepPrimAPI import BRepPrimAPI_MakeBox, BRepPrimAPI_MakeCylinder
    from OCP.gp import gp_Ax2, gp_Dir, gp_Pnt
    from OCP.Interface import Interface_Static
    from OCP.STEPCAFControl import STEPCAFControl_Writer
    from OCP.TCollection import TCollection_ExtendedString
    from OCP.TDataStd import TDataStd_Name
    from OCP.TDocStd import TDocStd_Document
    from OCP.XCAFDoc import XCAFDoc_DocumentTool

    writer = STEPCAFControl_Writer()
    Interface_Static.SetCVal_s("write.step.unit", unit)
    document = TDocStd_Document(TCollection_ExtendedString("XmlOcaf"))
    tool = XCAFDoc_DocumentTool.ShapeTool_s(document.Main())
    place = gp_Ax2(gp_Pnt(6000.0, 0.0, 0.0), gp_Dir(0.0, 0.0, 1.0))
    shapes = {
        "body": BRepPrimAPI_MakeBox(4600.0, 1800.0, 1400.0).Shape(),
        "tank": BRepPrimAPI_MakeCylinder(place, 700.0, 1400.0).Shape(),
    }
    for name, shape in shapes.items():
        TDataStd_Name.Set_s(tool.AddShape(shape, False), TCollection_ExtendedString(name))
    assert writer.Transfer(document)
    writer.Write(str(file))


@pytest.mark.parametrize("unit", ["MM", "INCH", "M"])
def test_a_step_file_has_its_unit_and_its_parts_names(tmp_path, unit):
    pytest.importorskip("cascadio", reason="needs the extra cad")
    write_step(tmp_path / "two.step", unit)
    raw = read_mesh(tmp_path / "two.step")
    assert raw.unit == "m" and {name for name, *_ in raw.parts} == {"body", "tank"}
    np.testing.assert_allclose(np.ptp(raw.vertices, axis=0), [6.7, 2.5, 1.4], atol=CHORD_MM / 500)
    assert any("1 mm" in warning for warning in raw.warnings)


def test_triangles_keep_to_the_tolerance_that_is_stated(tmp_path):
    pytest.importorskip("cascadio", reason="needs the extra cad")
    write_step(tmp_path / "two.stp", "MM")
    raw = read_mesh(tmp_path / "two.stp")
    start, stop = next((a, b) for name, a, b in raw.parts if name == "tank")
    middles = raw.vertices[raw.faces[start:stop]].mean(axis=1)
    beside = middles[np.abs(middles[:, 2] - 0.7) < 0.69]
    assert (0.7 - np.linalg.norm(beside[:, :2] - [6.0, 0.0], axis=1)).max() <= CHORD_MM / 1000


@pytest.mark.parametrize("unit", ["MM", "IN"])
def test_an_iges_file_is_read_in_its_unit_too(tmp_path, unit):
    pytest.importorskip("cascadio", reason="needs the extra cad")
    pytest.importorskip("OCP", reason=_OPEN_CASCADE)
    from OCP.BRepPrimAPI import BRepPrimAPI_MakeBox
    from OCP.IGESControl import IGESControl_Writer

    writer = IGESControl_Writer(unit, 1)
    writer.AddShape(BRepPrimAPI_MakeBox(4600.0, 1800.0, 1400.0).Shape())
    writer.ComputeModel()
    writer.Write(str(tmp_path / "box.igs"))
    raw = read_mesh(tmp_path / "box.igs")
    np.testing.assert_allclose(np.ptp(raw.vertices, axis=0) * METRES[raw.unit], [4.6, 1.8, 1.4], atol=1e-3)


@pytest.mark.parametrize(("name", "text", "said"), [
    ("cut.step", STEP[:-30], "truncated STEP"),
    ("letter.stp", "Dear all,\n", "does not begin with ISO-10303-21"),
    ("letter.igs", "Dear all,\n", "is not an IGES file"),
])  # fmt: skip
def test_what_is_no_cad_file_is_said_to_be_none(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(MeshError, match=said):
        read_mesh(tmp_path / name)


def test_a_step_file_without_surfaces_is_one_clear_line(tmp_path):
    pytest.importorskip("cascadio", reason="needs the extra cad")
    (tmp_path / "empty.step").write_text(STEP)
    with pytest.raises(MeshError, match="no surface|cannot be read|no triangles"):
        read_mesh(tmp_path / "empty.step")


def test_without_the_extra_a_step_file_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "car.step").write_text(STEP)
    monkeypatch.setattr("data.extras.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "cascadio", None)
    with pytest.raises(MeshError, match=r"cascadio, which is not installed.*binary STL.*drivaer\[cad\]"):
        read_mesh(tmp_path / "car.step")
