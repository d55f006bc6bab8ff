"""Opening a design: mesh, pressure as Cp, coefficients; unpacked, zipped, of a case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drivaernet_corpus import FOLDERS, write_corpus
from data.catalogue import open_catalogue
from data.catalogue.opening import open_design
from data.catalogue.scan import scan
from data.corpora.pressure import read_pressure
from data.errors import DrivAerError

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND, ESTATE = "F_D_WM_WW_0001", "F_D_WM_WW_0002", "E_S_WWC_WM_005"


@pytest.mark.parametrize("design", [FIRST, SECOND, ESTATE])
def test_binary_and_ascii_pressure_become_cp_on_the_car(scanned, design):
    opened = open_design(scanned, design)
    assert opened.design.cd is not None
    assert opened.pressure.cp.max() == pytest.approx(1.0, abs=0.02)  # where the flow comes to rest
    assert opened.pressure.cp.min() == pytest.approx(-0.2)
    assert len(opened.pressure.points) != len(opened.car.vertices)
    assert np.allclose(opened.pressure.points.min(axis=0), opened.car.vertices.min(axis=0), atol=0.03)
    assert f"{design}.vtk, array p, Cp = p / 450" in opened.pressure.source


def test_cp_at_the_meshs_own_vertices_follows_its_slope(scanned):
    opened = open_design(scanned, FIRST)
    at = opened.pressure.at(opened.car.vertices)
    assert np.isfinite(at).mean() > 0.99
    rear = opened.car.vertices[:, 0] > opened.car.vertices[:, 0].max() - 0.02
    assert np.nanmedian(at[rear]) == pytest.approx(-0.2, abs=0.02)


def test_a_zipped_design_is_the_same_as_an_unpacked_one(scanned, tmp_path):
    write_corpus(tmp_path / "z", [FIRST], what=("mesh", "pressure"), zipped=True)
    scan(tmp_path / "z")
    with open_catalogue(tmp_path / "z") as packed:
        zipped, unpacked = open_design(packed, FIRST), open_design(scanned, FIRST)
        assert zipped.mesh_source == f"{FOLDERS['mesh']}/F_D_WM_WW_1.zip: F_D_WM_WW_1/{FIRST}.stl"
        assert np.array_equal(zipped.car.vertices, unpacked.car.vertices)
        assert np.array_equal(zipped.pressure.cp, unpacked.pressure.cp)


def test_a_design_without_a_mesh_says_what_to_do(tables_of):
    folder = tables_of([FIRST])
    scan(folder)
    with open_catalogue(folder) as catalogue, pytest.raises(DrivAerError, match="no mesh of F_D_WM_WW_0001.*data get"):
        open_design(catalogue, FIRST)


def test_a_case_of_the_built_in_corpus_opens_with_its_cp(tmp_path):
    scan(ROOT / "resources" / "corpus", catalogue=tmp_path / "c.sqlite")
    with open_catalogue(tmp_path / "c.sqlite") as catalogue:
        opened = open_design(catalogue, "procedural_cars/fastback_0000")
        assert opened.car.frontal_area == pytest.approx(opened.design.area, rel=0.01)
        assert opened.pressure.cp.max() == pytest.approx(1.0, abs=0.12)
        with pytest.raises(DrivAerError, match="no geometry"):
            open_design(catalogue, "drivaer_morphs/0300")


def test_pressure_in_another_unit_is_warned_of(tmp_path):
    path = tmp_path / "p.vtk"
    text = "# vtk DataFile Version 2.0\nx\nASCII\nDATASET POLYDATA\nPOINTS 3 float\n0 0 0 1 0 0 0 1 0\n"
    path.write_text(f"{text}POLYGONS 1 4\n3 0 1 2\nPOINT_DATA 3\nSCALARS p float\nLOOKUP_TABLE default\n4500 0 -100\n")
    assert "another unit" in read_pressure(path, "drivaernet").warnings[0]
    with pytest.raises(DrivAerError, match="cannot tell the unit"):
        read_pressure(path, "folder")
    path.write_text(path.read_text().replace("SCALARS p ", "SCALARS q "))
    with pytest.raises(DrivAerError, match="has no array p .* it has q"):
        read_pressure(path, "drivaernet")
