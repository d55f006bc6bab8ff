"""A menu entry, an icon and file types where the system keeps them for this user, and taking them away again.

Linux follows freedesktop.org's Desktop Entry, Icon Theme and Shared MIME-info specifications. The entries for Windows
and macOS follow the vendors' documents; nobody has tried them here.
"""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from data.errors import DrivAerError
from data.replacing import replacing
from drivaer_app.paths import RESOURCES

ICON = RESOURCES / "icons" / "drivaer.svg"
STUDY_TYPE = "application/x-drivaer-study"
MESH_TYPES = {
    ".stl": "model/stl",
    ".obj": "model/obj",
    ".ply": "model/ply",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".3mf": "model/3mf",
    ".dae": "model/vnd.collada+xml",
    ".vtp": "application/vnd.vtk.polydata+xml",
}
"""Meshes that the window offers to open; their own programs stay the first choice."""

_NAME, _COMMENT = "drivaer", "Drag of cars from their meshes"
_WINDOWS_CLASSES = r"Software\Classes"


@dataclass(frozen=True)
class DesktopEntry:
    """What was put where. files: in the order that they were made. tried: False where nobody has tried it here."""

    files: tuple[Path, ...]
    tried: bool


def window_command() -> list[str]:
    """What opens the window: the installed command, or this Python on the checkout's main.py."""
    main = RESOURCES.parent / "main.py"
    if main.is_file():
        return [sys.executable, str(main), "window"]
    script = Path(sys.executable).with_name("drivaer.exe" if os.name == "nt" else "drivaer")
    if script.is_file():
        return [str(script), "window"]
    return [sys.executable, "-c", "import sys; from drivaer_app.cli.app import main; sys.exit(main())", "window"]


def install() -> DesktopEntry:
    """Put the entry where this user's desktop looks for it. Raises DrivAerError where it cannot be written."""
    if sys.platform == "win32":
        return DesktopEntry(_install_windows(), tried=False)
    if sys.platform == "darwin":
        return DesktopEntry(_install_mac(), tried=False)
    return DesktopEntry(_install_linux(), tried=True)


def uninstall() -> DesktopEntry:
    """Take away what ``install`` made, and nothing else. files: that were there."""
    if sys.platform == "win32":
        return DesktopEntry(_uninstall_windows(), tried=False)
    if sys.platform == "darwin":
        bundle = _mac_bundle()
        found = (bundle,) if bundle.exists() else ()
        shutil.rmtree(bundle, ignore_errors=True)
        return DesktopEntry(found, tried=False)
    found = tuple(path for path in _linux_files() if path.exists())
    for path in found:
        _writing(path, path.unlink)
    _refresh()
    return DesktopEntry(found, tried=True)


# Linux ------------------------------------------------------------------------------------------------------------


def _data_home() -> Path:
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home() / ".local" / "share"


def _linux_files() -> tuple[Path, Path, Path]:
    home = _data_home()
    return (
        home / "icons" / "hicolor" / "scalable" / "apps" / "drivaer.svg",
        home / "mime" / "packages" / "drivaer.xml",
        home / "applications" / "drivaer.desktop",
    )


def _install_linux() -> tuple[Path, ...]:
    files = _linux_files()
    for path, text in zip(files, (ICON.read_text("utf-8"), mime_package(), desktop_entry()), strict=True):
        _write(path, text)
    _refresh()
    return files


def desktop_entry() -> str:
    """The text of ``drivaer.desktop``."""
    command = " ".join(_quoted(word) for word in window_command())
    types = ";".join((STUDY_TYPE, *MESH_TYPES.values()))
    return (
        "[Desktop Entry]\nType=Application\nVersion=1.4\n"
        f"Name={_NAME}\nGenericName=Aerodynamic Surrogate\nComment={_COMMENT}\n"
        f"Exec={command} %F\nIcon=drivaer\nTerminal=false\nCategories=Science;Engineering;\n"
        f"MimeType={types};\nStartupWMClass=drivaer\n"
    )


def _quoted(word: str) -> str:
    """A word of a desktop entry's Exec: in double quotes, what is special in them escaped, per cent signs doubled."""
    escaped = "".join("\\" + letter if letter in '"`$\\' else letter for letter in word).replace("%", "%%")
    # The value is a string of the entry too, in which a backslash is written twice.
    return f'"{escaped}"'.replace("\\", "\\\\")


