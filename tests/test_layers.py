"""The arrows between the packages, the names of classes, and what start-up must not load."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "open3d", "vtkmodules", "pyvista", "trimesh", "scipy", "numpy", "sklearn", "PIL", "manifold3d"}
HEAVY |= {"distributed", "jinja2", "reportlab", "xlsxwriter"}


def test_imports_keep_the_arrows_of_the_house():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["predict", "batch", "rank", "report", "compare"])
def test_help_loads_nothing_heavy(command):
    program = f"import sys; from drivaer_app.cli.app import main; main(['{command}', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_no_two_classes_of_the_program_have_one_name():
    places = defaultdict(list)
    for package in ("data", "gnn", "drivaer_app", "factory"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(file.relative_to(ROOT).as_posix())
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
