"""Which OpenFOAM is installed, and how its programs are started.

Three families of installs are known: Debian's and Ubuntu's own package (programs on the PATH, its files in
/usr/share/openfoam), ESI's (openfoam.com, versions v1906 to v2512) and the OpenFOAM Foundation's (openfoam.org,
versions 7 to 13). The cases are written in the dialect that the first two share.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from data.errors import DrivAerError

PROGRAMS = ("blockMesh", "snappyHexMesh", "checkMesh", "simpleFoam", "postProcess")
"""What a simulation cannot do without."""

_OLDEST = 1906  # whose function objects write what drivaer_app.cfd.read reads
TESTED = "1912"

DEBIAN_PROJECT = Path("/usr/share/openfoam")
_FOLDERS = ("/usr/lib/openfoam", "/opt", "/opt/OpenFOAM", "~/OpenFOAM", "/usr/local/OpenFOAM")


@dataclass(frozen=True)
class Installation:
    """One OpenFOAM. flavour: ``Debian``, ``ESI`` or ``Foundation``. version: ``1912``, ``2312``, ``11`` ...

    project: its folder (WM_PROJECT_DIR). environment: what its programs need to be started with.
    """

    flavour: str
    version: str
    project: Path
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """In words: ``OpenFOAM v1912 (Debian)``."""
        mark = "" if self.flavour == "Foundation" else "v"
        return f"OpenFOAM {mark}{self.version} ({self.flavour})"

    @property
    def place(self) -> str:
        """The name with where it lies."""
        return f"{self.name} in {self.project}"

    @property
    def warnings(self) -> tuple[str, ...]:
        if self.version == TESTED:
            return ()
        return (f"the cases are tested with OpenFOAM v{TESTED}; v{self.version} speaks the same dialect, untested",)

    def program(self, name: str) -> str:
        """Full path of one of its programs. Raises DrivAerError where it lacks."""
        path = shutil.which(name, path=self.environment.get("PATH", ""))
        if path is None:
            raise DrivAerError(f"{self.place} has no program {name}", fix="install OpenFOAM again; this one is damaged")
        return path

    def refusal(self) -> str:
        """Why this one cannot be used, or nothing."""
        if self.flavour == "Foundation":
            return (
                f"{self.place} speaks another dialect (its own solver names and dictionaries since version 7) than "
                "these cases, which are written for openfoam.com's and Debian's"
            )
        if self.version.isdigit() and int(self.version) < _OLDEST:
            return f"{self.place} is older than v{_OLDEST}, the oldest one whose results can be read"
        missing = [name for name in PROGRAMS if shutil.which(name, path=self.environment.get("PATH", "")) is None]
        return f"{self.place} lacks {', '.join(missing)}" if missing else ""


def find_openfoam() -> Installation:
    """The install to use: the one of the shell's environment first, then the system's package, then the newest.

    Raises DrivAerError which says what was found and refused, or how to install one on this system.
    """
    refused = []
    for installation in installations():
        reason = installation.refusal()
        if not reason:
            return installation
        refused.append(reason)
    if refused:
        raise DrivAerError("; ".join(refused), fix=how_to_install())
    raise DrivAerError("OpenFOAM, which solves the flow, is not installed", fix=how_to_install())


def installations() -> Iterator[Installation]:
    """All installs that can be found, the likeliest to be meant first; none twice."""
    seen = set()
    for project in _projects():
        key = project.resolve()
        if key in seen:
            continue
        seen.add(key)
        installation = _installation(project)
        if installation is not None:
            yield installation


def how_to_install() -> str:
    """What to type on this system to get OpenFOAM."""
    if sys.platform == "win32":
        return (
            "OpenFOAM runs on Linux: open WSL (wsl --install), there type 'sudo apt install openfoam' and use drivaer"
        )
    if sys.platform == "darwin":
        return "install it with 'brew install --no-quarantine gerlero/openfoam/openfoam' and start drivaer in its shell"
    release = _os_release()
    if "debian" in release or "ubuntu" in release:
        return "install it with 'sudo apt install openfoam'"
    return (
        "install openfoam.com's package for your system (https://www.openfoam.com/download) and source its etc/bashrc"
    )


def mpirun() -> str | None:
    """Full path of an mpirun that starts two processes here, or None."""
    path = shutil.which("mpirun")
    return path if path and _mpi_works(path) else None


def mpi_command(path: str, processes: int) -> list[str]:
    """How ``processes`` are started: Open MPI refuses root and more processes than cores unless told otherwise."""
    command = [path, "-np", str(processes)]
    if _is_open_mpi(path):
        command.append("--oversubscribe")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-run-as-root")
    return command


def _projects() -> Iterator[Path]:
    given = os.environ.get("WM_PROJECT_DIR")
    if given and Path(given).is_dir():
        yield Path(given)
    if shutil.which("simpleFoam") and DEBIAN_PROJECT.is_dir():
        yield DEBIAN_PROJECT
    found = []
    for folder in _FOLDERS:
        found += [path for path in Path(folder).expanduser().glob("[oO]pen[fF][oO][aA][mM]*") if _bashrc(path)]
    yield from sorted(found, key=lambda path: _version_key(path.name), reverse=True)


def _installation(project: Path) -> Installation | None:
    if project.resolve() == DEBIAN_PROJECT.resolve():
        environment = {**os.environ, "WM_PROJECT_DIR": str(project)}
        return Installation("Debian", _version_of_bashrc(project) or TESTED, project, environment)
    sourced = os.environ.get("WM_PROJECT_DIR") and Path(os.environ["WM_PROJECT_DIR"]).resolve() == project.resolve()
    environment = dict(os.environ) if sourced and shutil.which("simpleFoam") else _sourced(project)
    if environment is None:
        return None
    version = environment.get("WM_PROJECT_VERSION") or _version_of_bashrc(project) or project.name
    version = re.sub(r"^(openfoam|of)?-?v?", "", version, flags=re.IGNORECASE)
    # ESI counts years and months (v2312), the Foundation counts (11, 2.4.0, dev).
    flavour = "ESI" if re.match(r"\d{4}", version) else "Foundation"
    return Installation(flavour, version, project, environment)


def _bashrc(project: Path) -> Path | None:
    path = project / "etc" / "bashrc"
    return path if path.is_file() else None


def _version_of_bashrc(project: Path) -> str | None:
    bashrc = _bashrc(project)
    found = re.search(r"WM_PROJECT_VERSION=v?(\S+)", bashrc.read_text(errors="replace")) if bashrc else None
    return found[1] if found else None


def _version_key(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))


@lru_cache(maxsize=8)
def _sourced(project: Path) -> dict[str, str] | None:
    """The environment after an install's etc/bashrc."""
    bashrc, bash = _bashrc(project), shutil.which("bash")
    if bashrc is None or bash is None:
        return None
    done = subprocess.run(
        [bash, "-c", 'set +u; . "$0" >/dev/null 2>&1; env -0', str(bashrc)], capture_output=True, timeout=60
    )
    lines = [line.partition("=") for line in done.stdout.decode(errors="replace").split("\0") if "=" in line]
    return {name: value for name, _, value in lines} or None


def _os_release() -> str:
    try:
        return Path("/etc/os-release").read_text(errors="replace").lower()
    except OSError:
        return ""


@lru_cache(maxsize=4)
def _is_open_mpi(path: str) -> bool:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    return "open mpi" in (done.stdout + done.stderr).lower()


@lru_cache(maxsize=4)
def _mpi_works(path: str) -> bool:
    try:
        done = subprocess.run([*mpi_command(path, 2), "true"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
