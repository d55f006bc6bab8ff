"""The scripts that measure and that write the docs' tables: a refactoring must not leave one behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(p.stem for p in (ROOT / "benchmarks").glob("*.py") if "__main__" in p.read_text("utf-8"))

# One process for all: they share what is slow to import, and none of it stays in the tests' own process.
_ASK_FOR_HELP = """
import contextlib, importlib, io, json, sys, traceback
answers = {}
for name in sys.argv[1:]:
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            module = importlib.import_module(f"benchmarks.{name}")
            sys.argv = [f"{name}.py", "--help"]
            module.main()
        answers[name] = "it ran instead of showing its help"
    except SystemExit as end:
        first = module.__doc__.strip().splitlines()[0]
        answers[name] = "" if not end.code and first[:30] in shown.getvalue() else shown.getvalue() or str(end)
    except Exception:
        answers[name] = traceback.format_exc()
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    command = [sys.executable, "-c", _ASK_FOR_HELP, *SCRIPTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_imports_and_shows_its_help(answers, script):
    assert answers[script] == ""
