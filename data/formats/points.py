"""Point clouds: PCD (ascii, binary, binary_compressed) and NPZ; those of text are read by `point_table`.

NPZ array names: ``points`` (or ``vertices``, ``xyz``) (N, 3); optional ``normals`` (N, 3);
optional ``faces`` (F, 3), which makes it a surface.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib

import numpy as np

from data.formats.parsing import parse_table
from data.formats.polygons import check_indices
from data.formats.source import Source, refuse_bomb
from data.mesh import RawMesh

_POINT_NAMES = ("points", "vertices", "xyz")


def _no_faces() -> np.ndarray:
    return np.zeros((0, 3), dtype=np.int32)


def read_npz(source: Source) -> RawMesh:
    """NumPy archive; no pickled objects are ever loaded."""
    points, normals, faces = _npz_arrays(source)
    if normals is not None and len(normals) != len(points):
        raise source.error(f"has {len(points)} points but {len(normals)} normals", "write one normal a point")
    if faces.size and (faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu"):
        raise source.error(f"its faces are {faces.dtype} {faces.shape}, not whole numbers (F, 3)", "write them so")
    faces = faces.reshape(-1, 3)
    check_indices(source, faces, len(points))
    normals = normals.astype(np.float32) if normals is not None and len(faces) == 0 else None
    return RawMesh(points, faces.astype(np.int32), source.path, normals=normals)


def _npz_arrays(source: Source) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Points, normals, faces."""
    try:
        with np.load(io.BytesIO(source.data), allow_pickle=False) as archive:
            name = next((n for n in _POINT_NAMES if n in archive.files), None)
            if name is None:
                held = ", ".join(archive.files[:8]) or "nothing"
                raise source.error(f"has no array named points, vertices or xyz (it holds {held})", "rename the array")
            _refuse_bombs(source, archive.zip)
            normals = _array(source, "normals", archive["normals"]) if "normals" in archive.files else None
            faces = archive["faces"] if "faces" in archive.files else _no_faces()
            return _array(source, name, archive[name]), normals, faces
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise source.error(f"truncated or damaged NPZ ({str(error)[:100]})", "write it again") from error


