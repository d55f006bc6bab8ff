"""What ``pip install`` makes: one package on top, ours within it, in a working folder with files of the same names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PathDistribution, packages_distributions
from pathlib import Path

import pytest

import drivaer
import hatch_build
from data.extras import MODULES
from tests.own_names import ROOT, folder_of_same_names, run_in

LAYERS = {"data", "gnn", "drivaer_app", "main", "resources", "factory", "tests", "benchmarks"}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    return folder_of_same_names(tmp_path_factory.mktemp("same_names"))


@pytest.fixture(scope="module")
def car(tmp_path_factory, make_cars):
    (file,) = make_cars(tmp_path_factory.mktemp("cars"), 1)
    return file


@pytest.fixture
def installed(site, there):
    """Runs ``python -m drivaer`` in the folder, as the console script does; the folder comes first on sys.path."""
    return lambda *words: run_in(there, "-m", "drivaer", *words, PYTHONPATH=str(site))


def test_one_name_is_installed_on_top(site):
    names = {path.name for path in site.iterdir()} - {"bin", "Scripts"}
    assert {name for name in names if not name.endswith(".dist-info")} == {"drivaer"}
    assert {path.name for path in (site / "drivaer").iterdir()} - {"__init__.py", "__main__.py", "py.typed"} == set(
        hatch_build.FOLDERS
    )


def test_what_only_a_checkout_needs_stays_out(site):
    assert (site / "drivaer" / "resources" / "models" / "drivaer" / "config.json").is_file()
    assert not (site / "drivaer" / "resources" / "corpus").exists()
    (info,) = site.glob("*.dist-info")
    assert {"LICENSE", "NOTICE"} <= {path.name for path in (info / "licenses").iterdir()}


def test_every_module_imports_from_within_the_package(site, tmp_path):
    program = (
        "import importlib, pkgutil, sys, drivaer\n"
        "for module in pkgutil.walk_packages(drivaer.__path__, 'drivaer.'):\n"
        "    if not module.name.endswith('__main__') and 'gpu_kernels' not in module.name:\n"
        "        importlib.import_module(module.name)\n"
        "print(*sys.modules)"
    )
    done = run_in(tmp_path, "-c", program, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1].split()
    assert "drivaer.drivaer_app.ui.window" in loaded and "drivaer.gnn.surrogate" in loaded
    assert not LAYERS.intersection(loaded)


# This and the next are slow because each is a process that starts from nothing and predicts a car.
def test_it_predicts_as_the_checkout_does(installed, car):
    done = installed("predict", car, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    expected = drivaer.predict(car).record()
    assert {**expected, "seconds": answer["seconds"], "file": str(car), "status": "ok"} == answer


def test_workers_of_a_batch_find_it(installed, car, tmp_path):
    done = installed("batch", car.parent, "-o", tmp_path / "results", "-j", 1)
    assert done.returncode == 0, done.stderr


def test_spawned_workers_find_it(installed, car, tmp_path):
    shutil.copytree(car.parent, tmp_path / "corpus")
    (tmp_path / "corpus" / "labels.csv").write_text("design,cd\ncar_00,0.3\n")
    for command, *options in (["scan"], ["prepare", "--points", 512, "--workers", 1]):
        done = installed("data", command, tmp_path / "corpus", *options)
        assert done.returncode == 0, done.stderr


def test_a_scripts_own_data_module_stays_its_own(site, car, tmp_path):
    (tmp_path / "data.py").write_text("mine = 42\n")
    # Reading a mesh takes our own ``data``; a prediction would load the networks besides, and ask nothing more.
    program = f"import data, drivaer; print(drivaer.load({str(car)!r}).frontal_area > 0, data.mine)"
    done = run_in(tmp_path, "-c", program, PYTHONPATH=str(site))
    assert done.stdout == "True 42\n", done.stderr


def test_the_console_script_says_the_version(site, tmp_path):
    script = next(path for folder in ("bin", "Scripts") if (path := site / folder / "drivaer").is_file())
    done = run_in(tmp_path, script, "--version", PYTHONPATH=str(site))
    assert done.stdout == f"drivaer {drivaer.__version__}\n", done.stderr


@pytest.fixture(scope="module")
def bare(site, tmp_path_factory):
    """The wheel's and this environment's packages, without those that extras bring."""
    folder = tmp_path_factory.mktemp("bare")
    extras = {module for modules in MODULES.values() for module in modules}
    try:
        for place in (site, Path(sysconfig.get_path("purelib"))):
            for path in place.iterdir():
                if path.name not in extras and path.suffix != ".pth" and not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)
    except OSError:
        pytest.skip("needs symbolic links")
    return folder


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("window", ["window"]),
        ("report", ["report", "{folder}", "-o", "report.html"]),
        ("train", ["train", "--corpus", "{folder}", "--model", "drag", "--name", "mine"]),
        ("train", ["data", "export", "table.parquet", "{folder}"]),
        ("cluster", ["batch", "{folder}", "-o", "results", "--scheduler", "tcp://127.0.0.1:1"]),
        ("onnx", ["models", "export", "drivaer", "-o", "model.onnx"]),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(bare, car, tmp_path, extra, words):
    shutil.copy(car, tmp_path)
    (tmp_path / "labels.csv").write_text("design,cd\ncar_00,0.3\n")
    base = getattr(sys, "_base_executable", sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(bare), "XDG_DATA_HOME": str(tmp_path)}

    def run(*words):
        command = [base, "-S", "-m", "drivaer", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    if words[0] == "data":
        assert run("data", "scan", str(tmp_path)).returncode == 0
    done = run(*(word.format(folder=tmp_path) for word in words))
    assert done.returncode != 0
    assert f"pip install 'drivaer[{extra}]'" in done.stderr.splitlines()[-1], done.stderr
    assert "Traceback" not in done.stderr


def test_a_bare_installation_predicts(bare, car, tmp_path):
    base = getattr(sys, "_base_executable", sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(bare)}
    command = [base, "-S", "-m", "drivaer", "predict", str(car), "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_extras_bring_the_modules_that_are_looked_for(wheel, site):
    (info,) = site.glob("*.dist-info")
    wanted = [line for line in PathDistribution(info).requires or () if "extra ==" in line]
    of_module = packages_distributions()
    for extra, modules in MODULES.items():
        brought = {_plain(line) for line in wanted if f"extra == '{extra}'" in line.replace('"', "'")}
        for module in modules:
            if module in of_module:  # ONNX's are not installed for every Python
                assert brought & {_plain(name) for name in of_module[module]}, (extra, module)


def _plain(requirement: str) -> str:
    """The package's name alone, as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def test_a_type_checker_knows_what_comes_back(site, tmp_path):
    pytest.importorskip("mypy", reason="needs mypy (requirements-dev.txt)")
    program = (
        "import drivaer\n"
        "prediction = drivaer.predict('car.stl', units='mm')\n"
        "reveal_type(prediction)\nreveal_type(prediction.cd)\nreveal_type(drivaer.load('car.stl').frontal_area)\n"
        "drivaer.predict('car.stl', unit='mm')\n"
    )
    (tmp_path / "script.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--no-site-packages", "--ignore-missing-imports", "script.py"]
    environment = {**os.environ, "MYPYPATH": str(site)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.count('Revealed type is "float"') + done.stdout.count('Revealed type is "builtins.float"') == 2
    assert "drivaer.drivaer_app.predict.Prediction" in done.stdout
    assert 'Unexpected keyword argument "unit"' in done.stdout


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("from data.mesh import CarMesh", "from drivaer.data.mesh import CarMesh"),
        ("    from  gnn import load_published", "    from  drivaer.gnn import load_published"),
        ("from database import x", "from database import x"),
        ("from . import data", "from . import data"),
        ('text = "from data.mesh import CarMesh"', 'text = "from data.mesh import CarMesh"'),
    ],
)
def test_only_imports_of_ours_are_rewritten(line, becomes):
    source = f"if True:\n    pass\n{line}\n" if not line.startswith(" ") else f"if True:\n{line}\n"
    assert hatch_build.rewritten(source, "x.py") == source.replace(line, becomes)


@pytest.mark.parametrize(
    "line",
    [
        "import data",
        "import gnn.surrogate as s",
        'run("drivaer_app.engine_process")',
        'load(f"data.formats.{name}")',
    ],
)
def test_a_name_that_cannot_be_rewritten_ends_the_build(line):
    with pytest.raises(hatch_build.CannotRewrite, match=r"x.py:1"):
        hatch_build.rewritten(line + "\n", "x.py")


def test_the_checkout_has_no_such_name(tmp_path):
    assert hatch_build.write_package(ROOT, tmp_path)
