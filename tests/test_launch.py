"""launch.py: what it decides, on real folders. The installation itself is what CI's fresh clone does."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OLD_PYTHONS = [path for name in ("python3.6", "python3.7", "python3.8", "python3.9") if (path := shutil.which(name))]


@pytest.fixture
def launch(tmp_path):
    """launch.py of a clone of its own in an empty folder, without its packages."""
    for name in ("launch.py", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    spec = importlib.util.spec_from_file_location("launch_under_test", tmp_path / "launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def with_venv(launch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(launch.VENV)], check=True)
    return launch


def test_an_old_python_gets_a_sentence_and_no_syntax_error():
    old = next((p for p in OLD_PYTHONS if subprocess.run([p, "-c", ""], capture_output=True).returncode == 0), None)
    if old is None:
        pytest.skip("needs a Python older than 3.10 on this machine")
    done = subprocess.run([old, str(ROOT / "launch.py")], capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert "needs Python 3.10 or newer" in done.stderr and "Traceback" not in done.stderr


def test_an_installed_environment_is_ready_and_a_changed_requirement_makes_it_not(with_venv):
    files = [with_venv.RUNTIME]
    assert not with_venv.is_ready(files)
    with_venv.write_marker(files)
    assert with_venv.is_ready(files)
    assert not with_venv.is_ready([with_venv.RUNTIME, with_venv.DEV])
    with open(with_venv.ROOT / with_venv.RUNTIME, "a") as file:
        file.write("another==1.0\n")
    assert not with_venv.is_ready(files)


@pytest.mark.parametrize(
    ("arguments", "opens"),
    [
        ([], True),
        (["window", "cars"], True),
        (["--debug"], True),
        (["predict", "window"], False),
        (["--help"], False),
        (["window", "--help"], False),
    ],
)
def test_what_the_window_loads_is_looked_for_only_where_one_opens(launch, arguments, opens):
    assert launch.opens_window(arguments) is opens


def test_what_tests_need_serves_the_program_too(with_venv):
    with_venv.write_marker([with_venv.RUNTIME, with_venv.DEV])
    assert with_venv.is_ready([with_venv.RUNTIME])


@pytest.mark.parametrize("damage", ["half-written marker", "another root", "no interpreter"])
def test_a_damaged_or_moved_environment_is_not_ready(with_venv, damage):
    with_venv.write_marker([with_venv.RUNTIME])
    text = with_venv.MARKER.read_text()
    if damage == "half-written marker":
        with_venv.MARKER.write_text(text[: len(text) // 2])
    elif damage == "another root":
        with_venv.MARKER.write_text(json.dumps({**json.loads(text), "root": "/elsewhere"}))
    else:
        with_venv.PYTHON.unlink()
    assert not with_venv.is_ready([with_venv.RUNTIME])


def test_an_environment_without_pip_does_not_count_as_working(with_venv):
    assert not with_venv.venv_works()


def test_a_half_installed_package_is_forgotten_and_a_whole_one_stays(with_venv):
    packages = with_venv.site_packages()
    for name in ("whole", "torn", "unrecorded"):
        info = packages / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\n")
        (packages / f"{name}.py").write_text("")
        if name != "unrecorded":
            (info / "RECORD").write_text(f"{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n{name}.pyc,,\n")
    (packages / "torn.py").unlink()
    with_venv.forget_half_installed()
    assert [p.name for p in sorted(packages.glob("*.dist-info"))] == ["whole-1.0.dist-info"]


def test_a_second_installation_waits_for_the_first(launch):
    with launch.locked():
        probe = (
            f"import sys; sys.path.insert(0, {str(launch.ROOT)!r}); import launch; "
            "print(launch.try_lock(open(launch.LOCK, 'a+b')))"
        )
        held = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout
    free = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout
    assert (held.strip(), free.strip()) == ("False", "True")


def test_pip_settings_reach_uv(launch):
    settings = {
        "find-links": "/wheels",
        "extra-index-url": "https://one.example/simple https://two.example/simple",
        "index-url": "https://pypi.example/simple",
    }
    options = launch.uv_options(settings)
    assert options.count("--extra-index-url") == 2
    assert options[options.index("--find-links") + 1] == "/wheels"
    assert options[options.index("--index-url") + 1] == "https://pypi.example/simple"
    assert options[-2:] == ["--index-strategy", "unsafe-best-match"]


def test_pip_settings_are_read_from_its_variables_and_files(launch, monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nfind-links = /from/file\n    /and/more\nindex-url = https://a.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://b.example")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setattr(launch, "PYTHON", Path(sys.executable))
    settings = launch.pip_settings()
    assert settings["index-url"] == "https://b.example"
    assert settings["find-links"].split() == ["/from/file", "/and/more"]


@pytest.mark.skipif(sys.platform != "linux", reason="only torch for Linux brings CUDA along")
def test_a_machine_configured_where_to_find_packages_keeps_to_it(with_venv):
    assert not with_venv.wants_cpu_torch({"index-url": "https://mirror.example/simple"})
    assert not with_venv.wants_cpu_torch({"find-links": "/wheels"})


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="needs Debian's package list")
def test_missing_system_packages_are_distinguished_from_installed_ones(launch):
    assert launch.missing_packages(["dpkg", "no-such-package"]) == ["no-such-package"]


@pytest.mark.skipif(os.name == "nt", reason="there the command is a child process")
def test_all_of_launch_output_goes_to_stderr(launch):
    done = subprocess.run(
        [sys.executable, "-c", "import launch; launch.say('hello')"], cwd=launch.ROOT, capture_output=True
    )
    assert done.stdout == b"" and b"hello" in done.stderr
