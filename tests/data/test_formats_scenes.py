"""What a scene shows as its file says: default poses, hidden nodes and cells, the package's own root."""

from __future__ import annotations

import base64
import io
import json
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mesh_files import collada, glb
from data.errors import MeshError
from data.formats import read_mesh

SHARED = Path(__file__).resolve().parents[3] / "shared"
TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")


def write(folder: Path, name: str, content: bytes | str) -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


def gltf(*arrays: np.ndarray, nodes: list[dict], primitive: dict | None = None, **more) -> tuple[dict, bytes]:
    """A scene of all nodes that are no other's children; accessor i is the i-th array, the first one the positions."""
    kinds = {"f": 5126, "u": 5121}
    widths = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
    views, accessors, binary = [], [], b""
    for array in arrays:
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": array.nbytes})
        shape = {"componentType": kinds[array.dtype.kind], "count": len(array), "type": widths[array[0].size]}
        accessors.append({"bufferView": len(views) - 1, **shape})
        binary += array.tobytes() + b"\x00" * (-array.nbytes % 4)
    children = {child for node in nodes for child in node.get("children", [])}
    tree = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [i for i in range(len(nodes)) if i not in children]}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}} | (primitive or {})]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    tree["meshes"][0] |= more.pop("mesh", {})
    return tree | more, binary


@pytest.mark.parametrize("place", ["mesh", "node"])
def test_gltf_morph_targets_take_their_default_weights(tmp_path, place):
    moves = np.array([[0, 0, 2], [0, 0, 0], [0, 0, 4]], "<f4")
    node = {"mesh": 0} | ({"weights": [0.5]} if place == "node" else {})
    mesh = {"weights": [0.5 if place == "mesh" else 0.0]}
    tree, binary = gltf(TRIANGLE, moves, nodes=[node], primitive={"targets": [{"POSITION": 1}]}, mesh=mesh)
    mesh = read_mesh(write(tmp_path, "morph.glb", glb(tree, binary)))
    np.testing.assert_allclose(mesh.vertices, [[0, 0, 1], [1, 0, 0], [0, 1, 2]])


def test_gltf_skin_is_in_the_pose_of_its_joints(tmp_path):
    joints = np.array([[0, 1, 0, 0]] * 3, "u1")
    weights = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0]], "<f4")
    inverse = np.array([np.eye(4).ravel(), np.eye(4).ravel()], "<f4")
    inverse[1, 14] = -1  # column-major: the second joint stood at z = 1 when the skin was bound
    nodes = [
        {"mesh": 0, "skin": 0, "translation": [99, 0, 0]},  # a skinned node's own place does not count
        {"translation": [0, 0, 0]},
        {"translation": [0, 0, 3]},
    ]
    primitive = {"attributes": {"POSITION": 0, "JOINTS_0": 1, "WEIGHTS_0": 2}}
    skins = [{"joints": [1, 2], "inverseBindMatrices": 3}]
    tree, binary = gltf(TRIANGLE, joints, weights, inverse, nodes=nodes, primitive=primitive, skins=skins)
    mesh = read_mesh(write(tmp_path, "skin.glb", glb(tree, binary)))
    np.testing.assert_allclose(mesh.vertices, [[0, 0, 0], [1, 0, 1], [0, 1, 2]], atol=1e-6)


def test_gltf_hidden_nodes_and_what_hangs_on_them_are_left_out_and_reported(tmp_path):
    hidden = {"KHR_node_visibility": {"visible": False}}
    nodes = [{"mesh": 0}, {"name": "dummy", "children": [2], "extensions": hidden}, {"mesh": 0}]
    tree, binary = gltf(TRIANGLE, nodes=nodes, extensionsUsed=["KHR_node_visibility"])
    mesh = read_mesh(write(tmp_path, "hidden.glb", glb(tree, binary)))
    assert len(mesh.faces) == 1
    assert "dummy" in mesh.warnings[0]


def test_gltf_base64_without_padding_and_in_lines(tmp_path):
    tree, binary = gltf(TRIANGLE, nodes=[{"mesh": 0}])
    text = base64.b64encode(binary + b"\x00").decode()  # of a length that needs padding
    for number, form in enumerate((text.rstrip("="), "\n".join(textwrap.wrap(text, 20)))):
        tree["buffers"][0]["uri"] = "data:application/octet-stream;base64," + form
        assert len(read_mesh(write(tmp_path, f"{number}.gltf", json.dumps(tree))).faces) == 1


@pytest.mark.parametrize("uri", ["../secret.bin", "%2e%2e/secret.bin", "ABSOLUTE"])
def test_gltf_buffers_outside_of_its_own_folder_are_not_opened(tmp_path, uri):
    tree, binary = gltf(TRIANGLE, nodes=[{"mesh": 0}])
    secret = write(tmp_path, "secret.bin", binary)
    tree["buffers"][0]["uri"] = str(secret) if uri == "ABSOLUTE" else uri
    (tmp_path / "cars").mkdir()
    with pytest.raises(MeshError, match="outside of its own folder"):
        read_mesh(write(tmp_path / "cars", "car.gltf", json.dumps(tree)))


