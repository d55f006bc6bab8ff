"""What `pip` builds: one package ``drivaer`` that holds all, as `data` or `main` on top would be names of others too.

In a checkout ``data``, ``gnn``, ``drivaer_app`` and ``resources`` lie on top, beside the door ``drivaer.py``. The wheel
has the same files within ``drivaer``: ``drivaer.py`` is its ``__init__``, ``main.py`` its ``__main__``, and ``from
data.mesh import CarMesh`` becomes ``from drivaer.data.mesh import CarMesh``. What cannot be rewritten so, such as a
module's name in a string, ends the build with the line that it stands in.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = "drivaer"
LAYERS = ("data", "gnn", "drivaer_app")
FOLDERS = (*LAYERS, "resources")
RENAMED = {"drivaer.py": "__init__.py", "main.py": "__main__.py"}
_OURS = re.compile(rf"({'|'.join(LAYERS)})(\.\w+)*")
CORPUS = ("resources", "corpus")
"""What the bundled model learnt from: of a checkout only, see drivaer_app.paths.built_in_corpus."""


class CannotRewrite(ValueError):
    """A line whose names of our modules would be wrong within the package."""


def rewritten(source: str, file: str) -> str:
    """The source with imports of our packages from within ``drivaer``. Raises CannotRewrite; file: for that."""
    lines = source.encode().splitlines(keepends=True)  # ast counts columns in bytes
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _OURS.fullmatch(node.module or ""):
            row, column = node.lineno - 1, node.col_offset
            line = lines[row]
            changed = re.sub(rb"from(\s+)", rb"from\g<1>" + f"{PACKAGE}.".encode(), line[column:], count=1)
            lines[row] = line[:column] + changed
        else:
            _check(node, file)
    return b"".join(lines).decode()


def _check(node: ast.AST, file: str) -> None:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        names = [node.value] if "." in node.value else []
    elif isinstance(node, ast.JoinedStr):
        start = node.values[0] if node.values else None
        text = start.value if isinstance(start, ast.Constant) else ""
        names = [text.rstrip(".")] if text.endswith(".") else []
    else:
        return
    for name in names:
        if _OURS.fullmatch(name) and (isinstance(node, (ast.Import, ast.JoinedStr)) or _is_module(name)):
            raise CannotRewrite(f"{file}:{node.lineno}: write 'from ... import ...' or a relative name, not {name}")


def _is_module(name: str) -> bool:
    """Whether the checkout has such a module."""
    place = Path(__file__).resolve().parent.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def wheel_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Files of the checkout at ``root``, and where they go."""
    for name, place in RENAMED.items():
        yield root / name, f"{PACKAGE}/{place}"
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            own = path.relative_to(root)
            if path.is_file() and "__pycache__" not in own.parts and own.parts[:2] != CORPUS:
                yield path, f"{PACKAGE}/{own.as_posix()}"


def write_package(root: Path, out: Path) -> dict[str, str]:
    """Rewrite what is Python into the folder ``out``. Returns source -> place in the wheel, of all files."""
    places = {}
    for path, place in wheel_files(root):
        if path.suffix == ".py":
            copy = out / place
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = rewritten(path.read_text("utf-8"), path.relative_to(root).as_posix())
            copy.write_text(text, "utf-8", newline="\n")
            path = copy
        places[str(path)] = place
    marker = out / PACKAGE / "py.typed"  # PEP 561: type checkers read our annotations
    marker.write_text("")
    places[str(marker)] = f"{PACKAGE}/py.typed"
    return places


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # the tests look at the functions above, without the build tool
    pass
else:

    class PackageHook(BuildHookInterface):
        """Called by hatchling (``tool.hatch.build.targets.wheel.hooks.custom``)."""

        PLUGIN_NAME = "custom"

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if version == "editable":  # the checkout itself, by its path
                return
            self._folder = Path(self.directory, ".rewritten")
            shutil.rmtree(self._folder, ignore_errors=True)
            build_data["force_include"].update(write_package(Path(self.root), self._folder))

        def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
            if version != "editable":
                shutil.rmtree(self._folder)
