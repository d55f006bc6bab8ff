"""Which OpenFOAM is used, and what is said where there is none."""

from __future__ import annotations

import os
import sys

import pytest

from data.errors import DrivAerError
from drivaer_app.cfd import find

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="OpenFOAM installs are Unix folders")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A system without OpenFOAM, but with bash."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "env"):
        target = next(f"{place}/{tool}" for place in ("/bin", "/usr/bin") if os.path.exists(f"{place}/{tool}"))
        (tools / tool).symlink_to(target)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("WM_PROJECT_DIR", raising=False)
    monkeypatch.setattr(find, "_FOLDERS", (str(tmp_path / "opt"),))
    return tmp_path


def install(root, name, version, programs=find.PROGRAMS):
    """A folder laid out as an install is, its programs empty."""
    project = root / "opt" / name
    (project / "etc").mkdir(parents=True)
    (project / "bin").mkdir()
    for program in programs:
        (project / "bin" / program).touch(mode=0o755)
    (project / "etc" / "bashrc").write_text(
        f'export WM_PROJECT_VERSION={version}\nexport WM_PROJECT_DIR="{project}"\nexport PATH="{project}/bin:$PATH"\n'
    )
    return project


def test_none_is_one_line_that_says_how_to_get_it(bare):
    with pytest.raises(DrivAerError, match="OpenFOAM, which solves the flow, is not installed") as missing:
        find.find_openfoam()
    assert "install" in missing.value.fix


def test_debians_users_see_which_package_to_install(bare, monkeypatch):
    monkeypatch.setattr(find, "_os_release", lambda: "id=debian")
    monkeypatch.setattr(find.sys, "platform", "linux")
    assert "sudo apt install openfoam" in find.how_to_install()


def test_an_esi_install_is_found_with_its_environment(bare):
    project = install(bare, "openfoam2312", "v2312")
    found = find.find_openfoam()
    assert (found.flavour, found.version, found.project) == ("ESI", "2312", project)
    assert found.program("simpleFoam") == str(project / "bin" / "simpleFoam")
    assert "untested" in found.warnings[0]


def test_the_newest_of_several_is_taken(bare):
    install(bare, "openfoam2206", "v2206")
    install(bare, "openfoam2312", "v2312")
    assert find.find_openfoam().version == "2312"


def test_the_shells_own_comes_first(bare, monkeypatch):
    install(bare, "openfoam2312", "v2312")
    monkeypatch.setenv("WM_PROJECT_DIR", str(install(bare, "openfoam2206", "v2206")))
    assert find.find_openfoam().version == "2206"


def test_the_foundations_is_refused_by_name(bare):
    install(bare, "openfoam11", "11")
    with pytest.raises(DrivAerError, match=r"OpenFOAM 11 \(Foundation\) .* speaks another dialect"):
        find.find_openfoam()


def test_one_without_a_mesher_says_what_it_lacks(bare):
    install(bare, "openfoam2312", "v2312", programs=("simpleFoam", "blockMesh"))
    with pytest.raises(DrivAerError, match="lacks snappyHexMesh"):
        find.find_openfoam()