def threemf(models: dict[str, str], root: str | None) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        if root:
            kind = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
            space = "http://schemas.openxmlformats.org/package/2006/relationships"
            link = f'<Relationship Target="/{root}" Id="r0" Type="{kind}"/>'
            archive.writestr("_rels/.rels", f'<Relationships xmlns="{space}">{link}</Relationships>')
        for name, text in models.items():
            archive.writestr(name, text)
    return packed.getvalue()


def model(*objects: tuple[str, float]) -> str:
    """Objects of one triangle each: type, and how large."""
    shapes, items = "", ""
    for number, (kind, size) in enumerate(objects, 1):
        points = "".join(f'<vertex x="{x * size}" y="{y * size}" z="{z * size}"/>' for x, y, z in TRIANGLE.tolist())
        shapes += (
            f'<object id="{number}" type="{kind}" name="{kind} {number}"><mesh><vertices>{points}</vertices>'
            '<triangles><triangle v1="0" v2="1" v3="2"/></triangles></mesh></object>'
        )
        items += f'<item objectid="{number}"/>'
    return f"<model><resources>{shapes}</resources><build>{items}</build></model>"


def test_3mf_takes_the_model_that_its_relationships_name(tmp_path):
    models = {"3D/3dmodel.model": model(("model", 1.0)), "Model/car.model": model(("model", 5.0))}
    assert read_mesh(write(tmp_path, "a.3mf", threemf(models, "Model/car.model"))).vertices.max() == 5
    assert read_mesh(write(tmp_path, "b.3mf", threemf(models, None))).vertices.max() == 1


def test_3mf_supports_of_the_print_are_left_out_and_reported(tmp_path):
    models = {"3D/3dmodel.model": model(("model", 1.0), ("support", 9.0), ("solidsupport", 9.0))}
    mesh = read_mesh(write(tmp_path, "a.3mf", threemf(models, None)))
    assert len(mesh.faces) == 1 and mesh.vertices.max() == 1
    assert "support 2" in mesh.warnings[0]


def test_collada_with_decimal_commas(tmp_path):
    text = collada(TRIANGLE.astype(float) / 4, np.array([[0, 1, 2]]), unit="0.01")
    read = [read_mesh(write(tmp_path, f"{i}.dae", t)) for i, t in enumerate((text, text.replace("0.", "0,")))]
    np.testing.assert_allclose(read[1].vertices, read[0].vertices)
    assert read[1].unit == "cm"


def test_ply_corners_under_another_name(tmp_path):
    text = (
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 1\nproperty list uchar int vertices\nproperty uchar red\nend_header\n"
        "0 0 0\n1 0 0\n0 1 0\n3 0 1 2 255\n"
    )
    assert read_mesh(write(tmp_path, "a.ply", text)).faces.tolist() == [[0, 1, 2]]
    twice = text.replace("property uchar red", "property list uchar int others").replace("2 255", "2 1 0")
    with pytest.raises(MeshError, match="several lists"):
        read_mesh(write(tmp_path, "b.ply", twice))
    with pytest.raises(MeshError, match="lists in panels"):
        read_mesh(write(tmp_path, "c.ply", text.replace("element face", "element panels")))


@pytest.mark.parametrize("suffix", ["vtp", "vtk", "vtu"])
def test_vtk_cells_that_are_hidden_or_copies_are_left_out_and_reported(tmp_path, suffix):
    import pyvista as pv

    plane = pv.Plane(i_resolution=4, j_resolution=4)
    ghosts = np.zeros(16, np.uint8)
    ghosts[:3], ghosts[3] = 32, 1  # hidden, duplicate
    plane.cell_data["vtkGhostType"] = ghosts
    grid = plane if suffix != "vtu" else plane.cast_to_unstructured_grid()
    grid.save(tmp_path / f"a.{suffix}")
    mesh = read_mesh(tmp_path / f"a.{suffix}")
    assert len(mesh.faces) == 2 * 12
    assert "4 cells that the file hides" in mesh.warnings[0]


def test_a_vtu_of_points_alone_is_a_cloud(tmp_path):
    import pyvista as pv

    points = np.random.default_rng(0).normal(size=(300, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    pv.PolyData(points).cast_to_unstructured_grid().save(tmp_path / "a.vtu")
    mesh = read_mesh(tmp_path / "a.vtu")
    assert mesh.is_point_cloud and len(mesh.vertices) == 300


FORMS = ["01_morph_tail.glb", "07_unit_comma.dae", "09_b64_nopad.gltf", "09_hidden_node.glb", "10_rootrel.3mf"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
@pytest.mark.parametrize("name", [*FORMS, "12_blanked_cells.vtp", "14_list_named_vertices.ply"])
def test_files_that_people_really_have_are_the_reference_car(name):
    folder = SHARED / "cases" / "files"
    reference = "01_morph_tail_baked_reference.glb" if name.startswith("01") else "00_reference.stl"
    mesh, right = read_mesh(folder / name), read_mesh(folder / reference)
    assert len(mesh.faces) == len(right.faces)
    sizes = [np.sort(np.ptp(m.vertices, axis=0)) for m in (mesh, right)]
    scale = 1000 if mesh.unit == "mm" else 1
    np.testing.assert_allclose(sizes[0], scale * sizes[1], rtol=2e-3)
