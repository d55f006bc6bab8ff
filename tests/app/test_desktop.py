"""The menu entry and file types: where Linux desktops look for them, and gone without a trace."""

from __future__ import annotations

import configparser
import plistlib
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drivaer_app import desktop

linux = pytest.mark.skipif(sys.platform != "linux", reason="freedesktop.org's places")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    return tmp_path / "my data"


def entry_of(home: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(home / "applications" / "drivaer.desktop", encoding="utf-8")
    return parser["Desktop Entry"]


@linux
def test_the_entry_opens_studies_and_meshes_with_the_window(home):
    desktop.install()
    entry = entry_of(home)
    types = entry["MimeType"].split(";")
    assert desktop.STUDY_TYPE in types and "model/stl" in types
    command = shlex.split(entry["Exec"].replace("\\\\", "\\"))
    assert command == [*desktop.window_command(), "%F"]
    assert (home / "icons/hicolor/scalable/apps" / f"{entry['Icon']}.svg").is_file()


@linux
def test_the_command_of_the_entry_runs(home):
    desktop.install()
    command = shlex.split(entry_of(home)["Exec"].replace("\\\\", "\\"))[:-1]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, cwd=home)
    assert "Open the window" in done.stdout


@linux
def test_uninstalling_leaves_what_it_did_not_make(home):
    other = home / "applications" / "other.desktop"
    other.parent.mkdir(parents=True)
    other.write_text("[Desktop Entry]\n")
    desktop.install()
    removed = desktop.uninstall().files
    assert len(removed) == 3 and not any(path.exists() for path in removed)
    assert other.exists()
    assert desktop.uninstall().files == ()


def test_study_files_have_a_type_of_their_own():
    tree = ElementTree.fromstring(desktop.mime_package().split("\n", 1)[1])
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    globs = {kind.get("type"): kind.find(f"{space}glob").get("pattern") for kind in tree.iter(f"{space}mime-type")}
    assert globs[desktop.STUDY_TYPE] == "*.drivaer"
    assert set(globs) == {desktop.STUDY_TYPE, *desktop.MESH_TYPES.values()}


@pytest.mark.parametrize("word", ["/opt/my car/main.py", 'a"b', "50%", "$HOME", "back\\slash", "`x`"])
def test_any_path_survives_the_entrys_quoting(word):
    quoted = desktop._quoted(word).replace("\\\\", "\\")
    assert shlex.split(quoted)[0].replace("%%", "%").replace("\\$", "$").replace("\\`", "`") == word


def test_the_mac_bundle_names_the_files_that_it_opens():
    properties = plistlib.loads(plistlib.dumps(desktop.mac_properties()))
    ends = [end for kind in properties["CFBundleDocumentTypes"] for end in kind["CFBundleTypeExtensions"]]
    assert {"drivaer", "stl", "obj"} <= set(ends)
