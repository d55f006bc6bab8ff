"""Corpora laid out like DrivAerNet++ from our own procedural cars: for tests, a test server and benchmarks.

``python benchmarks/drivaernet_corpus.py FOLDER --designs 12 --zipped``

Shapes are real meshes, the numbers on them are invented: Cd follows from the parameters by a formula, the pressure from
the surface's slope to the wind. Layout, names, headers, units and oddities (byte-order mark, a ``Cd`` column that is
Cd·A, two label versions, pressure on points of its own, binary and ASCII) are the published corpus's.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.corpora.drivaernet import CP_PER_P, FIRST_AREA, PUBLISHED, DesignId, archive_of, find_id
from drivaer_app.shapes.car import CarShape, build_car
from drivaer_app.shapes.parameters import CarParameters, random_parameters

WHAT = ("mesh", "pressure", "wall_shear")
FOLDERS = {"mesh": "3DMeshesSTL", "pressure": "SurfacePressureVTK", "wall_shear": "WallShearStressVTK"}
PARAMETERS = (
    *("B_Ramp_Angle", "B_Diffusor_Angle", "B_Trunklid_Angle", "C_Side_Mirrors_Rotation", "D_Rear_Window_Inclination"),
    *("D_Winscreen_Inclination", "C_Side_Mirrors_Translate_X", "C_Side_Mirrors_Translate_Z", "D_Winscreen_Length"),
    *("D_Rear_Window_Length", "E_A_B_C_Pillar_Thickness", "G_Trunklid_Curvature", "G_Trunklid_Length"),
    *("H_Front_Bumper_Curvature", "H_Front_Bumper_Length", "F_Door_Handles_Thickness", "F_Door_Handles_Z_Position"),
    *("E_Fenders_Arch_Offset", "A_Car_Length", "F_Door_Handles_X_Position", "A_Car_Width", "A_Car_Roof_Height"),
    "A_Car_Green_House_Angle",
)
"""The 23 columns of the published parameter table, which has no F_D design."""


def ids_of(n: int) -> list[str]:
    """n ids, half of them F_D as in the corpus, the rest of all other classes in turn."""
    others = [name for name in PUBLISHED if name != "F_D_WM_WW"]
    n_first = (n + 1) // 2
    ids = [f"F_D_WM_WW_{i:04d}" for i in range(1, n_first + 1)]
    return ids + [f"{others[i % len(others)]}_{i // len(others) + 1:03d}" for i in range(n - n_first)]


@dataclass(frozen=True)
class SyntheticDesign:
    """A design's invented numbers and its car; the same id is always the same design."""

    id: str

    @cached_property
    def known(self) -> DesignId:
        found = find_id(self.id)
        if found is None:
            raise ValueError(f"{self.id} is no DrivAerNet id")
        return found

    @cached_property
    def parameters(self) -> dict[str, float]:
        rng = np.random.default_rng([self.known.number, *self.known.of.name.encode()])
        return dict(zip(PARAMETERS, np.round(rng.normal(0.0, 20.0, len(PARAMETERS)), 4).tolist(), strict=True))

    @property
    def area(self) -> float:
        """m²."""
        return 2.3 + 1e-3 * self.parameters["A_Car_Width"] + 1e-3 * self.parameters["A_Car_Roof_Height"]

    @property
    def cd(self) -> float:
        """On the design's own area, as updated."""
        style = {"fastback": 0.255, "notchback": 0.265, "estate": 0.285}[self.known.of.style]
        floor = 0.02 if self.known.of.underbody == "detailed" else 0.0
        slope = 2e-4 * self.parameters["B_Diffusor_Angle"] + 3e-4 * self.parameters["D_Rear_Window_Inclination"]
        return style + floor + slope

    @property
    def cd_first(self) -> float:
        return self.cd * self.area / FIRST_AREA

    @property
    def lift(self) -> tuple[float, float]:
        """Clf, Clr."""
        return -0.09 + 1e-3 * self.parameters["B_Ramp_Angle"], 0.02 + 1e-3 * self.parameters["B_Trunklid_Angle"]

    @cached_property
    def car_parameters(self) -> CarParameters:
        return random_parameters(self.known.of.style, self.known.number)

    def car(self, resolution: float) -> CarShape:
        return build_car(self.car_parameters, resolution=resolution)


