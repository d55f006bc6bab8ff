"""Whatever is wrong with a file, reading it gives one clear line that names it, and nothing else."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest

from benchmarks.faults import faults
from benchmarks.mesh_files import write_all
from data.errors import MeshError
from data.formats import read_mesh

SHARED = Path(__file__).resolve().parents[3] / "shared"
MUTANTS = 25  # of each sample; seeded by its name


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("samples"))


def one_line(path: Path) -> str:
    with pytest.raises(MeshError) as caught:
        read_mesh(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line and len(line) < len(str(path)) + 400
    return line.removeprefix(f"{path}: ")


def test_every_fault_is_one_line_that_names_the_file(samples, tmp_path):
    for fault in faults(samples):
        path = tmp_path / fault.name
        if fault.content is not None:
            path.write_bytes(fault.content)
        message = one_line(path)
        assert "cannot be read as" not in message, f"{fault.what}: only the last-resort guard caught it ({message})"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("many.stl", "promises 60 faces, found bytes for 50"),
        ("pointer.obj", "git lfs pull"),
        ("meshopt.glb", "EXT_meshopt_compression"),
        ("buffers.gltf", "not_here.bin"),
        ("endian.stl", "big-endian"),
        ("nan.stl", "NaN"),
        ("none.stl", "no faces"),
        ("letter.stl", "is text"),
        ("car.step", "export it from the CAD program"),
    ],
)
def test_the_line_says_what_is_wrong(samples, tmp_path, name, says):
    fault = next(fault for fault in faults(samples) if fault.name == name)
    (tmp_path / name).write_bytes(fault.content)
    assert says in one_line(tmp_path / name)


def test_a_folder_is_not_a_mesh(tmp_path):
    (tmp_path / "car.stl").mkdir()
    assert "is a folder" in one_line(tmp_path / "car.stl")


def test_a_file_that_may_not_be_read(samples, tmp_path):
    path = tmp_path / "secret.stl"
    path.write_bytes(samples["binary.stl"].read_bytes())
    path.chmod(0)
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are another matter on Windows")
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read everything
    try:
        line = one_line(path)
    finally:
        os.seteuid(me)
    assert "permission denied" in line


def mutant(content: bytes, dice: random.Random) -> bytes:
    """Cut off, or with bytes changed, cut out or overwritten, near the start or anywhere."""
    kind = dice.randrange(4)
    if kind == 0:
        return content[: dice.randrange(len(content))]
    changed = bytearray(content)
    reach = len(changed) if kind == 1 else min(len(changed), 400)
    start = dice.randrange(reach)
    if kind == 3:
        del changed[start : start + dice.randrange(1, 100)]
    else:
        for _ in range(dice.randint(1, 5)):
            changed[dice.randrange(reach)] = dice.randrange(256)
    return bytes(changed)


def test_damaged_files_give_a_valid_mesh_or_one_line(samples, tmp_path):
    for name, sample in samples.items():
        dice, content = random.Random(name), sample.read_bytes()
        for _ in range(MUTANTS):
            path = tmp_path / f"mutant_{name}"
            path.write_bytes(mutant(content, dice))
            try:
                mesh = read_mesh(path)
            except MeshError as error:
                assert str(path) in str(error) and "\n" not in str(error)
                continue
            assert len(mesh.vertices) > 0
            assert mesh.is_point_cloud or 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)
            assert not mesh.is_point_cloud or mesh.normals.shape == mesh.vertices.shape


SAYS = {
    "trimesh_empty.obj": "has no vertices",
    "trimesh_empty.ply": "has no vertices",
    "trimesh_empty.stl": "has no faces",
    "trimesh_empty_nodes.glb": "has no triangles",
    "trimesh_obj_points.obj": "no faces",
    "trimesh_ply_empty_header.ply": "has no vertices",
    "trimesh_ply_points_bin.ply": "only 8 points",
    "trimesh_stl_empty_ascii.stl": "has no faces",
    "trimesh_stl_empty_bin.stl": "has no faces",
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
@pytest.mark.parametrize("name", SAYS)
def test_real_broken_files(name):
    assert SAYS[name] in one_line(SHARED / "meshes" / "broken" / name)


def test_nothing_is_printed(samples, tmp_path, capfd):
    for fault in faults(samples):
        if fault.content is not None and fault.name.endswith((".vtp", ".vtk", ".vtu", ".dae", ".ply")):
            (tmp_path / fault.name).write_bytes(fault.content)
            one_line(tmp_path / fault.name)
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_a_reader_keeps_its_cause(samples, monkeypatch):
    def broken(source):
        return {}["no such key"]

    monkeypatch.setattr("data.formats.stl.read", broken)
    with pytest.raises(MeshError, match="cannot be read as .stl") as caught:
        read_mesh(samples["binary.stl"])
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "bomb.stl.gz"
    piece = gzip.compress(bytes(2**26))
    path.write_bytes(piece * 6)
    assert "unpacks to" in one_line(path)
