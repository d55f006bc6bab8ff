"""Our mesh readers against trimesh's: `python benchmarks/readers.py --write docs/readers.md`.

For OBJ, OFF, glTF, 3MF and COLLADA, whose readers are our own: every file that the project has of them, sound and bad
ones, through ours and through trimesh's loader with our checks around it. As right means: the same triangles in the
same places with the same vertices in the same order, or an error where ours has one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.faults import faults  # noqa: E402
from benchmarks.marks import show_rows  # noqa: E402
from benchmarks.mesh_files import write_all  # noqa: E402
from data.errors import MeshError  # noqa: E402
from data.formats import _check, read_mesh  # noqa: E402
from data.formats.source import mesh_suffix, open_source  # noqa: E402
from data.mesh import RawMesh  # noqa: E402

SHARED = ROOT.parent / "shared"
SUFFIXES = {".obj": "OBJ", ".off": "OFF", ".glb": "glTF", ".gltf": "glTF", ".3mf": "3MF", ".dae": "COLLADA"}
_SCENE = (".glb", ".gltf", ".3mf", ".dae")


@dataclass(frozen=True)
class Verdict:
    """What trimesh makes of a file. kind: same, order (same triangles, other vertices), other, refused, accepted."""

    kind: str
    why: str = ""


def by_trimesh(path: Path) -> RawMesh:
    """What trimesh's loader makes of a file, as exactly as it can be asked to, with our checks around it."""
    import trimesh

    source = open_source(path)
    try:
        options = {"process": False, "maintain_order": True}
        if path.suffix == ".obj":
            options |= {"skip_materials": True, "split_objects": False, "group_material": False}
        loaded = trimesh.load_scene(path, **options) if path.suffix in _SCENE else trimesh.load_mesh(path, **options)
        mesh = loaded.to_mesh() if hasattr(loaded, "to_mesh") else loaded
        raw = RawMesh(np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int32), path)
    except MeshError:
        raise
    except Exception as error:
        raise MeshError(f"{type(error).__name__}: {error}", file=path) from error
    _check(source, raw)
    return raw


def verdict(path: Path) -> Verdict:
    ours, theirs = _try(read_mesh, path), _try(by_trimesh, path)
    if isinstance(ours, MeshError):
        return Verdict("refused") if isinstance(theirs, MeshError) else Verdict("accepted", ours.what[:70])
    if isinstance(theirs, MeshError):
        return Verdict("other", f"refused: {theirs.what[:60]}")
    if ours.faces.shape == theirs.faces.shape and ours.vertices.shape == theirs.vertices.shape:
        close = np.allclose(ours.vertices, theirs.vertices, atol=1e-6 * np.ptp(ours.vertices))
        if close and (ours.faces == theirs.faces).all():
            return Verdict("same")
    if len(ours.faces) == len(theirs.faces) and _alike(ours, theirs):
        return Verdict("order", f"{len(theirs.vertices)} vertices instead of {len(ours.vertices)}, or in another order")
    return Verdict("other", f"{len(theirs.faces)} faces instead of {len(ours.faces)}, or elsewhere")


def _try(read, path: Path) -> RawMesh | MeshError:
    try:
        return read(path)
    except MeshError as error:
        return error


def _alike(a: RawMesh, b: RawMesh) -> bool:
    """Whether two meshes have the same triangles in whatever order."""
    size = np.ptp(a.vertices)
    centres = []
    for mesh in (a, b):
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        centres.append(middle[np.lexsort(np.round(middle / size, 5).T)])
    return np.allclose(*centres, atol=2e-5 * size)


def _files(folder: Path) -> Iterator[Path]:
    sound = write_all(folder)
    yield from sound.values()
    (folder / "bad").mkdir()
    for fault in faults(sound):
        if fault.content is not None:
            (folder / "bad" / fault.name).write_bytes(fault.content)
            yield folder / "bad" / fault.name
    for place in ("meshes", "cases/files"):
        yield from sorted((SHARED / place).rglob("*"))


def rows() -> Iterator[str]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    examples: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for path in _files(Path(folder)):
            kind = SUFFIXES.get(path.suffix.lower())
            if kind is None or mesh_suffix(path) != path.suffix.lower():
                continue
            found = verdict(path)
            counts[kind][found.kind] += 1
            if found.kind in ("order", "other", "accepted"):
                examples[kind].append(f"`{path.name}`: {found.why}")
    yield "| format | same | same, other vertices | wrong or refused | bad: refused | bad: accepted | such as |"
    yield "|---" * 7 + "|"
    for kind in dict.fromkeys(SUFFIXES.values()):
        n = counts[kind]
        numbers = " | ".join(str(n[name]) for name in ("same", "order", "other", "refused", "accepted"))
        yield f"| {kind} | {numbers} | {'; '.join(examples[kind][:4])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="MD")
    show_rows(rows(), parser.parse_args().write)


if __name__ == "__main__":
    main()