def write_corpus(
    folder: str | Path,
    ids: Sequence[str],
    *,
    what: Iterable[str] = WHAT,
    zipped: bool = False,
    tables: bool = True,
    splits: bool = True,
) -> None:
    """Lay out a small corpus: for each kind a folder of files, or of the archives that the Dataverse has."""
    folder = Path(folder)
    designs = [SyntheticDesign(i) for i in ids]
    for kind in what:
        files = ((d, file_name(d, kind), file_content(d, kind, i)) for i, d in enumerate(designs))
        (_write_zips if zipped else _write_files)(folder / FOLDERS[kind], files)
    if tables:
        write_tables(folder, designs)
    if splits:
        write_splits(folder / "train_val_test_splits", designs)


def write_large_corpus(folder: str | Path, n: int) -> list[str]:
    """n designs with tables and splits, whose meshes and pressures are all links to a few real files."""
    folder = Path(folder)
    ids = ids_of(n)
    designs = [SyntheticDesign(i) for i in ids]
    for kind in ("mesh", "pressure"):
        (folder / FOLDERS[kind]).mkdir(parents=True, exist_ok=True)
        models: dict[str, Path] = {}
        for i, design in enumerate(designs):
            path = folder / FOLDERS[kind] / file_name(design, kind)
            model = models.setdefault(design.known.of.style, path)
            if model is path:
                path.write_bytes(file_content(design, kind, i))
            else:
                os.link(model, path)
    write_tables(folder, designs)
    write_splits(folder / "train_val_test_splits", designs)
    return ids


def file_name(design: SyntheticDesign, kind: str) -> str:
    return f"{design.id}.stl" if kind == "mesh" else f"{design.id}.vtk"


def file_content(design: SyntheticDesign, kind: str, turn: int = 0) -> bytes:
    """A design's STL in metres, or its legacy VTK: binary, ASCII or OpenFOAM's ASCII by turns."""
    if kind == "mesh":
        import trimesh

        car = design.car(0.05)
        return trimesh.Trimesh(car.vertices, car.faces, process=False).export(file_type="stl")
    car = design.car(0.04)  # other points than the mesh's, as in the corpus
    normals = _vertex_normals(car.vertices, car.faces)
    if kind == "pressure":
        return vtk_content(car.vertices, car.faces, "p", pressure(normals), turn)
    shear = np.array([1.0, 0.0, 0.0]) - normals * normals[:, :1]
    return vtk_content(car.vertices, car.faces, "wallShearStress", -0.003 / CP_PER_P * shear, turn)


def pressure(normals: np.ndarray) -> np.ndarray:
    """Kinematic pressure (N,), m²/s², for outward normals (N, 3): 1 where the flow meets the nose, -0.2 behind."""
    windward = np.maximum(-normals[:, 0], 0.0)
    cp = np.where(normals[:, 0] < 0, -0.2 + 1.2 * windward**2, -0.2)
    return cp / CP_PER_P


def vtk_content(vertices: np.ndarray, faces: np.ndarray, name: str, values: np.ndarray, turn: int) -> bytes:
    """A legacy VTK surface with one point array: binary version 5.1, ASCII version 5.1, ASCII as OpenFOAM writes it."""
    if turn % 3 == 2:
        return _openfoam_vtk(vertices, faces, name, values)
    import pyvista

    surface = pyvista.PolyData(vertices.astype(np.float32), np.insert(faces, 0, 3, axis=1).ravel())
    surface.point_data[name] = values.astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "surface.vtk")
        surface.save(path, binary=turn % 3 == 0)
        return path.read_bytes()