def mime_package() -> str:
    """Studies, and those meshes that the shared database may not know."""
    rows = [(STUDY_TYPE, "drivaer study", ".drivaer"), *((kind, "3D mesh", end) for end, kind in MESH_TYPES.items())]
    types = "".join(
        f'  <mime-type type="{kind}">\n    <comment>{comment}</comment>\n    <glob pattern="*{end}"/>\n'
        + ('    <icon name="drivaer"/>\n' if kind == STUDY_TYPE else "")
        + "  </mime-type>\n"
        for kind, comment, end in rows
    )
    space = "http://www.freedesktop.org/standards/shared-mime-info"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<mime-info xmlns="{space}">\n{types}</mime-info>\n'


def _refresh() -> None:
    """Make the desktop's caches anew where it has the programs for it; else it looks at the next login."""
    home = _data_home()
    for program, folder in (("update-mime-database", "mime"), ("update-desktop-database", "applications")):
        if shutil.which(program) and (home / folder).is_dir():
            subprocess.run([program, str(home / folder)], capture_output=True, check=False)


# macOS ------------------------------------------------------------------------------------------------------------


def _mac_bundle() -> Path:
    return Path.home() / "Applications" / "drivaer.app"


def _install_mac() -> tuple[Path, ...]:
    contents = _mac_bundle() / "Contents"
    script = contents / "MacOS" / "drivaer"
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in window_command())
    _write(script, f'#!/bin/sh\nexec {words} "$@"\n')
    script.chmod(0o755)
    _write(contents / "Info.plist", plistlib.dumps(mac_properties()).decode())
    return (_mac_bundle(),)


def mac_properties() -> dict[str, object]:
    """The bundle's Info.plist: Launch Services' keys, as Apple's Information Property List reference has them."""
    documents = [
        {"CFBundleTypeName": name, "CFBundleTypeExtensions": ends, "CFBundleTypeRole": role, "LSHandlerRank": rank}
        for name, ends, role, rank in (
            ("drivaer study", ["drivaer"], "Editor", "Owner"),
            ("3D mesh", [end.lstrip(".") for end in MESH_TYPES], "Viewer", "Alternate"),
        )
    ]
    return {
        "CFBundleName": _NAME,
        "CFBundleIdentifier": "io.github.drivaer",
        "CFBundleExecutable": "drivaer",
        "CFBundlePackageType": "APPL",
        "CFBundleDocumentTypes": documents,
    }


# Windows ----------------------------------------------------------------------------------------------------------


def _windows_keys() -> dict[str, str]:
    """Registry keys below HKEY_CURRENT_USER\\Software\\Classes, and their default values."""
    command = " ".join(f'"{word}"' for word in window_command()) + ' "%1"'
    keys = {"drivaer.study": "drivaer study", r"drivaer.study\shell\open\command": command, ".drivaer": "drivaer.study"}
    keys |= {r"Applications\drivaer.exe\shell\open\command": command}
    return keys | {rf"{end}\OpenWithProgids\drivaer.study": "" for end in MESH_TYPES}


def _install_windows() -> tuple[Path, ...]:
    import winreg

    for key, value in _windows_keys().items():
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{_WINDOWS_CLASSES}\{key}") as opened:
            winreg.SetValueEx(opened, "", 0, winreg.REG_SZ, value)
    shortcut = _windows_shortcut()
    first, *rest = window_command()
    _write(shortcut, f'@start "" "{first}" ' + " ".join(f'"{word}"' for word in rest) + " %*\r\n")
    return (shortcut,)


def _uninstall_windows() -> tuple[Path, ...]:
    import winreg

    # A key has to be empty before it goes: the deepest first.
    for key in sorted([*_windows_keys(), *_windows_parents()], key=len, reverse=True):
        try:
            winreg.DeleteKey(winreg.HKEY_CURRENT_USER, rf"{_WINDOWS_CLASSES}\{key}")
        except OSError:  # not there, or another program has put something into it
            continue
    shortcut = _windows_shortcut()
    found = (shortcut,) if shortcut.exists() else ()
    shortcut.unlink(missing_ok=True)
    return found


def _windows_parents() -> list[str]:
    ours = ("drivaer.study", r"Applications\drivaer.exe")
    return [rf"{key}\{below}" for key in ours for below in ("shell", r"shell\open")] + [ours[1]]


def _windows_shortcut() -> Path:
    menu = Path(os.environ.get("APPDATA", Path.home())) / "Microsoft" / "Windows" / "Start Menu" / "Programs"
    return menu / "drivaer.cmd"


# Files ------------------------------------------------------------------------------------------------------------


def _write(path: Path, text: str) -> None:
    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")

    _writing(path, write)


def _writing(path: Path, act) -> None:
    try:
        act()
    except OSError as error:
        raise DrivAerError(f"cannot be written ({error.strerror or error})", file=path) from error
