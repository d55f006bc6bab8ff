"""Fill the README's example and accuracy table from the bundled model: `python benchmarks/readme.py`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402
from factory.card import accuracy_tables  # noqa: E402
from gnn.checkpoints import METRICS  # noqa: E402

README = ROOT / "README.md"
MODEL = ROOT / "resources" / "models" / "drivaer"
EXAMPLE = "resources/samples/estate.stl"


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    replace_between("example", f"```\n{_example()}```", README)
    replace_between("accuracy", accuracy_tables(json.loads((MODEL / METRICS).read_text("utf-8"))), README)


def _example() -> str:
    command = [sys.executable, "main.py", "predict", EXAMPLE, "--picture", "docs/estate.png"]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, encoding="utf-8")
    return "\n".join(line.rstrip() for line in run.stdout.strip("\n").splitlines()) + "\n"


if __name__ == "__main__":
    main()