def _openfoam_vtk(vertices: np.ndarray, faces: np.ndarray, name: str, values: np.ndarray) -> bytes:
    out = io.StringIO()
    out.write("# vtk DataFile Version 2.0\nsampleSurface\nASCII\nDATASET POLYDATA\n")
    out.write(f"POINTS {len(vertices)} float\n")
    np.savetxt(out, vertices, fmt="%.6g")
    out.write(f"POLYGONS {len(faces)} {4 * len(faces)}\n")
    np.savetxt(out, np.insert(faces, 0, 3, axis=1), fmt="%d")
    width = 1 if values.ndim == 1 else values.shape[1]
    out.write(f"POINT_DATA {len(vertices)}\nFIELD attributes 1\n{name} {width} {len(vertices)} float\n")
    np.savetxt(out, values.reshape(len(vertices), width), fmt="%.6g")
    return out.getvalue().encode()


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    import trimesh

    return np.array(trimesh.Trimesh(vertices, faces, process=False).vertex_normals)


def _write_files(folder: Path, files: Iterable[tuple[SyntheticDesign, str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for _, name, content in files:
        (folder / name).write_bytes(content)


def _write_zips(folder: Path, files: Iterable[tuple[SyntheticDesign, str, bytes]]) -> None:
    """Stored, not compressed, as the published archives are; members in a folder of the archive's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for design, name, content in files:
        archive = archive_of(design.known)
        with zipfile.ZipFile(folder / archive, "a", zipfile.ZIP_STORED) as packed:
            packed.writestr(f"{archive[:-4]}/{name}", content)


def write_tables(folder: Path, designs: Sequence[SyntheticDesign]) -> None:
    """The published tables under their published names, with all their oddities."""
    area = "Frontal Area (m²)"
    _write_csv(
        folder / "DrivAerNetPlusPlus_Cd_8k_Updated.csv", ["Design", "Average Cd"], [[d.id, d.cd] for d in designs]
    )
    _write_csv(folder / "DrivAerNetPlusPlus_CarDesign_Areas.csv", ["Design", area], [[d.id, d.area] for d in designs])
    rows = [[d.id, d.area, d.cd, d.cd * d.area] for d in designs]
    path = folder / "DrivAerNetPlusPlus_Cd_8k_Frontal_Area.csv"
    _write_csv(path, ["Design", area, "Average Cd", "Cd"], rows, encoding="utf-8-sig")
    first = [d for d in designs if d.known.of.name == "F_D_WM_WW"]
    rows = [[f"DrivAer_{d.id}", *(x * d.area / FIRST_AREA for x in (d.cd, sum(d.lift), *d.lift))] for d in first]
    head = ["Design", "Average Cd", "Average Cl", "Average Cl_f", "Average Cl_r"]
    _write_csv(folder / "AeroCoefficients_DrivAerNet_FilteredCorrected.csv", head, rows)
    head = [f"{kind} {name}" for name in ("Cd", "Cl", "Cl_f", "Cl_r") for kind in ("Average", "Std")]
    rows = [
        [d.id, *d.parameters.values(), d.cd, 0.006, sum(d.lift), 0.03, d.lift[0], 0.01, d.lift[1], 0.03]
        for d in designs
        if d not in first
    ]
    _write_csv(folder / "DrivAerNet_ParametricData.csv", ["Experiment", *PARAMETERS, *head], rows)


def write_splits(folder: Path, designs: Sequence[SyntheticDesign]) -> None:
    """Lists of ids: of seven designs in a row five are in train, one is in val and one in test."""
    folder.mkdir(parents=True, exist_ok=True)
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for i, design in enumerate(designs):
        lists["train" if i % 7 < 5 else "val" if i % 7 == 5 else "test"].append(design.id)
    for name, ids in lists.items():
        (folder / f"{name}_design_ids.txt").write_text("\n".join(ids), encoding="utf-8")


def _write_csv(path: Path, head: list[str], rows: list[list], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(head)
        table.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--designs", type=int, default=12, metavar="N")
    parser.add_argument("--zipped", action="store_true", help="archives instead of files")
    parser.add_argument("--large", action="store_true", help="links to a few files instead of a car each")
    options = parser.parse_args()
    if options.large:
        write_large_corpus(options.folder, options.designs)
    else:
        write_corpus(options.folder, ids_of(options.designs), zipped=options.zipped)


if __name__ == "__main__":
    main()
