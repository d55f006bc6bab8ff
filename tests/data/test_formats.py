"""Sound files of every format come in without loss: order, winding, parts, transforms, units."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mesh_files import collada, draco_glb, glb, write_all
from data.errors import MeshError
from data.formats import CASE_STATE, MESH_SUFFIXES, find_meshes, read_mesh
from tests.conftest import volume

SHARED = Path(__file__).resolve().parents[3] / "shared"
BODY_VOLUME = 4 / 3 * np.pi * 2.0 * 1.0 * 0.75  # of the ellipsoid that the body approximates


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def body():
    import trimesh

    result = trimesh.creation.icosphere(subdivisions=2)
    result.apply_transform(np.diag([2.0, 1.0, 0.75, 1.0]))
    return result


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


SURFACES = [
    "binary.stl",
    "ascii.stl",
    "binary.stl.gz",
    "plain.obj",
    "plain.obj.gz",
    "plain.off",
    "binary.ply",
    "ascii.ply",
    "big_endian.ply",
    "plain.glb",
    "plain.gltf",
    "draco.glb",
    "plain.3mf",
    "plain.dae",
    "ascii.vtk",
    "binary.vtk",
    "binary.vtp",
    "ascii.vtp",
    "surface.vtu",
    "volume.vtu",
    "volume.vtk",
    "surface.npz",
]
INDEXED = [name for name in SURFACES if "stl" not in name and "volume" not in name and name != "draco.glb"]


@pytest.mark.parametrize("name", SURFACES)
def test_every_format_gives_the_whole_body_with_its_winding(samples, name):
    mesh = read_mesh(samples[name])
    assert len(mesh.faces) == 320
    assert mesh.vertices.dtype == np.float64 and mesh.faces.dtype == np.int32
    assert volume(mesh.vertices, mesh.faces) == pytest.approx(BODY_VOLUME, rel=0.06)


@pytest.mark.parametrize("name", INDEXED)
def test_vertices_and_faces_keep_the_files_order(samples, body, name):
    mesh = read_mesh(samples[name])
    shift = [10, 0, 0] if name == "plain.dae" else [0, 0, 0]
    np.testing.assert_allclose(mesh.vertices - shift, body.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, body.faces)


def test_stl_keeps_three_vertices_a_face(samples, body):
    mesh = read_mesh(samples["binary.stl"])
    np.testing.assert_allclose(mesh.vertices.reshape(-1, 3, 3), body.triangles, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "unit", "up"),
    [("plain.glb", "m", "y"), ("plain.3mf", "mm", "z"), ("plain.dae", "mm", "z"), ("plain.obj", None, None)],
)
def test_the_formats_own_unit_and_up_axis_are_reported(samples, name, unit, up):
    mesh = read_mesh(samples[name])
    assert (mesh.unit, mesh.up) == (unit, up)


# STL --------------------------------------------------------------------------------------------------------------


def test_upper_case_ascii_stl(samples, tmp_path):
    text = samples["ascii.stl"].read_bytes()
    np.testing.assert_array_equal(
        read_mesh(write(tmp_path, "upper.STL", text.upper())).vertices, read_mesh(samples["ascii.stl"]).vertices
    )


def test_binary_stl_whose_header_begins_with_solid(samples, tmp_path):
    content = b"solid made by a CAD program".ljust(80) + samples["binary.stl"].read_bytes()[80:]
    assert len(read_mesh(write(tmp_path, "solid.stl", content)).faces) == 320


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_ascii_stl_with_the_line_ends_of_every_system(samples, tmp_path, newline):
    text = samples["ascii.stl"].read_bytes().replace(b"\n", newline)
    assert len(read_mesh(write(tmp_path, "lines.stl", text)).faces) == 320


VENDORS = {
    "ANSA's colours": lambda text: text.replace(b"facet normal", b"color 0.5 0.25 0\nfacet normal", 1),
    "end loop, end facet": lambda text: text.replace(b"endloop", b"end loop").replace(b"endfacet", b"end facet"),
    "a name behind endfacet": lambda text: text.replace(b"endfacet", b"endfacet panel_7"),
    "a name glued to endsolid": lambda text: text.rpartition(b"endsolid")[0] + b"endsolidbody\n",
    "all on one line": lambda text: b" ".join(text.split()),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_ascii_stl_as_vendors_write_it(samples, tmp_path, vendor):
    text = samples["ascii.stl"].read_bytes()
    mesh = read_mesh(write(tmp_path, "vendor.stl", VENDORS[vendor](text)))
    np.testing.assert_array_equal(mesh.vertices, read_mesh(samples["ascii.stl"]).vertices)
    assert mesh.warnings == ()


def test_what_stands_behind_the_last_endsolid_is_reported(samples, tmp_path):
    text = samples["ascii.stl"].read_bytes() + samples["binary.stl"].read_bytes()
    mesh = read_mesh(write(tmp_path, "behind.stl", text))
    assert len(mesh.faces) == 320
    assert "after the last 'endsolid'" in mesh.warnings[0]


def test_a_facet_of_four_corners_is_refused(samples, tmp_path):
    text = samples["ascii.stl"].read_bytes().replace(b"endloop", b"vertex 0 0 0\nendloop", 1)
    with pytest.raises(MeshError, match="a facet has 4 vertices"):
        read_mesh(write(tmp_path, "four.stl", text))


def test_bodies_of_an_ascii_stl_are_named_parts(samples, tmp_path):
    facets = samples["ascii.stl"].read_text().partition("\n")[2].rpartition("endsolid")[0]
    text = f"solid front wheel\n{facets}endsolid front wheel\nsolid solid body\n{facets}endsolid\n"
    parts = read_mesh(write(tmp_path, "two.stl", text)).parts
    assert parts == (("front wheel", 0, 320), ("solid body", 320, 640))


# OBJ, OFF, PLY ----------------------------------------------------------------------------------------------------


def test_obj_objects_and_groups_are_parts_and_shared_vertices_stay_shared(tmp_path):
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\no car\ng body\nf 1 2 3\nf 1 2 4\ng wheel\nf -1 -2 -3\n"
    mesh = read_mesh(write(tmp_path, "car.obj", text))
    assert mesh.parts == (("car/body", 0, 2), ("car/wheel", 2, 3))
    assert len(mesh.vertices) == 4
    np.testing.assert_array_equal(mesh.faces[2], [3, 2, 1])


def test_obj_corner_forms_comments_colours_and_continued_lines(tmp_path):
    text = (
        "v 0 0 0 1 0 0 # red\nv 1 0 0\nv 1 1 0 1.0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n"
        "f 1/1/1 2//1 3/1 # comment\nf 1 \\\n 3 4\n"
    )
    mesh = read_mesh(write(tmp_path, "forms.obj", text))
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(mesh.vertices[2], [1, 1, 0])


def test_a_concave_polygon_covers_its_own_area_only(tmp_path):
    arrow = [(0, 0), (2, 1), (0, 2), (1, 1)]  # area 1; a fan from the first corner would leave the outline
    for turn in range(4):
        corners = arrow[turn:] + arrow[:turn]
        text = "".join(f"v {x} {y} 0\n" for x, y in corners) + "f 1 2 3 4\n"
        mesh = read_mesh(write(tmp_path, f"arrow{turn}.obj", text))
        a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
        signed = np.cross(b - a, c - a)[:, 2] / 2
        assert signed.sum() == pytest.approx(1) and np.abs(signed).sum() == pytest.approx(1)


def test_an_obj_that_lost_its_end_warns(samples, tmp_path):
    lines = samples["plain.obj"].read_text().splitlines()
    mesh = read_mesh(write(tmp_path, "cut.obj", "\n".join(lines[: len(lines) - 200])))
    assert "belong to no face" in mesh.warnings[0]


@pytest.mark.parametrize("bad", ["nan", "-1", "7"])
def test_ascii_ply_whose_list_lengths_are_no_lengths_is_damaged(tmp_path, bad):
    text = _PLY_WITH_COLOUR_AHEAD + f"9 {bad} 0 1 2\n" * 2
    with pytest.raises(MeshError, match="PLY"):
        read_mesh(write(tmp_path, "bad.ply", text.encode()))


def test_ascii_ply_reads_the_list_among_other_properties(tmp_path):
    text = _PLY_WITH_COLOUR_AHEAD + "9 3 0 1 2\n9 3 1 2 3\n"
    np.testing.assert_array_equal(read_mesh(write(tmp_path, "list.ply", text.encode())).faces, [[0, 1, 2], [1, 2, 3]])


_PLY_WITH_COLOUR_AHEAD = (
    "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nelement face 2\n"
    "property uchar red\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n"
)


def test_binary_ply_with_triangles_and_quads_mixed(tmp_path):
    header = "ply\nformat binary_little_endian 1.0\nelement vertex 5\nproperty float x\nproperty float y\n"
    header += (
        "property float z\nelement face 2\nproperty uchar flags\nproperty list uchar int vertex_index\nend_header\n"
    )
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], "<f4").tobytes()
    faces = b"\x07\x04" + np.arange(4, dtype="<i4").tobytes() + b"\x07\x03" + np.array([0, 1, 4], "<i4").tobytes()
    mesh = read_mesh(write(tmp_path, "mixed.ply", header.encode() + points + faces))
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [0, 1, 4]])


# scenes -----------------------------------------------------------------------------------------------------------

TRIANGLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")


def gltf_tree(nodes: list[dict], roots: list[int], **primitive) -> dict:
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": roots}],
        "nodes": nodes,
        "meshes": [{"name": "wheel", "primitives": [{"attributes": {"POSITION": 0}} | primitive]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }


def test_gltf_instances_are_placed_by_their_nodes(tmp_path):
    half_turn = [0, 0, 1, 0]
    nodes = [
        {"children": [1, 2], "translation": [0, 0, 5], "rotation": half_turn},
        {"mesh": 0, "name": "left", "scale": [2, 2, 2]},
        {"mesh": 0, "name": "right", "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]},
    ]
    mesh = read_mesh(write(tmp_path, "scene.glb", glb(gltf_tree(nodes, [0]), TRIANGLE.tobytes())))
    assert mesh.parts == (("left", 0, 1), ("right", 1, 2))
    np.testing.assert_allclose(mesh.vertices[:3], [[0, 0, 5], [-2, 0, 5], [0, -2, 5]], atol=1e-12)
    a, b, c = mesh.vertices[mesh.faces[1]]
    assert np.cross(b - a, c - a)[2] > 0  # mirrored by its matrix, but its outside stays outside


def test_gltf_normalised_integers_are_scaled(tmp_path):
    tree = gltf_tree([{"mesh": 0}], [0])
    tree["accessors"][0] |= {"componentType": 5122, "normalized": True}
    tree["bufferViews"][0]["byteStride"] = 8
    rows = np.zeros((3, 4), "<i2")
    rows[:, :3] = TRIANGLE * 32767
    tree["bufferViews"][0]["byteLength"] = tree["buffers"][0]["byteLength"] = rows.nbytes
    mesh = read_mesh(write(tmp_path, "quantised.glb", glb(tree, rows.tobytes())))
    np.testing.assert_allclose(mesh.vertices, TRIANGLE, atol=1e-9)


def test_gltf_sparse_accessor_moves_its_vertices(tmp_path):
    tree = gltf_tree([{"mesh": 0}], [0])
    tree["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": 1, "componentType": 5123},
        "values": {"bufferView": 2},
    }
    tree["bufferViews"] += [{"buffer": 0, "byteOffset": 36, "byteLength": 2}]
    tree["bufferViews"] += [{"buffer": 0, "byteOffset": 40, "byteLength": 12}]
    moved = np.array([5, 6, 7], "<f4")
    binary = TRIANGLE.tobytes() + b"\x01\x00\x00\x00" + moved.tobytes()
    tree["buffers"][0]["byteLength"] = len(binary)
    np.testing.assert_array_equal(read_mesh(write(tmp_path, "sparse.glb", glb(tree, binary))).vertices[1], moved)


def test_gltf_buffer_beside_the_file_or_inside_it(tmp_path):
    import base64

    tree = gltf_tree([{"mesh": 0}], [0])
    write(tmp_path, "a b.bin", TRIANGLE.tobytes())
    embedded = "data:application/octet-stream;base64," + base64.b64encode(TRIANGLE.tobytes()).decode()
    for number, uri in enumerate(("a%20b.bin", embedded)):
        tree["buffers"][0]["uri"] = uri
        assert len(read_mesh(write(tmp_path, f"{number}.gltf", json.dumps(tree))).faces) == 1


def test_draco_keeps_the_shape_within_its_quantisation(tmp_path, body):
    mesh = read_mesh(write(tmp_path, "draco.glb.gz", gzip.compress(draco_glb(body.vertices, body.faces))))
    assert volume(mesh.vertices, mesh.faces) == pytest.approx(body.volume, rel=1e-3)


def test_collada_in_metres_y_up_and_polylists(tmp_path):
    text = collada(
        np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]), np.array([[0, 1, 2, 3]]), unit="1", up="Y_UP"
    )
    text = text.replace("<triangles count", "<polylist count").replace("</triangles>", "</polylist>")
    mesh = read_mesh(write(tmp_path, "quad.dae", text.replace("<p>", "<vcount>4</vcount><p>")))
    assert (mesh.unit, mesh.up, len(mesh.faces)) == ("m", "y", 2)
    assert mesh.vertices[:, 0].min() == 10  # the node's translation


def test_volume_cells_of_every_kind_give_their_closed_boundary(tmp_path):
    import pyvista as pv

    names = ("Tetrahedron", "Voxel", "Hexahedron", "Wedge", "Pyramid", "Polyhedron", "QuadraticTetrahedron")
    for name in names:
        cell = getattr(pv.examples.cells, name)()
        for suffix in ("vtu",) if name == "Polyhedron" else ("vtu", "vtk"):
            cell.save(tmp_path / f"{name}.{suffix}")
            mesh = read_mesh(tmp_path / f"{name}.{suffix}")
            edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
            assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all(), name
            assert volume(mesh.vertices, mesh.faces) > 0, name


@pytest.mark.parametrize("mode", ["appended raw", "appended", "ascii", "lz4", "lzma", "none", "big"])
def test_every_way_that_vtk_writes_its_xml(tmp_path, body, mode):
    import pyvista as pv
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(pv.PolyData.from_regular_faces(body.vertices, body.faces))
    writer.SetFileName(str(tmp_path / "body.vtp"))
    writer.SetBlockSize(1024)  # several blocks an array
    writer.SetDataModeToAppended() if "appended" in mode else writer.SetDataModeToBinary()
    writer.SetEncodeAppendedData(mode == "appended")
    choices = {"ascii": "SetDataModeToAscii", "lz4": "SetCompressorTypeToLZ4", "lzma": "SetCompressorTypeToLZMA"}
    choices |= {"none": "SetCompressorTypeToNone", "big": "SetByteOrderToBigEndian"}
    if mode in choices:
        getattr(writer, choices[mode])()
    if mode == "big":
        writer.SetHeaderTypeToUInt64()
    assert writer.Write() == 1
    mesh = read_mesh(tmp_path / "body.vtp")
    np.testing.assert_allclose(mesh.vertices, body.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, body.faces)


# folders ----------------------------------------------------------------------------------------------------------


def test_surfaces_of_a_cfd_case_are_no_designs(tmp_path):
    case = tmp_path / "estate_cfd_draft_0"
    (case / "constant").mkdir(parents=True)
    for place in (tmp_path, case, case / "constant"):
        (place / "car.stl").write_text("solid")
    (case / CASE_STATE).write_text("{}")
    assert find_meshes(tmp_path, recursive=True) == [tmp_path / "car.stl"]
    for folder in (case, case / "constant"):
        (folder / "again.stl").write_text("solid")
    with pytest.raises(MeshError, match="holds no meshes"):
        find_meshes(case)


def test_find_meshes_sorts_and_passes_over_what_is_no_mesh(tmp_path):
    for name in ("b.STL", "a.obj.gz", "notes.txt", "c.csv.md", ".hidden.stl"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.ply").touch()
    assert [path.name for path in find_meshes(tmp_path)] == ["a.obj.gz", "b.STL"]
    assert [path.name for path in find_meshes(tmp_path, recursive=True)] == ["a.obj.gz", "b.STL", "d.ply"]


def test_a_folder_without_meshes_is_an_error(tmp_path):
    with pytest.raises(MeshError, match="holds no meshes"):
        find_meshes(tmp_path)


def test_suffixes_come_with_and_without_gz():
    assert {".stl", ".stl.gz", ".vtu", ".glb.gz", ".pcd"} <= set(MESH_SUFFIXES)


# real meshes ------------------------------------------------------------------------------------------------------

FACES = {
    "cars/CesiumMilkTruck.glb": 3624,
    "cars/ahmed_rajkumar.stl": 2712,
    "cars/ahmed_rajkumar_half.stl": 7404,
    "cars/beetle.obj": 2053,
    "cars/gazebo_hatchback.obj": 788,
    "cars/gazebo_suv.obj": 1514,
    "cars/libigl_truck.obj": 4770,
    "cars/meshrcnn_car.obj": 5260,
    "cars/mlsimkit_ahmed/ahmed_1_downsampled.stl": 8920,
    "cars/mlsimkit_ahmed/boundary_1_mapped.vtp": 8920,
    "cars/mlsimkit_drivaer/run1_full_car_derived.stl": 1624,
    "non_cars/Duck.glb": 4212,
    "non_cars/chair_model.obj": 12756,
    "non_cars/motorBike.obj.gz": 331653,
    "broken/trimesh_BoxInterleaved.glb": 12,
    "broken/trimesh_busted.STL": 3878,
    "broken/trimesh_joined_tetrahedra.obj": 8,
    "broken/trimesh_negative_indices.obj": 12,
    "broken/trimesh_whitespace.off": 12,
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
@pytest.mark.parametrize("name", FACES)
def test_real_meshes_have_all_their_faces(name):
    assert len(read_mesh(SHARED / "meshes" / name).faces) == FACES[name]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_the_same_surface_as_stl_and_as_vtp():
    folder = SHARED / "meshes" / "cars" / "mlsimkit_ahmed"
    stl, vtp = read_mesh(folder / "ahmed_1_downsampled.stl"), read_mesh(folder / "boundary_1_mapped.vtp")
    assert volume(stl.vertices, stl.faces) == pytest.approx(volume(vtp.vertices, vtp.faces), rel=1e-5)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not here")
def test_instanced_wheels_of_a_real_scene_are_repeated():
    mesh = read_mesh(SHARED / "meshes" / "cars" / "CesiumMilkTruck.glb")
    assert [name for name, _, _ in mesh.parts].count("Wheels") == 2
    (_, a, b), (_, c, d) = (part for part in mesh.parts if part[0] == "Wheels")
    centres = [mesh.vertices[mesh.faces[start:stop]].mean(axis=(0, 1)) for start, stop in ((a, b), (c, d))]
    assert np.linalg.norm(centres[0] - centres[1]) > 1