def _refuse_bombs(source: Source, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    refuse_bomb(source.path, sum(m.file_size for m in members), sum(m.compress_size for m in members))
    for info in members:  # numpy reserves the memory that an array's header asks for, before it reads on
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(member)
        if math.prod(shape) * dtype.itemsize > info.file_size:
            raise source.error(f"damaged NPZ: '{info.filename}' promises more than it holds", "write it again")


def _array(source: Source, name: str, values: np.ndarray) -> np.ndarray:
    if values.ndim != 2 or values.shape[1] != 3 or values.dtype.kind not in "fiu":
        raise source.error(f"its array '{name}' is {values.dtype} {values.shape}, not numbers (N, 3)", "write it so")
    return values.astype(np.float64)


def read_pcd(source: Source) -> RawMesh:
    """Point Cloud Library file with fields x y z and perhaps normal_x normal_y normal_z."""
    header, body = _pcd_header(source)
    names, row = _pcd_row(source, header)
    n = _pcd_count(source, header)
    kind = header.get("DATA", [""])[0].lower()
    if kind == "ascii":
        columns = _pcd_ascii(source, body, names, row, n)
    elif kind == "binary":
        columns = _pcd_binary(source, body, row, n)
    elif kind == "binary_compressed":
        columns = _pcd_compressed(source, body, row, n)
    else:
        raise source.error(f"damaged PCD: DATA is '{kind}', not ascii, binary or binary_compressed", "export it again")
    if not all(axis in columns for axis in "xyz"):
        raise source.error("has no fields x, y and z", "export it again")
    points = np.stack([columns[axis].astype(np.float64) for axis in "xyz"], axis=1)
    normal_names = ("normal_x", "normal_y", "normal_z")
    normals = None
    if all(name in columns for name in normal_names):
        normals = np.stack([columns[name].astype(np.float32) for name in normal_names], axis=1)
    return RawMesh(points, _no_faces(), source.path, normals=normals)


def _pcd_header(source: Source) -> tuple[dict[str, list[str]], bytes]:
    match = re.search(rb"^[ \t]*DATA[ \t]+\w+[ \t]*\r?\n", source.data[:65536], re.MULTILINE)
    if match is None:
        raise source.error("is not a PCD file, or truncated: no DATA line", "export or copy it again")
    lines = source.data[: match.end()].decode("ascii", "replace").splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {row[0].upper(): row[1:] for row in words}, source.data[match.end() :]


def _pcd_row(source: Source, header: dict[str, list[str]]) -> tuple[list[str], np.dtype]:
    names = header.get("FIELDS", [])
    sizes, types = header.get("SIZE", []), header.get("TYPE", [])
    counts = header.get("COUNT", ["1"] * len(names))
    codes = [kind.lower() + size for kind, size in zip(types, sizes)]  # noqa: B905 - lengths are checked below
    known = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
    if not names or not len(names) == len(sizes) == len(types) == len(counts) or not known.issuperset(codes):
        raise source.error("damaged PCD header: FIELDS, SIZE, TYPE and COUNT do not fit together", "export it again")
    if not all(count.isdecimal() and 0 < int(count) < 4096 for count in counts):
        raise source.error("damaged PCD header: COUNT", "export it again")
    unique = [name if names.index(name) == i and name != "_" else f"_{i}" for i, name in enumerate(names)]
    return unique, np.dtype([(n, "<" + c, (int(k),)) for n, c, k in zip(unique, codes, counts, strict=True)])


def _pcd_count(source: Source, header: dict[str, list[str]]) -> int:
    words = header.get("POINTS") or [
        str(int(w) * int(h)) for w, h in zip(header.get("WIDTH", []), header.get("HEIGHT", []), strict=True)
    ]
    if not words or not words[0].isdecimal():
        raise source.error("damaged PCD header: no number of POINTS", "export it again")
    return int(words[0])


def _pcd_ascii(source: Source, body: bytes, names: list[str], row: np.dtype, n: int) -> dict[str, np.ndarray]:
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < n:
        raise source.error(f"truncated PCD: the header promises {n} points, found {len(lines)}", "copy it again")
    table = parse_table(source, lines[:n], "points")
    starts = np.cumsum([0] + [row[name].shape[0] for name in names])
    if n and table.shape[1] != starts[-1]:
        raise source.error(f"damaged PCD: {starts[-1]} numbers a line expected, found {table.shape[1]}", "export again")
    return {name: table[:, start] for name, start in zip(names, starts, strict=False)} if n else {}


def _pcd_binary(source: Source, body: bytes, row: np.dtype, n: int) -> dict[str, np.ndarray]:
    if n * row.itemsize > len(body):
        found = len(body) // row.itemsize
        raise source.error(f"truncated PCD: the header promises {n} points, found bytes for {found}", "copy it again")
    rows = np.frombuffer(body, row, n)
    return {name: rows[name][:, 0] for name in row.names or ()}


def _pcd_compressed(source: Source, body: bytes, row: np.dtype, n: int) -> dict[str, np.ndarray]:
    """LZF-compressed, field after field rather than point after point."""
    packed, unpacked = (int.from_bytes(body[i : i + 4], "little") for i in (0, 4))
    if packed > len(body) - 8:
        raise source.error(f"truncated PCD: {packed} bytes promised, found {max(len(body) - 8, 0)}", "copy it again")
    if unpacked != n * row.itemsize:
        raise source.error(f"damaged PCD: {n} points take {n * row.itemsize} bytes, not {unpacked}", "export it again")
    if unpacked > 300 * packed + 8:  # LZF packs at most 264 bytes into 3
        raise source.error("damaged PCD: impossible compressed size", "export it again")
    data, at, columns = _unpack_lzf(source, body[8 : 8 + packed], unpacked), 0, {}
    for name in row.names or ():
        code, count = row[name].base, row[name].shape[0]
        columns[name] = np.frombuffer(data, code, n * count, at).reshape(n, count)[:, 0]
        at += n * count * code.itemsize
    return columns


def _unpack_lzf(source: Source, packed: bytes, size: int) -> bytes:
    """LibLZF's stream: literal runs (control < 32) and copies from what was already written."""
    out = bytearray()
    at, end = 0, len(packed)
    try:
        while at < end:
            control = packed[at]
            at += 1
            if control < 32:
                out += packed[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            start = len(out) - ((control & 31) << 8) - packed[at] - 1
            at += 1
            length += 2
            if start < 0:
                raise IndexError
            piece = out[start : start + length]
            while len(piece) < length:  # a copy that overlaps its own end repeats
                piece += piece[: length - len(piece)]
            out += piece
    except IndexError as error:
        raise source.error("damaged PCD: the compressed data cannot be unpacked", "export it again") from error
    if len(out) != size:
        raise source.error(f"damaged PCD: unpacks to {len(out)} bytes, {size} expected", "export it again")
    return bytes(out)
