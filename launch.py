"""Run drivaer on a machine that has nothing but Python: make .venv, install, start.

    python3 launch.py predict car.stl      any command of main.py
    python3 launch.py test [PYTEST ARGS]   the test suite, with a virtual screen where one is needed

Standard library only. Everything this file prints goes to stderr, so that ``predict --json`` stays clean.
The syntax stays readable for Python 3.6, so that an old Python gets a sentence and not a SyntaxError.
"""

import contextlib
import hashlib
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 - this is the sentence that an old Python gets
    sys.exit(
        f"drivaer needs Python 3.10 or newer; {sys.executable} is Python {platform.python_version()}. "
        "Install a newer one from https://www.python.org/downloads/ and start launch.py with it."
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
MARKER = VENV / "drivaer-installed.json"  # written last: what is in the environment, so that nothing is done twice
LOCK = ROOT / ".venv.lock"
RUNTIME = "requirements.txt"
DEV = "requirements-dev.txt"
CPU_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"

# What the wheels load from the system, as Debian and Ubuntu name it; found by running in a bare Debian 12.
RUN_PACKAGES = ["libgl1", "libegl1", "libgomp1", "libusb-1.0-0", "libx11-6"]
# What Qt and VTK load for a window on a screen, with Mesa's drivers for where no GPU's are.
WINDOW_PACKAGES = RUN_PACKAGES + [
    *("libopengl0", "libgl1-mesa-dri", "libglx-mesa0", "libdbus-1-3", "libfontconfig1", "libglib2.0-0", "libxrender1"),
    *("libxcursor1", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1"),
    *("libxcb-randr0", "libxcb-render-util0", "libxcb-shape0", "libxcb-xkb1"),
]
TEST_PACKAGES = [*WINDOW_PACKAGES, "xvfb", "xauth", "fonts-dejavu-core"]


class Stop(Exception):
    """Something the user has to mend; the message is the whole output."""


def main() -> int:
    arguments = sys.argv[1:]
    # A polite kill takes the installer down too, as Ctrl-C does, and leaves no orphan writing into .venv.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments[:1] == ["test"]:
            prepare([RUNTIME, DEV])
            return run_tests(arguments[1:])
        prepare([RUNTIME])
        if opens_window(arguments):
            provide_window_libraries()
        return hand_over([str(PYTHON), str(ROOT / "main.py"), *arguments])
    except Stop as stop:
        say(str(stop))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next start goes on from here")
        return 130


def say(text: str) -> None:
    print(f"launch: {text}", file=sys.stderr, flush=True)


def hand_over(command: list[str]) -> int:
    """Become the command; Windows has no true exec (the shell would not wait), so there it is a child."""
    if os.name != "nt":
        sys.stderr.flush()
        os.execv(command[0], command)
    return subprocess.run(command).returncode


# The environment


def prepare(files: list[str]) -> None:
    """Make sure that .venv holds what the requirement files ask for; instant when it already does."""
    if is_ready(files):
        return
    with locked():
        if is_ready(files):  # another launch.py did it while this one waited
            return
        started = time.monotonic()
        make_venv()
        MARKER.unlink(missing_ok=True)
        forget_half_installed()
        install(files)
        provide_system_libraries()
        write_marker(files)
        say(f"ready after {time.monotonic() - started:.0f} s")


def is_ready(files: list[str]) -> bool:
    try:
        marker = json.loads(MARKER.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return PYTHON.exists() and marker == {**wanted(files), "files": {**marker.get("files", {}), **hashes(files)}}


def write_marker(files: list[str]) -> None:
    text = json.dumps({**wanted(files), "files": hashes(files)}, indent=1)
    MARKER.with_suffix(".new").write_text(text, encoding="utf-8")
    os.replace(MARKER.with_suffix(".new"), MARKER)


def wanted(files: list[str]) -> dict:
    """What must not have changed since the installation besides the requirement files."""
    return {"root": str(ROOT), "interpreter": os.path.realpath(PYTHON), "project": digest("pyproject.toml")}


def hashes(files: list[str]) -> dict:
    return {name: digest(name) for name in files}


def digest(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


@contextlib.contextmanager
def locked():
    """One installation at a time; a second launch.py waits. The system drops the lock with the process."""
    with open(LOCK, "a+b") as handle:
        if not try_lock(handle):
            say("another launch.py is installing; waiting for it")
            while not try_lock(handle):
                time.sleep(0.5)
        yield


def try_lock(handle) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def make_venv() -> None:
    """A .venv whose Python runs and has pip; one that does not is made anew."""
    if VENV.exists():
        if venv_works():
            return
        say("the .venv here does not work any more; making it anew")
        shutil.rmtree(VENV)
    say(f"making .venv with Python {platform.python_version()}")
    if not has_ensurepip() and not install_python3_venv():
        raise Stop(f"this Python cannot make virtual environments: its venv module is incomplete; {venv_advice()}")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], stdout=sys.stderr)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Stop(f"'{sys.executable} -m venv {VENV}' failed (see above)")


def venv_works() -> bool:
    """Its Python starts, is new enough, is the one the packages were installed for, and has pip."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 10))"
    if not PYTHON.exists():
        return False
    return subprocess.run([str(PYTHON), "-c", probe], stdout=sys.stderr, stderr=subprocess.DEVNULL).returncode == 0


def has_ensurepip() -> bool:
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(venv and ensurepip)


def venv_package() -> str:
    """Debian splits venv off; for a second Python beside the system's the package has the version in its name."""
    return f"python3.{sys.version_info[1]}-venv"


def venv_advice() -> str:
    if shutil.which("apt-get"):
        return f"type: {sudo(apt_command([venv_package()]))}"
    return "install your system's package for it (often python3-venv), or Python from https://www.python.org/downloads/"


def install_python3_venv() -> bool:
    return can_apt() and apt_install([venv_package()])


def forget_half_installed() -> None:
    """After an interruption: a package with a file missing is forgotten, so that the installer brings it again.

    Installers take a package for installed once its metadata is there, even when they were killed between its files.
    """
    for info in site_packages().glob("*.dist-info"):
        try:
            lines = (info / "RECORD").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = [""]
        names = [line.rsplit(",", 2)[0].strip('"') for line in lines]
        if not all(name and (name.endswith(".pyc") or (info.parent / name).exists()) for name in names):
            say(f"{info.name.split('-')[0]} was left half-installed; installing it again")
            shutil.rmtree(info)


def site_packages() -> Path:
    if os.name == "nt":
        return VENV / "Lib" / "site-packages"
    return next((VENV / "lib").glob("python3.*/site-packages"))


# Installing


def install(files: list[str]) -> None:
    uv = shutil.which("uv")
    say(f"installing with {'uv' if uv else 'pip'}; the first time this fetches some hundreds of megabytes")
    settings = pip_settings()
    if wants_cpu_torch(settings):
        fetch_cpu_torch(uv)
    requirements = [argument for name in files for argument in ("-r", str(ROOT / name))]
    if not (uv and run_uv(uv, requirements, settings)) and not run_pip(requirements):
        raise Stop("the installation failed (see above); start the same command again to go on")
    # The console script `drivaer`. Its build tool is among the requirements, so nothing more is fetched.
    if not run_pip(["--no-deps", "--no-build-isolation", "--quiet", "--editable", str(ROOT)]):
        raise Stop("installing the program itself into .venv failed (see above)")


def run_pip(arguments: list[str]) -> bool:
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    if sys.stderr.isatty():  # pip draws progress bars
        return subprocess.run(command, stdout=sys.stderr).returncode == 0
    noise = ("Requirement already satisfied", "Ignoring ", "Looking in ")
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as pip:
        try:
            for line in pip.stdout:
                if not line.startswith(noise):
                    print(line, end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pip.terminate()
            raise
    return pip.returncode == 0


def run_uv(uv: str, arguments: list[str], settings: dict) -> bool:
    command = [uv, "pip", "install", "--python", str(PYTHON), *uv_options(settings), *arguments]
    if subprocess.run(command, stdout=sys.stderr).returncode == 0:
        return True
    say("uv did not manage (see above); trying pip")
    return False


def pip_settings() -> dict:
    """Where pip is told to look for packages (its files and PIP_… variables together), as option -> value."""
    command = [str(PYTHON), "-m", "pip", "config", "list"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    # Lines look like  global.find-links='/wheels'  and  :env:.index-url='https://…'; a later section wins in pip too.
    rank = {"global": 0, "install": 1, ":env:": 2}
    found = []
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in rank:
            found.append((rank[section], option, value.strip().strip("'\"").replace("\\n", "\n")))
    return {option: value for _, option, value in sorted(found)}


def uv_options(settings: dict) -> list[str]:
    """pip's settings as uv's options, so that a machine set up for pip works with uv the same way."""
    options = []
    for name in ("index-url", "extra-index-url", "find-links", "trusted-host"):
        option = "--allow-insecure-host" if name == "trusted-host" else f"--{name}"
        options += [part for value in settings.get(name, "").split() for part in (option, value)]
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        options.append("--no-index")
    if "extra-index-url" in settings:
        # uv would stop at the first index that knows a name; pip, for which this was set up, takes the best of all.
        options += ["--index-strategy", "unsafe-best-match"]
    if "cert" in settings:
        os.environ.setdefault("SSL_CERT_FILE", settings["cert"])
    return options


def wants_cpu_torch(settings: dict) -> bool:
    """Whether to take torch's CPU build from PyTorch's own index: PyPI's torch for Linux brings gigabytes of CUDA.

    A machine whose pip is told where to look keeps to what it was told.
    """
    configured = any(settings.get(name) for name in ("index-url", "extra-index-url", "find-links", "no-index"))
    has_gpu = os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi")
    return sys.platform == "linux" and not configured and not has_gpu and not (site_packages() / "torch").exists()


def fetch_cpu_torch(uv) -> None:
    pin = next(line for line in (ROOT / RUNTIME).read_text(encoding="utf-8").split() if line.startswith("torch=="))
    arguments = ["--no-deps", "--index-url", CPU_TORCH_INDEX, pin]  # only torch itself comes from there
    if not (run_uv(uv, arguments, {}) if uv else run_pip(["--timeout", "20", "--retries", "1", *arguments])):
        say(f"no CPU build of torch from {CPU_TORCH_INDEX}; taking the large one with CUDA")


# System packages


def provide_system_libraries() -> None:
    """Open3D loads a few libraries that a bare Linux does not have."""
    if sys.platform != "linux" or import_error("open3d") == "":
        return
    if can_apt() and apt_install(RUN_PACKAGES) and import_error("open3d") == "":
        return
    advice = f"type: {sudo(apt_command(RUN_PACKAGES))}" if shutil.which("apt-get") else "install it, then start again"
    raise Stop(f"Open3D does not load ({import_error('open3d')}); {advice}")


def opens_window(arguments: list[str]) -> bool:
    """Whether main.py, given these, opens its window: with no command at all, or with that one."""
    return next((a for a in arguments if not a.startswith("-")), "window") == "window" and "--help" not in arguments


def provide_window_libraries() -> None:
    """Qt aborts without a word to the user where one of its libraries is missing; so look before."""
    if sys.platform != "linux" or not shutil.which("dpkg-query"):
        return
    missing = missing_packages(WINDOW_PACKAGES)
    if missing and can_apt():
        apt_install(missing)
    elif missing:
        say(f"should the window not open, it lacks system packages; type: {sudo(apt_command(missing))}")


def import_error(module: str) -> str:
    done = subprocess.run([str(PYTHON), "-c", f"import {module}"], capture_output=True)
    return done.stderr.decode(errors="replace").strip().splitlines()[-1] if done.returncode else ""


def can_apt() -> bool:
    return shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


def apt_command(packages: list[str]) -> list[str]:
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def sudo(command: list[str]) -> str:
    return shlex.join(["sudo", *command])


def missing_packages(packages: list[str]) -> list[str]:
    # On newer Ubuntus libglib2.0-0 is called libglib2.0-0t64, so what is provided counts as well.
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}, ${Provides}\n"]
    lines = subprocess.run(query, stdout=subprocess.PIPE).stdout.decode().splitlines()
    there = " ".join(line for line in lines if line.startswith("installed ")).replace(",", " ").split()
    return [name for name in packages if name not in there]


def apt_install(packages: list[str]) -> bool:
    missing = missing_packages(packages)
    if not missing:
        return True
    say(f"installing system packages: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], apt_command(missing)):
        done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, env=environment)
    return done.returncode == 0


# Tests


def run_tests(arguments: list[str]) -> int:
    # Two processes: much of a test's time is spent in one thread. A later -n in the arguments wins.
    command = [str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadfile", *arguments]
    if sys.platform == "linux":
        provide_screen()
        xvfb = shutil.which("xvfb-run")
        if xvfb:  # also where there is a screen: no window pops up on it, and every run sees the same size
            command = [xvfb, "-a", "-s", "-screen 0 1600x1000x24", *command]
    os.chdir(ROOT)
    return hand_over(command)


def provide_screen() -> None:
    """Xvfb and what Qt and VTK load: installed where we may, else the exact command to type."""
    if shutil.which("dpkg-query") and missing_packages(TEST_PACKAGES):
        if can_apt():
            apt_install(TEST_PACKAGES)
        else:
            say(f"some tests need system packages; type: {sudo(apt_command(missing_packages(TEST_PACKAGES)))}")
    if not os.environ.get("DISPLAY") and not shutil.which("xvfb-run"):
        raise Stop("the tests need a screen: install xvfb (the command xvfb-run), or start this where DISPLAY is set")


if __name__ == "__main__":
    sys.exit(main())
