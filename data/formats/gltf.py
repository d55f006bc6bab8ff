"""glTF 2.0, as .glb and .gltf: the scene's triangles with node transforms applied. Metres and y-up by specification.

Own reader on numpy: trimesh passes over sparse accessors and normalised integers (KHR_mesh_quantization) without a
word, and fails with an IndexError on meshopt compression. Draco is decoded by DracoPy.
Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np

from data.formats.scene import Instance, compose
from data.formats.source import Source
from data.mesh import RawMesh

_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_NAMED = 5  # hidden nodes that a warning names
_MESHOPT = {"EXT_meshopt_compression", "KHR_meshopt_compression"}
_INSTANCING = "EXT_mesh_gpu_instancing"
_DRACO = "KHR_draco_mesh_compression"
_VISIBILITY = "KHR_node_visibility"


def read(source: Source) -> RawMesh:
    """Every triangle primitive of the default scene, an instanced mesh once for each node that shows it."""
    tree, binary = _container(source)
    document = _Document(source, tree, binary)
    document.check()
    instances = list(document.instances())
    hidden = ", ".join(document.hidden[:_NAMED])
    warnings = (f"nodes that the file hides were left out: {hidden}",) if hidden else ()
    return compose(source, instances, unit="m", up="y", warnings=warnings)


def _container(source: Source) -> tuple[dict[str, Any], bytes | None]:
    data = source.data
    if not data.startswith(b"glTF"):
        return _json(source, data), None
    version = int.from_bytes(data[4:8], "little")
    if version != 2:
        raise source.error(f"is glTF version {version}; only 2 is read", "export it as glTF 2.0")
    length = int.from_bytes(data[8:12], "little")
    if length > len(data):
        raise source.error(f"truncated glTF: {length} bytes promised, found {len(data)}", "export or copy it again")
    chunks, at = [], 12
    while at + 8 <= length:
        size, kind = int.from_bytes(data[at : at + 4], "little"), data[at + 4 : at + 8]
        if at + 8 + size > length:
            raise source.error("damaged glTF: a chunk is longer than the file", "export or copy it again")
        chunks.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size
    if not chunks or chunks[0][0] != b"JSON":
        raise source.error("damaged glTF: the JSON chunk is missing", "export or copy it again")
    return _json(source, chunks[0][1]), next((chunk for kind, chunk in chunks[1:] if kind == b"BIN\x00"), None)


def _json(source: Source, data: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise source.error(f"damaged glTF: its JSON cannot be read ({error})", "export or copy it again") from error
    if not isinstance(tree, dict) or "asset" not in tree:
        raise source.error("is not a glTF file: no 'asset' in its JSON", "export it again")
    return tree


@dataclass(frozen=True, eq=False)
class _Shape:
    """vertices (V, 3), faces (F, 3). joints: of a skin, (V, k) joints that hold each vertex, and (V, k) how much."""

    vertices: np.ndarray
    faces: np.ndarray
    joints: tuple[np.ndarray, np.ndarray] | None


def _stack_joints(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Of several primitives, each with its own number of joints a vertex."""
    width = max(held.shape[1] for held, _ in pieces)
    held, weights = (
        np.concatenate([np.pad(piece[i], ((0, 0), (0, width - piece[i].shape[1]))) for piece in pieces]) for i in (0, 1)
    )
    return held, weights


