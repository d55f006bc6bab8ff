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
        unit, warnings = None, ()
        if element is not None and element.get("meter"):
            metres = parse_numbers(self.source, element.get("meter"), "unit")
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
        visited = 0
        while stack:
            node, above, depth = stack.pop()
            visited += 1
            if depth > _DEEPEST or visited > _MOST_NODES:
                raise self._damaged("its nodes contain each other")
            matrix = above @ self._matrix(node)
            for geometry, own in self._shown(node):
                yield Instance(self._name(node), *self._mesh(geometry), matrix @ own)
            children = node.findall("{*}node")
            children += [self._follow(link.get("url")) for link in node.iterfind("{*}instance_node")]
            stack.extend((child, matrix, depth + 1) for child in reversed(children))

    def _name(self, element) -> str:
        return element.get("name") or element.get("id") or "node"

    def _shown(self, node) -> Iterator[tuple]:
        """Geometries of one node, each with the matrix of its skin (bind shape), if it has one."""
        for link in node.iterfind("{*}instance_geometry"):
            yield self._follow(link.get("url")), np.eye(4)
        for link in node.iterfind("{*}instance_controller"):
            skin = self._follow(link.get("url")).find("{*}skin")
            if skin is None:
                raise self._damaged("a morph controller, which is not read")
            text = skin.findtext("{*}bind_shape_matrix")
            yield self._follow(skin.get("source")), self._floats(text, 16).reshape(4, 4) if text else np.eye(4)

    def _floats(self, text: str | None, n: int) -> np.ndarray:
        numbers = parse_numbers(self.source, text or "", "transforms")
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
        numbers = parse_numbers(self.source, element.findtext("{*}float_array", ""), "vertices")
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
            counts = parse_numbers(self.source, primitive.findtext("{*}vcount", ""), "faces", np.int64)
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
        numbers = parse_numbers(self.source, text, "faces", np.int64)
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
