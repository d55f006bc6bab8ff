"""COLLADA (.dae): the scene's triangles with node transforms applied; unit and up axis as the file states them.

Own reader on lxml: pycollada keeps coordinates and transforms in float32, and reads materials, animations and
pictures that can fail on a mesh that is sound. Specification: COLLADA 1.4.1, Khronos 2008.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.formats.parsing import parse_numbers
from data.formats.polygons import check_indices, triangulate
from data.formats.safe_xml import parse_xml
from data.formats.scene import Instance, compose
from data.formats.source import Source
from data.mesh import RawMesh

_UNITS = {1.0: "m", 0.01: "cm", 0.001: "mm", 0.0254: "in", 0.3048: "ft"}
_PRIMITIVES = ("triangles", "polylist", "polygons", "tristrips", "trifans")
_DEEPEST = 256  # nodes in nodes
_MOST_NODES = 1_000_000


def read(source: Source) -> RawMesh:
    """What the visual scene shows; all geometries when there is no scene."""
    document = _Document(source)
    unit, up, warnings = document.asset()
    return compose(source, document.instances(), unit=unit, up=up, warnings=warnings)


class _Document:
    def __init__(self, source: Source):
        self.source = source
        self.root = parse_xml(source, source.data, "COLLADA")
        if not str(self.root.tag).endswith("COLLADA"):
            raise source.error("is not a COLLADA file", "export it again")
        self.by_id = {e.get("id"): e for e in self.root.iter() if e.get("id")}
        self.meshes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.places: dict[str, np.ndarray] = {}  # of nodes, by sid and id

    def _damaged(self, what: str) -> Exception:
        return self.source.error(f"damaged COLLADA: {what}", "export it again")

    def _follow(self, reference: str | None):
        target = self.by_id.get((reference or "").lstrip("#"))
        if target is None:
            raise self._damaged(f"'{(reference or '')[:60]}' is referred to but missing")
        return target

    def asset(self) -> tuple[str | None, str | None, tuple[str, ...]]:
        """Unit, up axis, warnings."""
        up = self.root.findtext("{*}asset/{*}up_axis", "").strip().upper()
        element = self.root.find("{*}asset/{*}unit")
        unit: str | None = None
        warnings: tuple[str, ...] = ()
        if element is not None and element.get("meter"):
            metres = self._numbers(element.get("meter"), "unit")
            known = [name for size, name in _UNITS.items() if len(metres) == 1 and np.isclose(metres[0], size)]
            unit = known[0] if known else None
            if not known:
                warnings = (f"the file states a unit of {element.get('meter')[:20]} m, which is passed over",)
        return unit, {"X_UP": "x", "Y_UP": "y", "Z_UP": "z"}.get(up), warnings

    # scene -----------------------------------------------------------------------------------------------------

    def instances(self) -> Iterator[Instance]:
        scene = self.root.find("{*}scene/{*}instance_visual_scene")
        if scene is None:
            for geometry in self.root.iterfind("{*}library_geometries/{*}geometry"):
                yield Instance(self._name(geometry), *self._mesh(geometry), np.eye(4))
            return
        roots = self._follow(scene.get("url")).findall("{*}node")
        stack = [(node, np.eye(4), 0) for node in reversed(roots)]
        placed: list[tuple] = []
        while stack:
            node, above, depth = stack.pop()
            if depth > _DEEPEST or len(placed) > _MOST_NODES:
                raise self._damaged("its nodes contain each other")
            matrix = above @ self._matrix(node)
            placed.append((node, matrix))
            for name in (node.get("sid"), node.get("id")):
                if name:
                    self.places.setdefault(name, matrix)
            children = node.findall("{*}node")
            children += [self._follow(link.get("url")) for link in node.iterfind("{*}instance_node")]
            stack.extend((child, matrix, depth + 1) for child in reversed(children))
        for node, matrix in placed:  # a skin's joints may come after it
            for link in node.iterfind("{*}instance_geometry"):
                yield Instance(self._name(node), *self._mesh(self._follow(link.get("url"))), matrix)
            for link in node.iterfind("{*}instance_controller"):
                yield self._skinned(self._name(node), self._follow(link.get("url")), matrix)

    def _name(self, element) -> str:
        return element.get("name") or element.get("id") or "node"

    def _skinned(self, name: str, controller, matrix: np.ndarray) -> Instance:
        """A geometry in the pose that its skin's joints have in the file; where they are missing, in its bind shape."""
        skin = controller.find("{*}skin")
        if skin is None:
            raise self._damaged("a morph controller, which is not read")
        vertices, faces = self._mesh(self._follow(skin.get("source")))
        text = skin.findtext("{*}bind_shape_matrix")
        bind = self._floats(text, 16).reshape(4, 4) if text else np.eye(4)
        held = self._weights(skin, len(vertices))
        if held is None:
            return Instance(name, vertices, faces, matrix @ bind)
        vertex, poses, weight = held
        points = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1) @ bind.T
        moved = np.zeros((len(vertices), 3))
        np.add.at(moved, vertex, weight[:, None] * np.einsum("nij,nj->ni", poses, points[vertex])[:, :3])
        return Instance(name, moved, faces, np.eye(4))

    def _weights(self, skin, n_vertices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Vertex (T,), pose (T, 4, 4) and weight (T,) of each tie to a joint; a vertex's weights sum to 1."""
        element = skin.find("{*}vertex_weights")
        joints = {i.get("semantic"): i.get("source") for i in skin.iterfind("{*}joints/{*}input")}
        if element is None or not {"JOINT", "INV_BIND_MATRIX"} <= joints.keys():
            return None
        names = self._words(joints["JOINT"])
        if not names or any(name not in self.places for name in names):
            return None
        inverse = self._values(joints["INV_BIND_MATRIX"], 16 * len(names)).reshape(-1, 4, 4)
        poses = np.array([self.places[name] for name in names]) @ inverse
        inputs = {i.get("semantic"): i for i in element.iterfind("{*}input")}
        if not {"JOINT", "WEIGHT"} <= inputs.keys():
            raise self._damaged("a skin without joints or weights")
        counts = self._numbers(element.findtext("{*}vcount", ""), "skins", np.int64)
        stride = 1 + max(int(i.get("offset", "0")) for i in element.iterfind("{*}input"))
        ties = self._numbers(element.findtext("{*}v", ""), "skins", np.int64)
        if len(counts) != n_vertices or (counts < 0).any() or len(ties) != stride * counts.sum():
            raise self._damaged("the weights of a skin are not those of its vertices")
        ties = ties.reshape(-1, stride)
        joint, at = (ties[:, int(inputs[key].get("offset", "0"))] for key in ("JOINT", "WEIGHT"))
        values = self._values(inputs["WEIGHT"].get("source"), None)
        if len(ties) and (joint.max() >= len(names) or at.max() >= len(values) or at.min() < 0):
            raise self._damaged("a skin refers to what is not there")
        vertex = np.repeat(np.arange(n_vertices), counts)
        weight = values[at]
        poses = np.where((joint >= 0)[:, None, None], poses[joint], np.eye(4))  # -1: the bind shape itself
        total = np.bincount(vertex, weight, n_vertices)
        if (total <= 0).any():
            raise self._damaged("a vertex of a skin hangs on no joint")
        return vertex, poses, weight / total[vertex]

    def _words(self, reference: str) -> list[str]:
        element = self._follow(reference)
        return (element.findtext("{*}Name_array") or element.findtext("{*}IDREF_array") or "").split()

    def _values(self, reference: str | None, n: int | None) -> np.ndarray:
        numbers = self._numbers(self._follow(reference).findtext("{*}float_array", ""), "skins")
        if n is not None and len(numbers) != n:
            raise self._damaged(f"a skin has {len(numbers)} numbers where {n} belong")
        return numbers

    def _numbers(self, text: str | None, what: str, dtype: type = np.float64) -> np.ndarray:
        """Numbers between blanks; an exporter on a German or French system writes commas for their points."""
        return parse_numbers(self.source, (text or "").replace(",", "."), what, dtype)

    def _floats(self, text: str | None, n: int) -> np.ndarray:
        numbers = self._numbers(text, "transforms")
        if len(numbers) != n:
            raise self._damaged(f"a transform has {len(numbers)} numbers, not {n}")
        return numbers

    def _matrix(self, node) -> np.ndarray:
        """4 x 4: the node's transforms, the first one applied last."""
        matrix = np.eye(4)
        for element in node:
            step, kind = np.eye(4), str(element.tag).rpartition("}")[2]
            if kind == "matrix":
                step = self._floats(element.text, 16).reshape(4, 4)
            elif kind == "translate":
                step[:3, 3] = self._floats(element.text, 3)
            elif kind == "scale":
                step[:3, :3] = np.diag(self._floats(element.text, 3))
            elif kind == "rotate":
                step[:3, :3] = _rotation(self._floats(element.text, 4))
            elif kind == "lookat":
                step = _look_at(self._floats(element.text, 9).reshape(3, 3))
            elif kind == "skew":
                raise self._damaged("a skew transform, which is not read")
            matrix = matrix @ step
        return matrix

    # geometry --------------------------------------------------------------------------------------------------

    def _mesh(self, geometry) -> tuple[np.ndarray, np.ndarray]:
        key = geometry.get("id") or str(id(geometry))
        if key not in self.meshes:
            mesh = geometry.find("{*}mesh")
            self.meshes[key] = self._primitives(mesh) if mesh is not None else (np.zeros((0, 3)), np.zeros((0, 3), int))
        return self.meshes[key]

    def _primitives(self, mesh) -> tuple[np.ndarray, np.ndarray]:
        """All primitives of one mesh; those that share a position source share its vertices."""
        vertices, faces, first, n = [], [np.zeros((0, 3), np.int64)], {}, 0
        for primitive in mesh:
            kind = str(primitive.tag).rpartition("}")[2]
            if kind not in _PRIMITIVES or primitive.find("{*}p") is None and primitive.find("{*}ph") is None:
                continue
            inputs = [
                (int(i.get("offset", "0")), i.get("semantic"), i.get("source")) for i in primitive.iterfind("{*}input")
            ]
            offset, _, reference = next((i for i in inputs if i[1] == "VERTEX"), (0, None, None))
            if reference is None:
                raise self._damaged("a primitive has no VERTEX input")
            stride = 1 + max(i[0] for i in inputs)
            if reference not in first:
                first[reference] = n
                vertices.append(self._positions(reference))
                n += len(vertices[-1])
            points = vertices[list(first).index(reference)]
            counts, corners = self._polygons(primitive, kind, stride, offset)
            check_indices(self.source, corners, len(points))
            faces.append(triangulate(points, counts, corners)[0].astype(np.int64) + first[reference])
        return np.concatenate(vertices) if vertices else np.zeros((0, 3)), np.concatenate(faces)

    def _positions(self, reference: str) -> np.ndarray:
        links = self._follow(reference).iterfind("{*}input")
        position = next((link for link in links if link.get("semantic") == "POSITION"), None)
        if position is None:
            raise self._damaged("vertices without POSITION")
        element = self._follow(position.get("source"))
        numbers = self._numbers(element.findtext("{*}float_array", ""), "vertices")
        accessor = element.find("{*}technique_common/{*}accessor")
        stride = int(accessor.get("stride", "1")) if accessor is not None else 3
        offset = int(accessor.get("offset", "0")) if accessor is not None else 0
        count = int(accessor.get("count", "0")) if accessor is not None else len(numbers) // 3
        if stride < 3 or offset < 0 or not 0 <= offset + stride * count <= len(numbers):
            raise self._damaged(f"{count} vertices promised, found {len(numbers)} numbers")
        return numbers[offset : offset + stride * count].reshape(count, stride)[:, :3]

    def _polygons(self, primitive, kind: str, stride: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
        """Corners of each polygon, and the corners in a row."""
        lists = [p.text for p in primitive.iterfind("{*}p")] + [p.findtext("{*}p") for p in primitive.iterfind("{*}ph")]
        rows = [self._corners(text or "", stride, offset) for text in lists]  # holes (ph/h) are filled
        joined = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        if kind == "polygons":
            return np.array([len(row) for row in rows], dtype=np.int64), joined
        if kind == "polylist":
            counts = self._numbers(primitive.findtext("{*}vcount", ""), "faces", np.int64)
            if (counts < 0).any() or counts.sum() != len(joined):
                raise self._damaged(f"polygons of {counts.sum()} corners promised, found {len(joined)}")
            return counts, joined
        if kind == "triangles":
            if len(joined) % 3:
                raise self._damaged("the last triangle is incomplete")
            return np.full(len(joined) // 3, 3), joined
        triangles = np.concatenate([_strip(row) if kind == "tristrips" else _fan(row) for row in rows])
        return np.full(len(triangles), 3), triangles.ravel()

    def _corners(self, text: str, stride: int, offset: int) -> np.ndarray:
        numbers = self._numbers(text, "faces", np.int64)
        if len(numbers) % stride:
            raise self._damaged("the last face corner is incomplete")
        return numbers[offset::stride]


def _rotation(axis_angle: np.ndarray) -> np.ndarray:
    """3 x 3 from an axis and degrees (Rodrigues)."""
    length = np.linalg.norm(axis_angle[:3])
    if length == 0:
        return np.eye(3)
    x, y, z = axis_angle[:3] / length
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(axis_angle[3])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _look_at(rows: np.ndarray) -> np.ndarray:
    """4 x 4 that places an object at ``rows[0]`` looking (-z) at ``rows[1]`` with ``rows[2]`` up."""
    matrix = np.eye(4)
    back = (rows[0] - rows[1]) / max(np.linalg.norm(rows[0] - rows[1]), 1e-300)
    side = np.cross(rows[2], back)
    side = side / max(np.linalg.norm(side), 1e-300)
    matrix[:3, :3] = np.stack([side, np.cross(back, side), back], axis=1)
    matrix[:3, 3] = rows[0]
    return matrix


def _strip(row: np.ndarray) -> np.ndarray:
    if len(row) < 3:
        return np.zeros((0, 3), dtype=np.int64)
    faces = np.stack([row[:-2], row[1:-1], row[2:]], axis=1)
    faces[1::2] = faces[1::2, [1, 0, 2]]
    return faces


def _fan(row: np.ndarray) -> np.ndarray:
    if len(row) < 3:
        return np.zeros((0, 3), dtype=np.int64)
    return np.stack([np.full(len(row) - 2, row[0]), row[1:-1], row[2:]], axis=1)