class _Document:
    """A glTF tree with its buffers; every reference in it is checked when it is followed."""

    def __init__(self, source: Source, tree: dict[str, Any], binary: bytes | None):
        self.source, self.tree, self.binary = source, tree, binary
        self.hidden: list[str] = []
        self._buffers: dict[int, bytes] = {}
        self._meshes: dict[tuple[int, tuple[float, ...]], _Shape] = {}
        self._places: dict[int, np.ndarray] = {}

    def check(self) -> None:
        """Refuse what would come out wrong."""
        version = str(self.tree["asset"].get("version", "2.0"))
        if not version.startswith("2"):
            raise self.source.error(f"is glTF version {version}; only 2 is read", "export it as glTF 2.0")
        used = set(self.tree.get("extensionsUsed", [])) | set(self.tree.get("extensionsRequired", []))
        required = set(self.tree.get("extensionsRequired", []))
        packed = any(set(view.get("extensions", {})) & _MESHOPT for view in self.tree.get("bufferViews", []))
        if packed or required & _MESHOPT:
            raise self.source.error(
                "its geometry is meshopt-compressed (EXT_meshopt_compression), which is not read",
                "export it without compression or with Draco (`gltf-transform copy in.glb out.glb` unpacks it)",
            )
        if _INSTANCING in used:
            raise self.source.error(f"it places copies with {_INSTANCING}, which is not read", "export it without")

    def _at(self, key: str, index: Any) -> dict[str, Any]:
        items = self.tree.get(key, [])
        if not isinstance(index, int) or not 0 <= index < len(items):
            raise self.source.error(
                f"damaged glTF: {key}[{index}] is referred to, there are {len(items)}", "export it again"
            )
        return items[index]

    # nodes -----------------------------------------------------------------------------------------------------

    def instances(self) -> Iterator[Instance]:
        """``Instance`` of every visible node with a mesh, parents before children, in the scene's order.

        Morph targets take their default weights, skins the pose that the file's nodes have.
        """
        nodes = self.tree.get("nodes", [])
        for index, matrix in self._shown():
            node = nodes[index]
            if "mesh" not in node:
                continue
            name = str(node.get("name") or self._at("meshes", node["mesh"]).get("name") or f"node {index}")
            shape = self._mesh(node["mesh"], node.get("weights"))
            if "skin" in node and shape.joints is not None:
                yield Instance(name, self._skinned(shape, node["skin"]), shape.faces, np.eye(4))
            else:
                yield Instance(name, shape.vertices, shape.faces, matrix)
        if not nodes:  # a library of meshes without a scene
            for index, mesh in enumerate(self.tree.get("meshes", [])):
                shape = self._mesh(index, None)
                yield Instance(str(mesh.get("name") or f"mesh {index}"), shape.vertices, shape.faces, np.eye(4))

    def _shown(self) -> list[tuple[int, np.ndarray]]:
        """Nodes of the scene with the matrices that place them, without those that are hidden and what hangs on them.

        Places of hidden ones are known too: they may be a skin's joints.
        """
        shown: list[tuple[int, np.ndarray]] = []
        stack = [(root, np.eye(4), True) for root in reversed(self._roots())]
        while stack:
            index, above, visible = stack.pop()
            node = self._at("nodes", index)
            if index in self._places:
                raise self.source.error(
                    f"damaged glTF: node {index} has two parents or contains itself", "export it again"
                )
            matrix = self._places[index] = above @ self._matrix(node)
            if visible and node.get("extensions", {}).get(_VISIBILITY, {}).get("visible") is False:
                visible = False
                self.hidden.append(str(node.get("name") or f"node {index}"))
            if visible:
                shown.append((index, matrix))
            stack.extend((child, matrix, visible) for child in reversed(node.get("children", [])))
        return shown

    def _roots(self) -> list[int]:
        if "scenes" in self.tree and self.tree["scenes"]:
            return list(self._at("scenes", self.tree.get("scene", 0)).get("nodes", []))
        nodes = self.tree.get("nodes", [])
        children = {child for node in nodes for child in node.get("children", [])}
        return [index for index in range(len(nodes)) if index not in children]

    def _matrix(self, node: dict[str, Any]) -> np.ndarray:
        if "matrix" in node:
            return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
        matrix = np.eye(4)
        x, y, z, w = (float(v) for v in node.get("rotation", (0, 0, 0, 1)))
        length = (x * x + y * y + z * z + w * w) ** 0.5 or 1.0
        x, y, z, w = x / length, y / length, z / length, w / length
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), dtype=np.float64)
        matrix[:3, 3] = node.get("translation", (0, 0, 0))
        return matrix

    # meshes ----------------------------------------------------------------------------------------------------

    def _mesh(self, index: int, weights: list[float] | None) -> _Shape:
        """All triangle primitives of one mesh, morphed by a node's weights, else by the mesh's own."""
        mesh = self._at("meshes", index)
        own = tuple(float(w) for w in (weights if weights is not None else mesh.get("weights", ())))
        if (index, own) not in self._meshes:
            pieces, faces, joints, n = [], [], [], 0
            shared: dict[tuple, int] = {}  # exporters let the primitives of one mesh share one vertex array
            for primitive in mesh.get("primitives", []):
                if primitive.get("mode", _TRIANGLES) not in (_TRIANGLES, _STRIP, _FAN):
                    continue
                attributes = primitive.get("attributes", {})
                key = (attributes.get("POSITION"), attributes.get("JOINTS_0"), str(primitive.get("targets")))
                draco = _DRACO in primitive.get("extensions", {})
                points, corners = self._draco(primitive) if draco else self._plain(primitive)
                first = n if draco else shared.setdefault(key, n)
                if first == n:
                    pieces.append(self._morphed(points, primitive, own))
                    joints.append(self._joints(primitive, len(points)))
                    n += len(points)
                faces.append(corners + first)
            held = [joint for joint in joints if joint is not None]
            self._meshes[index, own] = _Shape(
                np.concatenate(pieces) if pieces else np.zeros((0, 3)),
                np.concatenate(faces) if faces else np.zeros((0, 3), np.int64),
                _stack_joints(held) if held and len(held) == len(joints) else None,
            )
        return self._meshes[index, own]

    def _morphed(self, points: np.ndarray, primitive: dict[str, Any], weights: tuple[float, ...]) -> np.ndarray:
        targets = primitive.get("targets", [])
        for target, weight in zip(targets, weights, strict=False):
            if weight and "POSITION" in target:
                moves = self._accessor(target["POSITION"])
                if moves.shape != points.shape:
                    raise self.source.error("damaged glTF: a morph target has other vertices", "export it again")
                points = points + weight * moves
        return points

    def _joints(self, primitive: dict[str, Any], n: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Joints (n, k) that hold each vertex, and how much; None without a skin."""
        attributes, joints, weights = primitive.get("attributes", {}), [], []
        for number in range(8):
            if f"JOINTS_{number}" not in attributes or f"WEIGHTS_{number}" not in attributes:
                break
            joints.append(self._accessor(attributes[f"JOINTS_{number}"]).astype(np.int64))
            weights.append(self._accessor(attributes[f"WEIGHTS_{number}"]).astype(np.float64))
        if not joints:
            return None
        if any(len(rows) != n for rows in (*joints, *weights)):
            raise self.source.error("damaged glTF: joints of another number of vertices", "export it again")
        return np.concatenate(joints, axis=1), np.concatenate(weights, axis=1)

    def _skinned(self, shape: _Shape, index: Any) -> np.ndarray:
        """Vertices where the joints hold them, in the scene's frame: a skinned node's own place does not count."""
        skin = self._at("skins", index)
        joints = skin.get("joints", [])
        places = np.array([self._places.get(joint, np.eye(4)) for joint in joints])
        if "inverseBindMatrices" in skin:
            inverse = self._accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
            if len(inverse) < len(joints):
                raise self.source.error("damaged glTF: a skin lacks matrices", "export it again")
            places = places @ inverse[: len(joints)]
        assert shape.joints is not None
        held, weights = shape.joints
        if held.size and held.max() >= len(joints):
            raise self.source.error("damaged glTF: a vertex hangs on a joint that is not there", "export it again")
        total = weights.sum(axis=1, keepdims=True)
        weights = np.where(total > 0, weights / np.where(total > 0, total, 1.0), 0.0)
        points = np.concatenate([shape.vertices, np.ones((len(shape.vertices), 1))], axis=1)
        moved = np.zeros_like(shape.vertices)
        for column in range(held.shape[1]):
            own = places[held[:, column]]
            moved += weights[:, column, None] * np.einsum("nij,nj->ni", own, points)[:, :3]
        return moved

    def _plain(self, primitive: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        points = self._positions(primitive)
        if "indices" in primitive:
            corners = self._accessor(primitive["indices"]).ravel()
            if corners.dtype.kind != "u" and len(corners):
                raise self.source.error("damaged glTF: indices are not unsigned whole numbers", "export it again")
        else:
            corners = np.arange(len(points))
        return points, self._triangles(corners.astype(np.int64), primitive.get("mode", _TRIANGLES))

    def _positions(self, primitive: dict[str, Any]) -> np.ndarray:
        if "POSITION" not in primitive.get("attributes", {}):
            raise self.source.error("damaged glTF: a primitive has no POSITION", "export it again")
        points = self._accessor(primitive["attributes"]["POSITION"])
        if points.shape[1] != 3:
            raise self.source.error("damaged glTF: POSITION is not VEC3", "export it again")
        return points.astype(np.float64)

    def _triangles(self, corners: np.ndarray, mode: int) -> np.ndarray:
        if mode == _TRIANGLES:
            if len(corners) % 3:
                raise self.source.error("damaged glTF: the last triangle is incomplete", "export it again")
            return corners.reshape(-1, 3)
        if len(corners) < 3:
            return np.zeros((0, 3), dtype=np.int64)
        if mode == _FAN:
            return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
        faces = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
        faces[1::2] = faces[1::2, [1, 0, 2]]
        return faces

    def _draco(self, primitive: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        import DracoPy

        packed = self._view(primitive["extensions"][_DRACO].get("bufferView"))[0]
        try:
            mesh = DracoPy.decode(packed)
        except Exception as error:  # DracoPy raises its own kinds and bare Exceptions
            raise self.source.error(f"its Draco data cannot be decoded ({error})", "export it again") from error
        faces = np.asarray(getattr(mesh, "faces", np.zeros((0, 3))), dtype=np.int64).reshape(-1, 3)
        return np.asarray(mesh.points, dtype=np.float64).reshape(-1, 3), faces

    # accessors -------------------------------------------------------------------------------------------------

    def _accessor(self, index: Any) -> np.ndarray:
        """(count, width) of an accessor, with its sparse entries, and to real numbers where it is normalised."""
        accessor = self._at("accessors", index)
        code, width = _COMPONENTS.get(accessor.get("componentType", 0)), _WIDTHS.get(accessor.get("type", ""))
        count = accessor.get("count")
        if code is None or width is None or not isinstance(count, int) or count < 0:
            raise self.source.error(f"damaged glTF: accessors[{index}]", "export it again")
        if "bufferView" in accessor:
            values = self._rows(accessor["bufferView"], accessor.get("byteOffset", 0), code, width, count)
        elif "sparse" in accessor and count <= 100 * (len(self.source.data) + 1):
            values = np.zeros((count, width), dtype=code)
        else:
            raise self.source.error(
                f"its geometry (accessors[{index}]) is in a form that is not read", "export it plain"
            )
        if "sparse" in accessor:
            values = self._with_sparse(values.copy(), accessor["sparse"], code, width)
        if accessor.get("normalized") and code != "<f4":
            values = np.maximum(values / np.iinfo(code).max, -1.0)
        return values

    def _with_sparse(self, values: np.ndarray, sparse: dict[str, Any], code: str, width: int) -> np.ndarray:
        count, where, what = sparse["count"], sparse["indices"], sparse["values"]
        index_code = _COMPONENTS.get(where.get("componentType"), "<u4")
        rows = self._rows(where["bufferView"], where.get("byteOffset", 0), index_code, 1, count).ravel()
        if len(rows) and rows.max() >= len(values):
            raise self.source.error("damaged glTF: a sparse index is out of range", "export it again")
        values[rows] = self._rows(what["bufferView"], what.get("byteOffset", 0), code, width, count)
        return values

    def _rows(self, view: Any, offset: int, code: str, width: int, count: int) -> np.ndarray:
        data, stride = self._view(view)
        size = np.dtype(code).itemsize * width
        stride = stride or size
        need = offset + stride * (count - 1) + size if count else 0
        if not isinstance(offset, int) or offset < 0 or stride < size or need > len(data):
            raise self.source.error(
                f"truncated or damaged glTF: {need} bytes needed, found {len(data)}", "export or copy it again"
            )
        dtype = np.dtype(code)
        return (
            np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize))
            if count
            else np.zeros((0, width), dtype)
        )

    def _view(self, index: Any) -> tuple[bytes, int]:
        """Bytes of a buffer view, and its stride (0: packed)."""
        view = self._at("bufferViews", index)
        start, length = view.get("byteOffset", 0), view.get("byteLength", -1)
        data = self._buffer(view.get("buffer"))
        if not 0 <= start <= start + length <= len(data):
            raise self.source.error(
                f"truncated glTF: a view ends at byte {start + length} of a buffer of {len(data)}",
                "export or copy it again",
            )
        return data[start : start + length], view.get("byteStride", 0)

    def _buffer(self, index: Any) -> bytes:
        buffer = self._at("buffers", index)
        if index not in self._buffers:
            uri = buffer.get("uri")
            data = self._binary_chunk(index) if uri is None else self._fetch(uri)
            need = buffer.get("byteLength", 0)
            if len(data) < need:
                raise self.source.error(
                    f"truncated glTF: a buffer of {need} bytes has only {len(data)}", "copy it again"
                )
            self._buffers[index] = data
        return self._buffers[index]

    def _binary_chunk(self, index: int) -> bytes:
        if self.binary is None or index != 0:
            raise self.source.error(f"damaged glTF: buffer {index} has no data", "export or copy it again")
        return self.binary

    def _fetch(self, uri: str) -> bytes:
        if uri.startswith("data:"):
            # Some writers break lines or leave the padding out.
            text = re.sub(r"\s+|=+$", "", uri.partition(",")[2])
            try:
                return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self.source.error("damaged glTF: an embedded buffer is not base64", "export it again") from error
        if "://" in uri:
            raise self.source.error(f"its buffer is on the network ({uri[:80]})", "download it, or export as .glb")
        folder = self.source.path.parent.resolve()
        path = folder / unquote(uri)
        # What a stranger's file names elsewhere on this disk is nobody's mesh.
        if "\0" in uri or not path.resolve().is_relative_to(folder):
            raise self.source.error(
                f"its buffer file '{unquote(uri)[:80]}' lies outside of its own folder",
                "put it beside the .gltf, or export as .glb",
            )
        try:
            if path.is_file():  # never a device, whose end may not come
                return path.read_bytes()
            reason = "is missing"
        except (OSError, ValueError) as error:
            reason = f"cannot be opened ({error})"
        raise self.source.error(
            f"its buffer file '{unquote(uri)[:80]}' {reason}", "put it beside the .gltf, or export as .glb"
        )
