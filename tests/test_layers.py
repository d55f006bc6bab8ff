"""The arrows between the packages, and what start-up must not load."""

import subprocess
import sys
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
