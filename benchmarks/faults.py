"""Table of bad files and what reading them says: ``python benchmarks/faults.py [FOLDER ...] [--write docs/faults.md]``.

Makes each bad file in a temporary folder; the files of FOLDERs (default: ``../shared/meshes/broken``) follow.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from benchmarks.marks import show_rows  # noqa: E402
from benchmarks.mesh_files import collada, glb, write_all  # noqa: E402
from data.errors import MeshError  # noqa: E402
from data.formats import read_mesh  # noqa: E402

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
TEXT = b"Dear colleague,\nplease find the mesh attached.\n"
STEP = b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nENDSEC;\nEND-ISO-10303-21;\n"
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"


@dataclass(frozen=True)
class Fault:
    """One bad file: what is wrong with it, its name, and its content (None: the file is not written at all)."""

    what: str
    name: str
    content: bytes | None


def faults(samples: dict[str, Path]) -> list[Fault]:
    """Every bad file; ``samples`` are sound ones to damage (``mesh_files.write_all``)."""
    makers: tuple[Callable[[dict[str, bytes]], list[Fault]], ...] = (
        _whole_files, _truncated, _stl, _obj_off_ply, _gltf, _xml, _packed, _clouds, _not_read,
    )  # fmt: skip
    sound = {name: path.read_bytes() for name, path in samples.items()}
    return [fault for make in makers for fault in make(sound)]


def _whole_files(sound: dict[str, bytes]) -> list[Fault]:
    return [
        Fault("missing file", "nowhere.stl", None),
        Fault("empty file", "empty.stl", b""),
        Fault("nothing but blanks", "blank.obj", b"  \n\n"),
        Fault("text renamed .stl", "letter.stl", TEXT),
        Fault("text renamed .obj", "letter.obj", TEXT),
        Fault("text renamed .glb", "letter.glb", TEXT),
        Fault("text renamed .vtp", "letter.vtp", TEXT),
        Fault("Git-LFS pointer named .obj", "pointer.obj", LFS_POINTER),
        Fault("Git-LFS pointer named .stl", "pointer.stl", LFS_POINTER),
        Fault("web page saved as .stl", "page.stl", b"<!DOCTYPE html>\n<html><body>404</body></html>"),
        Fault("PLY renamed .stl", "renamed.stl", sound["binary.ply"]),
        Fault("STEP renamed .stl", "step.stl", STEP),
        Fault("broken .gz", "broken.stl.gz", sound["binary.stl.gz"][:40] + b"\x00" * 200),
        Fault("not gzip, named .gz", "plain.stl.gz", sound["binary.stl"]),
        Fault("no suffix", "car", sound["binary.stl"]),
    ]


def _truncated(sound: dict[str, bytes]) -> list[Fault]:
    """Every format, cut at 60 % (an OBJ so that a face is lost whose vertices are there: told as a warning)."""
    return [
        Fault(f"truncated {name}", f"cut_{name}", content[: len(content) * 6 // 10])
        for name, content in sound.items()
        if not name.startswith(("plain.obj", "points.xyz", "points.csv")) or name.endswith(".gz")
    ]


def binary_stl(triangles: np.ndarray, promised: int | None = None, order: str = "<") -> bytes:
    """(F, 3, 3) triangles as binary STL; ``promised`` faces in the header."""
    rows = np.zeros(len(triangles), dtype=[("n", f"{order}f4", 3), ("p", f"{order}f4", (3, 3)), ("a", f"{order}u2")])
    rows["p"] = triangles
    return b"\x00" * 80 + struct.pack(f"{order}I", len(rows) if promised is None else promised) + rows.tobytes()


def _stl(sound: dict[str, bytes]) -> list[Fault]:
    triangles = np.random.default_rng(0).normal(size=(50, 3, 3))
    nan, infinite = triangles.copy(), triangles.copy()
    nan[3, 1, 2], infinite[4, 0, 0] = np.nan, np.inf
    return [
        Fault("binary STL, face count too large", "many.stl", binary_stl(triangles, 60)),
        Fault("binary STL that promises 200 GB", "vast.stl", binary_stl(triangles, 2**32 - 1)),
        Fault("binary STL, face count too small", "few.stl", binary_stl(triangles, 40)),
        Fault("binary STL without faces", "none.stl", binary_stl(triangles[:0])),
        Fault("binary STL, big-endian", "endian.stl", binary_stl(triangles, order=">")),
        Fault("NaN coordinate", "nan.stl", binary_stl(nan)),
        Fault("infinite coordinate", "infinite.stl", binary_stl(infinite)),
        Fault("coordinates of 1e37", "vast_car.stl", binary_stl(triangles * 1e37)),
        Fault("ASCII STL without endsolid", "open.stl", sound["ascii.stl"].rpartition(b"endsolid")[0]),
        Fault("ASCII STL, a corner cut out", "facet.stl", re.sub(rb"vertex[^\n]*\n", b"", sound["ascii.stl"], count=1)),
        Fault("ASCII STL, a word for a number", "word.stl", sound["ascii.stl"].replace(b"vertex 0", b"vertex x", 1)),
        Fault("ASCII STL without facets", "solid.stl", b"solid car\nendsolid car\n"),
    ]


def _obj_off_ply(sound: dict[str, bytes]) -> list[Fault]:
    ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\nproperty float x\nproperty float y\n"
    ply += b"property float z\nend_header\n" + b"\x00" * 100
    return [
        Fault("OBJ, face index out of range", "index.obj", f"{TRIANGLE}f 1 2 9\n".encode()),
        Fault("OBJ, face index 0", "zero.obj", f"{TRIANGLE}f 0 1 2\n".encode()),
        Fault("OBJ, negative index too far back", "back.obj", f"{TRIANGLE}f -1 -2 -9\n".encode()),
        Fault("OBJ, NaN coordinate", "nan.obj", f"{TRIANGLE}v nan 0 0\nf 1 2 5\n".encode()),
        Fault("OBJ, a vertex of two numbers", "short.obj", b"v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n"),
        Fault("OBJ without faces", "points.obj", TRIANGLE.encode()),
        Fault("OFF, face index out of range", "index.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n"),
        Fault("OFF that promises 10^12 faces", "vast.off", b"OFF\n3 1000000000000 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"),
        Fault("PLY that promises 10^11 vertices", "vast.ply", ply),
        Fault("PLY in the wrong byte order", "order.ply", sound["binary.ply"].replace(b"little", b"big", 1)),
        Fault("PLY, unknown property type", "type.ply", sound["ascii.ply"].replace(b"float", b"quad", 1)),
        Fault("PLY without end of header", "header.ply", b"ply\nformat ascii 1.0\nelement vertex 3\n"),
    ]


def _gltf(sound: dict[str, bytes]) -> list[Fault]:
    base = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}]}
    meshopt = {"buffer": 0, "byteLength": 8, "extensions": {"EXT_meshopt_compression": {"buffer": 0}}}
    one_mesh = base | {"nodes": [{"mesh": 0}], "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}]}
    accessor = {"componentType": 5126, "type": "VEC3", "count": 3}
    view = {"buffer": 0, "byteLength": 36}
    lonely = one_mesh | {
        "accessors": [accessor | {"bufferView": 0}],
        "bufferViews": [view],
        "buffers": [{"byteLength": 36, "uri": "not_here.bin"}],
    }
    vast = lonely | {"accessors": [accessor | {"bufferView": 0, "count": 10**12}], "buffers": [{"byteLength": 36}]}
    deep = base | {"nodes": [{"children": [i + 1]} for i in range(5000)] + [{}]}
    return [
        Fault("glTF, meshopt compression", "meshopt.glb", glb(base | {"bufferViews": [meshopt]}, b"\x00" * 8)),
        Fault("glTF, its .bin is missing", "buffers.gltf", json.dumps(lonely).encode()),
        Fault("glTF, nodes in a circle", "circle.glb", glb(base | {"nodes": [{"children": [0]}]}, b"")),
        Fault("glTF, 5000 nodes deep, no mesh", "deep.glb", glb(deep, b"")),
        Fault("glTF that promises 12 TB", "vast.glb", glb(vast, b"\x00" * 36)),
        Fault("glTF 1.0", "old.gltf", b'{"asset": {"version": "1.0"}}'),
        Fault("glTF, broken JSON", "json.gltf", b'{"asset": {"version": "2.0"'),
    ]


def _bomb(kind: str) -> bytes:
    """Ten entities, each ten times the one before."""
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "boom"}">' for i in range(10))
    return f'<?xml version="1.0"?>\n<!DOCTYPE {kind} [{entities}]>\n<{kind} type="PolyData">&e9;</{kind}>'.encode()


def _xml(sound: dict[str, bytes]) -> list[Fault]:
    loop = collada(np.eye(3), np.array([[0, 1, 2]]))
    loop = loop.replace("<translate>", '<instance_node url="#node"/><translate>')
    vtp = sound["ascii.vtp"]
    return [
        Fault("COLLADA, entity bomb", "bomb.dae", _bomb("COLLADA")),
        Fault("VTP, entity bomb", "bomb.vtp", _bomb("VTKFile")),
        Fault("COLLADA, node shows itself", "circle.dae", loop.encode()),
        Fault("COLLADA, index out of range", "index.dae", collada(np.eye(3), np.array([[0, 1, 3]])).encode()),
        Fault("VTP that promises 10^11 points", "vast.vtp", vtp.replace(b'"162"', b'"99999999999"', 1)),
        Fault("VTI renamed .vtp", "image.vtp", b'<?xml version="1.0"?><VTKFile type="ImageData"></VTKFile>'),
        Fault("VTK that promises 10^11 points", "vast.vtk", sound["binary.vtk"].replace(b"162 ", b"99999999999 ", 1)),
        Fault("VTK structured grid", "grid.vtk", b"# vtk DataFile Version 3.0\nx\nASCII\nDATASET STRUCTURED_GRID\n"),
    ]


def _zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _model(components: str) -> bytes:
    return f"""<model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>
{components}</resources><build><item objectid="1"/></build></model>""".encode()


def _packed(sound: dict[str, bytes]) -> list[Fault]:
    circle = '<object id="1"><components><component objectid="1"/></components></object>'
    twice = "".join(
        f'<object id="{i}"><components>{f"""<component objectid="{i + 1}"/>""" * 2}</components></object>'
        for i in range(1, 50)
    )
    return [
        Fault("garbage named .3mf", "garbage.3mf", bytes(range(256)) * 4),
        Fault("zip without a model named .3mf", "letter.3mf", _zip({"letter.txt": TEXT})),
        Fault("3MF, components in a circle", "circle.3mf", _zip({"3D/3dmodel.model": _model(circle)})),
        Fault("3MF, 2^49 copies", "copies.3mf", _zip({"3D/3dmodel.model": _model(twice + '<object id="50"/>')})),
        Fault("3MF, entity bomb", "bomb.3mf", _zip({"3D/3dmodel.model": _bomb("model")})),
        Fault("gzip inside gzip", "twice.stl.gz", gzip.compress(sound["binary.stl.gz"])),
    ]


def _npz(**arrays: np.ndarray) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def _clouds(sound: dict[str, bytes]) -> list[Fault]:
    points = np.random.default_rng(0).normal(size=(500, 3))
    text = "\n".join(f"{x} {y} {z}" for x, y, z in points)
    return [
        Fault("point cloud of 8 points", "few.xyz", "\n".join(text.splitlines()[:8]).encode()),
        Fault("point cloud in one plane", "flat.npz", _npz(points=points * [1, 1, 0])),
        Fault("XYZ, a line of two numbers", "short.xyz", f"{text}\n1 2\n".encode()),
        Fault("XYZ, a word among the numbers", "word.xyz", f"{text}\n1 2 three\n".encode()),
        Fault("NPZ, no array of points", "names.npz", _npz(cloud=points)),
        Fault("NPZ with pickled objects", "pickle.npz", _npz(points=np.array([{"a": 1}], dtype=object))),
        Fault("NPZ, one normal too few", "normals.npz", _npz(points=points, normals=points[1:])),
        Fault(
            "PCD that promises 10^12 points",
            "vast.pcd",
            sound["binary.pcd"].replace(b"POINTS 162", b"POINTS 999999999999"),
        ),
        Fault("PCD without a DATA line", "header.pcd", b"# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\n"),
    ]


def _not_read(sound: dict[str, bytes]) -> list[Fault]:
    suffixes = ("step", "iges", "jt", "CATPart", "x_t", "SLDPRT", "3dm", "dxf", "fbx", "usdz", "blend", "vti", "docx")
    return [Fault(f".{suffix}", f"car.{suffix}", STEP) for suffix in suffixes]


def outcome(path: Path) -> str:
    """What reading says: its one line without the folder, or what was read."""
    try:
        mesh = read_mesh(path)
    except MeshError as error:
        return str(error).replace(str(path), path.name)
    size = f"{len(mesh.faces)} faces" if len(mesh.faces) else f"{len(mesh.vertices)} points"
    return f"read: {size}" + "".join(f"; warning: {warning}" for warning in mesh.warnings)


def _row(what: str, message: str) -> str:
    return f"| {what} | {message.replace('|', chr(92) + '|')} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="*", type=Path, default=[ROOT.parent / "shared" / "meshes" / "broken"])
    parser.add_argument("--write", type=Path, metavar="MD")
    options = parser.parse_args()
    show_rows(_rows(options.folder), options.write)


def _rows(folders: list[Path]) -> Iterator[str]:
    yield "| bad file | what reading it says |\n|---|---|"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "folder.stl").mkdir()
        yield _row("a folder named .stl", outcome(folder / "folder.stl"))
        for fault in faults(write_all(folder)):
            path = folder / fault.name
            if fault.content is not None:
                path.write_bytes(fault.content)
            yield _row(fault.what, outcome(path))
    for folder in folders:
        for path in sorted(folder.glob("*")):
            yield _row(f"{folder.name}/{path.name}", outcome(path))


if __name__ == "__main__":
    main()
