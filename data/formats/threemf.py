"""3MF: the build's objects with their transforms. The unit is the file's own attribute; z is up by specification.

Own reader on lxml: the format is a zip with an XML list of vertices and triangles, and untrusted zips and component
trees need limits that the libraries do not set.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field

import numpy as np

from data.formats.safe_xml import parse_xml
from data.formats.scene import MOST_FACES, Instance, compose
from data.formats.source import Source, refuse_bomb
from data.mesh import RawMesh

_UNITS = {"micron": "um", "millimeter": "mm", "centimeter": "cm", "inch": "in", "foot": "ft", "meter": "m"}
_RELATIONSHIPS = "_rels/.rels"
_PRINTING_AIDS = ("support", "solidsupport", "other")  # 3MF core specification, ST_ObjectType
_DEEPEST = 64  # components in components
_MOST_INSTANCES = 100_000


@dataclass
class _Object:
    name: str
    vertices: np.ndarray | None = None
    faces: np.ndarray | None = None
    components: list[tuple[tuple[str, str], np.ndarray]] = field(default_factory=list)
    is_aid: bool = False


def read(source: Source) -> RawMesh:
    """What the ``build`` element places; all objects when it is empty."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except zipfile.BadZipFile as error:
        raise source.error(
            "is not a 3MF file, or truncated: its zip archive cannot be read", "copy it again"
        ) from error
    with archive:
        model = _Model(source, archive)
        instances = list(model.instances())
        aids = ", ".join(dict.fromkeys(model.left_out))[:120]
        warnings = (f"what only supports the print was left out: {aids}",) if aids else ()
        return compose(source, instances, unit=model.unit, up="z", warnings=warnings)


class _Model:
    """The parts of the package, read when something refers to them."""

    def __init__(self, source: Source, archive: zipfile.ZipFile):
        self.source, self.archive = source, archive
        self.names = {name.lower().lstrip("/"): name for name in archive.namelist()}
        self.objects: dict[str, dict[str, _Object]] = {}
        self.left_out: list[str] = []
        self.root = self._root_part()
        tree = self._load(self.root)
        word = tree.get("unit", "millimeter").lower()
        if word not in _UNITS:
            raise source.error(f"damaged 3MF: its unit is '{word[:40]}'", "export it again")
        self.unit = _UNITS[word]
        self.items = [
            ((self._part(item), item.get("objectid", "")), self._transform(item)) for item in tree.iter("{*}item")
        ]

    def _root_part(self) -> str:
        """The part that the package's relationships call its 3D model; else the usual one."""
        named = [path for path in self._related() if path in self.names]
        usual = [name for name in self.names if name.endswith("3d/3dmodel.model")]
        others = [name for name in self.names if name.endswith(".model")]
        if not (named or usual or others):
            raise self.source.error("is a zip archive without a 3D model", "export it as 3MF again, or as STL")
        return (named or usual or others)[0]

    def _related(self) -> list[str]:
        if _RELATIONSHIPS not in self.names:
            return []
        tree = self._parsed(_RELATIONSHIPS)
        related = [r.get("Target", "") for r in tree.iter("{*}Relationship") if r.get("Type", "").endswith("/3dmodel")]
        return [path.lower().lstrip("/") for path in related]

    def _load(self, part: str):
        """Parse one part; its objects go into ``self.objects``."""
        tree = self._parsed(part)
        self.objects[part] = {o.get("id", ""): self._object(o, part) for o in tree.iter("{*}object")}
        return tree

    def _parsed(self, part: str):
        if part not in self.names:
            raise self.source.error(f"damaged 3MF: its part '{part[:80]}' is missing", "export it again")
        info = self.archive.getinfo(self.names[part])
        refuse_bomb(self.source.path, info.file_size, info.compress_size)
        if info.flag_bits & 1:
            raise self.source.error("is protected by a password", "export it without one")
        try:
            data = self.archive.read(info)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zlib.error) as error:
            raise self.source.error(
                f"damaged 3MF: its archive cannot be unpacked ({error})", "copy it again"
            ) from error
        return parse_xml(self.source, data, "3MF")

    def _part(self, element, default: str | None = None) -> str:
        """The part that an item or component names (production extension's ``path``)."""
        path = next((value for key, value in element.attrib.items() if key.endswith("}path")), None)
        return path.lower().lstrip("/") if path else default or self.root

    def _transform(self, element) -> np.ndarray:
        matrix = np.eye(4)
        words = element.get("transform", "").split()
        if words:
            try:
                matrix[:3, :4] = np.array(words, dtype=np.float64).reshape(4, 3).T
            except ValueError as error:
                raise self.source.error("damaged 3MF: a transform has not 12 numbers", "export it again") from error
        return matrix

    def _object(self, element, part: str) -> _Object:
        result = _Object(element.get("name") or f"object {element.get('id', '')}")
        result.is_aid = element.get("type", "model") in _PRINTING_AIDS
        mesh = element.find("{*}mesh")
        if mesh is not None:
            result.vertices = self._numbers(mesh, "{*}vertices/{*}vertex", ("x", "y", "z"), np.float64)
            result.faces = self._numbers(mesh, "{*}triangles/{*}triangle", ("v1", "v2", "v3"), np.int64)
        for component in element.findall("{*}components/{*}component"):
            key = (self._part(component, part), component.get("objectid", ""))
            result.components.append((key, self._transform(component)))
        return result

    def _numbers(self, mesh, path: str, keys: tuple[str, str, str], dtype: type) -> np.ndarray:
        a, b, c = keys
        rows = [(e.get(a), e.get(b), e.get(c)) for e in mesh.iterfind(path)]
        try:
            return np.array(rows, dtype=object).astype(dtype).reshape(-1, 3)
        except (TypeError, ValueError) as error:
            what = path.rpartition("}")[2]
            raise self.source.error(f"damaged 3MF: a {what} is not three numbers", "export it again") from error

    def instances(self):
        """``Instance`` of every mesh that the build shows, components resolved."""
        items = self.items or [((self.root, key), np.eye(4)) for key in self.objects[self.root]]
        stack = [(key, matrix, 0) for key, matrix in reversed(items)]
        shown = visited = 0
        while stack:
            key, matrix, depth = stack.pop()
            visited += 1
            if depth > _DEEPEST or visited > _MOST_INSTANCES or shown > MOST_FACES:
                raise self.source.error(
                    "damaged 3MF: its components contain each other, or too many copies", "export it again"
                )
            item = self._find(key)
            if item.is_aid:
                self.left_out.append(item.name)
                continue
            if item.vertices is not None and item.faces is not None:
                shown += len(item.faces)
                yield Instance(item.name, item.vertices, item.faces, matrix)
            stack.extend((child, matrix @ own, depth + 1) for child, own in reversed(item.components))

    def _find(self, key: tuple[str, str]) -> _Object:
        part, identity = key
        if part not in self.objects:
            self._load(part)
        if identity not in self.objects[part]:
            raise self.source.error(
                f"damaged 3MF: object {identity[:40]} is referred to but missing", "export it again"
            )
        return self.objects[part][identity]
