"""The arrows between the packages, and what start-up must not load."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "open3d", "vtkmodules", "pyvista", "trimesh", "scipy", "numpy", "sklearn", "PIL", "manifold3d"}


def test_imports_keep_the_arrows_of_the_house():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_loads_nothing_heavy():
    program = "import sys; from drivaer_app.cli.app import main; main(['predict', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "typer" in loaded
    assert not loaded & HEAVY
