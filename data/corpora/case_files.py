"""Files of CFD cases, ``.npz``: written and read here and nowhere else.

All hold ``meta`` (JSON) and the flow on the CFD faces. Files with geometry also hold points, normals and faces
(``../shared/corpus/README.md`` describes the arrays); files without it hold the flow in coded form, some 20 kB
(`data.corpora.field_coding`). ``meta`` names the design in one of three ways: ``i`` and ``params`` for the generator of
morphed DrivAers; ``family``, ``design``, ``values`` and ``amounts`` for a family of one mesh; neither for a car that
was simulated or added.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from data.corpora.case import COEFFICIENTS, Case, CaseGeometry, CaseHeader
from data.corpora.field_coding import decode_fields, encode_fields, has_fields
from data.corpora.npz import write_npz
from data.errors import DrivAerError
from data.nearest import NO_FACE
from data.replacing import replacing

CASES = "cases"
"""The folder of a corpus that its case files lie in."""

_IN_FILES = {name: name.replace("c", "C", 1) for name in COEFFICIENTS}
_NEEDED = ("cd", "cl", "cd_pressure", "cd_friction")
_STEP = 1e-4  # m
_ON_PLANE = -0.02  # m; half a car's points have no y below it
_FAULTS = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile)


def read_case(path: str | Path) -> Case:
    """A case from a file of any kind.

    Raises DrivAerError for a file that is none, or whose reference is missing.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = _header(path, json.loads(str(arrays["meta"])))
        if lacking := [_IN_FILES[name] for name in _NEEDED if name not in header.coefficients]:
            raise ValueError(f"it has no {', '.join(lacking)}")
        cp, cf = decode_fields(arrays, path)
        geometry = _geometry(arrays, header.meta, len(cp)) if "points" in arrays else None
    except _FAULTS as error:
        fix = "give a case .npz of a corpus, or simulate or add it again"
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix=fix) from error
    return Case(**vars(header), face_cp=cp, face_cf=cf, geometry=geometry)


def read_header(path: str | Path) -> CaseHeader | None:
    """What a case file says without its arrays; None for an ``.npz`` that is no case.

    Raises DrivAerError for a file that is damaged.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy") for name in archive.namelist()}
        if "meta" not in members or not has_fields(members):
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return _header(path, json.loads(str(arrays["meta"])))
    except _FAULTS as error:
        raise DrivAerError(f"not a CFD case ({error})", file=path, fix="copy it again") from error


def read_cases(*folders: str | Path) -> list[Case]:
    """The cases of corpora (in their ``cases/``) or of folders of case files, in the order of family, design and name.

    Of a name that several folders have the first one's counts. Raises DrivAerError where there are none.
    """
    cases: dict[str, Case] = {}
    for folder in map(Path, folders):
        for path in case_paths(folder):
            if path.stem not in cases:
                cases[path.stem] = read_case(path)
    if not cases:
        there = folders and Path(folders[0]).is_dir()
        what = "no CFD cases" if there else "there is no such folder"
        fix = "give a folder with cases/*.npz, or add some with 'drivaer corpus add'"
        raise DrivAerError(what, file=folders[0] if folders else None, fix=fix)
    return sorted(cases.values(), key=lambda case: (case.family or "", case.design or 0, case.name))


def case_paths(folder: Path) -> list[Path]:
    """The case files of a corpus, or of a folder of such files, by name."""
    return sorted(((folder / CASES) if (folder / CASES).is_dir() else folder).glob("*.npz"))


def write_case(
    path: str | Path,
    meta: dict[str, Any],
    cp: np.ndarray,
    cf: np.ndarray,
    *,
    geometry: CaseGeometry | None = None,
    reference: Path | None = None,
) -> None:
    """Write a case, whole or not at all. cp (M,), cf (M, 3) of the CFD faces.

    meta: see the module; coefficients as `named_in_files` spells them, and ``frontal_area``. reference: of the corpus,
    to keep the differences from; for cases without geometry. Raises OSError.
    """
    if geometry is None:
        write_npz(path, {"meta": np.array(json.dumps(meta)), **encode_fields(cp, cf, reference)})
        return
    fields = {
        "face_cp": np.clip(cp, -6e4, 6e4).astype(np.float16),
        "face_cf": cf.astype(np.float16),
        "meta": json.dumps({**meta, "half": geometry.half}),
    }
    with replacing(path) as unfinished:
        arrays: dict[str, Any] = {**_packed(geometry), **fields}
        np.savez_compressed(unfinished, **arrays)


def named_in_files(coefficients: dict[str, float]) -> dict[str, float]:
    """Coefficients as files and their tables spell them: ``Cd`` for cd."""
    return {_IN_FILES[name]: value for name, value in coefficients.items()}


def style_of(parameters: dict[str, float]) -> str:
    """Of a morphed DrivAer, by its generator's parameters."""
    if parameters.get("estate"):
        return "estate"
    return "notchback" if parameters.get("notch") else "fastback"


def _header(path: Path, meta: dict[str, Any]) -> CaseHeader:
    parameters = meta.get("values", meta.get("params", {}))
    design = meta.get("design", meta.get("i"))
    return CaseHeader(
        name=path.stem,
        design=None if design is None else int(design),
        family=meta.get("family"),
        style=meta.get("style") or (style_of(parameters) if "i" in meta else None),
        underbody=meta.get("underbody"),
        parameters={name: float(value) for name, value in parameters.items()},
        amounts=np.array(meta["amounts"], float) if "family" in meta else None,
        coefficients={name: float(meta[key]) for name, key in _IN_FILES.items() if key in meta},
        frontal_area=float(meta["frontal_area"]),
        meta=meta,
    )


def _geometry(arrays: dict[str, np.ndarray], meta: dict[str, Any], n_faces: int) -> CaseGeometry:
    points = (arrays["points"] * _STEP + arrays["offset"]).astype(np.float32)
    normals = arrays["normals"].astype(np.float32)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    face = arrays["point_face"].astype(np.int64)
    return CaseGeometry(
        points=points,
        normals=normals,
        point_face=np.where(face < n_faces, face, NO_FACE),
        centres=arrays["face_centers"] * _STEP + arrays["offset"],
        face_normals=arrays["face_normals"] / 127.0,
        areas=arrays["face_area"].astype(np.float64) * 1e-4,
        half=bool(meta.get("half", points[:, 1].min() > _ON_PLANE)),
    )


def _packed(geometry: CaseGeometry) -> dict[str, np.ndarray]:
    """16-bit numbers; 32 bits for more than 65,534 faces, or a car longer than 6.5 m."""
    both = np.concatenate([geometry.points, geometry.centres])
    offset = np.floor(both.min(axis=0) / _STEP) * _STEP
    place = np.uint16 if np.ptp(both, axis=0).max() < 65535 * _STEP else np.uint32
    number = np.uint16 if len(geometry.centres) < 65535 else np.uint32
    face = geometry.point_face
    return {
        "points": np.round((geometry.points - offset) / _STEP).astype(place),
        "normals": np.round(127 * geometry.normals).astype(np.int8),
        "point_face": np.where(face == NO_FACE, np.iinfo(number).max, face).astype(number),
        "face_centers": np.round((geometry.centres - offset) / _STEP).astype(place),
        "face_normals": np.round(127 * geometry.face_normals).astype(np.int8),
        "face_area": (1e4 * geometry.areas).astype(np.float16),
        "offset": offset.astype(np.float64),
    }
