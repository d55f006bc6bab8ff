"""A mesh file's bytes: opened, unpacked, and refused early when they cannot be what the name says."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from data.errors import MeshError

LARGEST_FILE = 4 * 2**30  # bytes after unpacking: 80 million faces of binary STL; a .gz can promise any size
_TIGHTEST = 400  # times that a mesh may have been packed; deflate can do 1032 on zeros


@dataclass(frozen=True)
class Source:
    """One file that was read whole.

    path: as the user named it.
    suffix: lower case and without ``.gz``: ``".stl"`` for ``Car.STL.gz``.
    data: the content, unpacked.
    """

    path: Path
    suffix: str
    data: bytes

    def error(self, what: str, fix: str = "") -> MeshError:
        """A ``MeshError`` about this file, for the reader to raise."""
        return MeshError(what, file=self.path, fix=fix)


def mesh_suffix(path: Path) -> str:
    """Lower-case suffix that names the format, looking through ``.gz``."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == ".gz" else suffix


def open_source(path: Path) -> Source:
    """Read ``path`` whole.

    Raises MeshError: missing, a folder, unreadable, empty, a broken .gz, a Git-LFS pointer.
    """
    data = _read_bytes(path)
    if data[:2] == b"\x1f\x8b":
        data = _unpack_gzip(path, data)
    elif path.suffix.lower() == ".gz":
        raise MeshError("is named .gz but is not gzip data", file=path, fix="remove .gz from its name or pack it again")
    if not data[:1000].strip() and not data.strip():
        raise MeshError("is empty" if not data else "holds nothing but blanks", file=path, fix="export it again")
    if len(data) > 1000 and not data[:1000].strip(b"\x00") and not data.strip(b"\x00"):
        raise MeshError("holds nothing but zero bytes (an interrupted copy?)", file=path, fix="copy it again")
    _refuse_strangers(path, data)
    return Source(path, mesh_suffix(path), data)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise MeshError("is a folder, not a mesh file", file=path, fix="name a file inside it")
        if not path.exists():
            raise MeshError("no such file", file=path, fix="check the name and the folder")
        if not path.is_file():
            raise MeshError("is not a regular file", file=path)
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise MeshError(f"is too large ({size / 2**30:.1f} GiB)", file=path, fix="export a coarser mesh")
        return path.read_bytes()
    except PermissionError as error:
        raise MeshError("may not be read (permission denied)", file=path, fix="change its permissions") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise MeshError(f"cannot be opened ({reason})", file=path) from error


def _unpack_gzip(path: Path, packed: bytes) -> bytes:
    """All members of a gzip file, in bounded memory."""
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            while piece := stream.read(2**24):
                pieces.append(piece)
                size += len(piece)
                refuse_bomb(path, size, len(packed))
    except EOFError as error:
        raise MeshError("gzip data ends too early (truncated file)", file=path, fix="copy it again") from error
    except (zlib.error, OSError) as error:
        raise MeshError(f"broken gzip data ({error})", file=path, fix="copy or pack it again") from error
    return b"".join(pieces)


def refuse_bomb(path: Path, size: int, n_packed: int) -> None:
    """Raise MeshError when ``n_packed`` bytes unpack to ``size``, more than a mesh can or a machine should."""
    if size > LARGEST_FILE or (size > 2**28 and size > _TIGHTEST * n_packed):
        raise MeshError(f"unpacks to {size / 2**30:.1f} GiB or more", file=path, fix="export a coarser mesh")


# First bytes that say what a file really is, whatever it is called.
_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"ply\n", "a PLY file", (".ply",)),
    (b"ply\r", "a PLY file", (".ply",)),
    (b"glTF", "a binary glTF file", (".glb", ".gltf")),
    (b"# vtk DataFile", "a legacy VTK file", (".vtk",)),
    (b"# .PCD", "a PCD point cloud", (".pcd",)),
    (b"PK\x03\x04", "a zip archive", (".3mf", ".npz")),
    (b"ISO-10303-21", "a STEP file", (".step", ".stp", ".p21")),
    (b"Kaydara FBX Binary", "an FBX file", ()),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office or CAD compound document", ()),
    (b"Rar!", "a RAR archive", ()),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", ()),
    (b"\x1f\x8b", "gzip inside gzip", ()),
    (b"BZh", "a bzip2 file", ()),
    (b"\xfd7zXZ", "an xz file", ()),
    (b"%PDF", "a PDF document", ()),
    (b"\x89PNG", "a PNG picture", ()),
    (b"\xff\xd8\xff", "a JPEG picture", ()),
    (b"\x89HDF", "an HDF5 file", ()),
    (b"\x7fELF", "a program", ()),
)


def _is_utf16_solid(data: bytes) -> bool:
    """A binary STL may begin with any bytes, so also with a byte-order mark; text begins with "solid" after it."""
    return data[:80].decode("utf-16", "ignore").lstrip().lower().startswith("solid")


def _refuse_strangers(path: Path, data: bytes) -> None:
    """Say what a file is when its first bytes contradict its name."""
    if data.startswith(b"version https://git-lfs"):
        raise MeshError(
            "is a Git-LFS pointer, not the mesh itself", file=path, fix="run `git lfs pull` in its repository"
        )
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise MeshError("is a web page (a download that failed?)", file=path, fix="download the mesh again")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and (mesh_suffix(path) != ".stl" or _is_utf16_solid(data)):
        raise MeshError("is UTF-16 text", file=path, fix="save it as UTF-8 or plain ASCII")
    for magic, what, suffixes in _MAGIC:
        if data.startswith(magic) and mesh_suffix(path) not in suffixes:
            fix = f"rename it to {suffixes[0]}" if suffixes else "unpack it, or export the mesh as binary STL"
            raise MeshError(f"is {what} by its content, not {mesh_suffix(path)}", file=path, fix=fix)
