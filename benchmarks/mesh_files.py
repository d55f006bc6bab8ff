"""One small surface written in every format that is read, by the libraries that users' files come from."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np


def write_all(folder: Path) -> dict[str, Path]:
    """Write a closed body of 320 faces (or its points, for clouds) into ``folder``; file name -> path."""
    import trimesh

    body = trimesh.creation.icosphere(subdivisions=2)
    body.apply_transform(np.diag([2.0, 1.0, 0.75, 1.0]))
    files = {}
    for write in (_write_trimesh, _write_hand_made, _write_vtk, _write_clouds):
        for name, content in write(body, folder).items():
            if content is not None:
                (folder / name).write_bytes(content)
            files[name] = folder / name
    for name in ("binary.stl", "plain.obj"):
        packed = folder / f"{name}.gz"
        packed.write_bytes(gzip.compress(files[name].read_bytes(), mtime=0))
        files[packed.name] = packed
    return files


def _write_trimesh(body, folder: Path) -> dict[str, bytes | None]:
    """What trimesh exports."""
    gltf = body.scene().export(file_type="gltf")
    for name, content in gltf.items():
        (folder / name).write_bytes(content)
    (folder / "model.gltf").rename(folder / "plain.gltf")
    kinds = {"binary.stl": "stl", "ascii.stl": "stl_ascii", "plain.off": "off", "plain.glb": "glb", "plain.3mf": "3mf"}
    files: dict[str, bytes | None] = {name: _bytes(body.export(file_type=kind)) for name, kind in kinds.items()}
    files["plain.obj"] = _bytes(body.export(file_type="obj", include_normals=True))
    files["binary.ply"] = body.export(file_type="ply", encoding="binary")
    files["ascii.ply"] = _bytes(body.export(file_type="ply", encoding="ascii"))
    return files | {"plain.gltf": None}


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _write_hand_made(body, folder: Path) -> dict[str, bytes | None]:
    """Variants that trimesh does not write: big-endian PLY, Draco, COLLADA."""
    vertices, faces = body.vertices, body.faces
    header = (
        f"ply\nformat binary_big_endian 1.0\nelement vertex {len(vertices)}\nproperty double x\nproperty double y\n"
        f"property double z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(len(faces), dtype=[("n", "u1"), ("corners", ">i4", 3)])
    rows["n"], rows["corners"] = 3, faces
    files: dict[str, bytes | None] = {
        "big_endian.ply": header.encode() + vertices.astype(">f8").tobytes() + rows.tobytes()
    }
    return files | {"draco.glb": draco_glb(vertices, faces), "plain.dae": collada(vertices, faces).encode()}


def glb(tree: dict, binary: bytes) -> bytes:
    """A binary glTF file from its JSON tree and buffer."""
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\x00" * (-len(binary) % 4)
    chunks = len(text).to_bytes(4, "little") + b"JSON" + text
    chunks += len(binary).to_bytes(4, "little") + b"BIN\x00" + binary
    return b"glTF" + (2).to_bytes(4, "little") + (12 + len(chunks)).to_bytes(4, "little") + chunks


def draco_glb(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    """A binary glTF file whose one primitive is Draco-compressed."""
    import DracoPy

    packed = DracoPy.encode(vertices.astype(np.float32), faces.astype(np.uint32), quantization_bits=16)
    extension = {"bufferView": 0, "attributes": {"POSITION": 0}}
    tree = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_draco_mesh_compression"],
        "extensionsRequired": ["KHR_draco_mesh_compression"],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "body"}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0},
                        "indices": 1,
                        "extensions": {"KHR_draco_mesh_compression": extension},
                    }
                ]
            }
        ],
        "accessors": [
            {"componentType": 5126, "count": len(vertices), "type": "VEC3"},
            {"componentType": 5125, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": len(packed)}],
        "buffers": [{"byteLength": len(packed)}],
    }
    return glb(tree, packed)


def collada(vertices: np.ndarray, faces: np.ndarray, *, unit: str = "0.001", up: str = "Z_UP") -> str:
    """A COLLADA file with one body, shown once."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><unit name="unit" meter="{unit}"/><up_axis>{up}</up_axis></asset>
<library_geometries><geometry id="body" name="body"><mesh>
<source id="positions"><float_array id="array" count="{vertices.size}">{_join(vertices)}</float_array>
<technique_common><accessor source="#array" count="{len(vertices)}" stride="3"/></technique_common></source>
<vertices id="corners"><input semantic="POSITION" source="#positions"/></vertices>
<triangles count="{len(faces)}"><input semantic="VERTEX" source="#corners" offset="0"/><p>{_join(faces)}</p></triangles>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="scene"><node id="node" name="car">
<translate>10 0 0</translate><instance_geometry url="#body"/></node></visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#scene"/></scene></COLLADA>
"""


def _join(numbers: np.ndarray) -> str:
    return " ".join(map(repr, numbers.ravel().tolist()))


def _write_vtk(body, folder: Path) -> dict[str, bytes | None]:
    """What VTK writes."""
    import pyvista as pv

    surface = pv.PolyData.from_regular_faces(body.vertices, body.faces)
    surface["Cp"] = np.linspace(-1, 1, surface.n_points)
    surface.save(folder / "ascii.vtk", binary=False)
    surface.save(folder / "binary.vtk", binary=True)
    surface.save(folder / "binary.vtp", binary=True)
    surface.save(folder / "ascii.vtp", binary=False)
    surface.cast_to_unstructured_grid().save(folder / "surface.vtu")
    surface.delaunay_3d().save(folder / "volume.vtu")
    surface.delaunay_3d().save(folder / "volume.vtk")
    names = ("ascii.vtk", "binary.vtk", "binary.vtp", "ascii.vtp", "surface.vtu", "volume.vtu", "volume.vtk")
    return dict.fromkeys(names)


def _write_clouds(body, folder: Path) -> dict[str, bytes | None]:
    """The vertices alone: Open3D's PCD and PLY, columns of text, NumPy's archive."""
    import open3d as o3d

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(body.vertices))
    o3d.io.write_point_cloud(str(folder / "ascii.pcd"), cloud, write_ascii=True)
    o3d.io.write_point_cloud(str(folder / "binary.pcd"), cloud)
    o3d.io.write_point_cloud(str(folder / "compressed.pcd"), cloud, compressed=True)
    o3d.io.write_point_cloud(str(folder / "points.ply"), cloud)
    np.savetxt(folder / "points.xyz", body.vertices)
    np.savetxt(folder / "points.csv", body.vertices, delimiter=",", header="x,y,z", comments="")
    np.savez_compressed(folder / "points.npz", points=body.vertices)
    np.savez(folder / "surface.npz", vertices=body.vertices, faces=body.faces)
    names = ("ascii.pcd", "binary.pcd", "compressed.pcd", "points.ply", "points.xyz", "points.csv")
    return dict.fromkeys((*names, "points.npz", "surface.npz"))
