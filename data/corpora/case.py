"""A CFD case: one run on one car, with its coefficients and the flow on its surface.

Our corpora, ``drivaer simulate`` and ``drivaer corpus add`` keep cases in files (`data.corpora.case_files`). Some files
hold points of the car's surface; for the others the surface is that of their family, bent by ``amounts``
(`data.corpora.morphed_families`), or made by a generator (``factory``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from data.nearest import NO_FACE, nearest_faces

COEFFICIENTS = ("cd", "cd_std", "cl", "clf", "clr", "cd_pressure", "cd_friction")
"""Of a case. cd_std: standard deviation of cd inside the averaging window. Files and their tables spell them ``Cd``."""
TEST_EVERY, TEST_REMAINDER = 5, 2
"""Design i is held out of every training when ``i % 5 == 2``: a fifth, in all styles and with both underbodies."""
_MIRROR = np.array([1.0, -1.0, 1.0], np.float32)


def is_test_design(design: int) -> bool:
    """True for the designs that no training ever sees; the unmorphed cars (negative) are not among them."""
    return design >= 0 and design % TEST_EVERY == TEST_REMAINDER


def is_test_name(name: str) -> bool:
    """True for about a fifth of all names, by their SHA-256: a design keeps its side however a corpus grows."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % TEST_EVERY == TEST_REMAINDER


@dataclass(frozen=True, eq=False)
class CaseHeader:
    """What a case file says besides its arrays.

    name: the file's stem. design: index in the generator's or the family's sequence, negative for unmorphed cars; None
        for a car that is of neither, as are family, style (fastback | estate | ...) and underbody (detailed | smooth)
        where they do not apply.
    parameters: of the generator, or values of the family's handles: m and degrees. amounts (n,): what the family's
        displacement fields are multiplied by; None without a family.
    coefficients: those of COEFFICIENTS that the file has, on frontal_area, m² of the whole car. meta: all that the file
        says, as it says it.
    """

    name: str
    design: int | None
    family: str | None
    style: str | None
    underbody: str | None
    parameters: dict[str, float]
    amounts: np.ndarray | None
    coefficients: dict[str, float]
    frontal_area: float
    meta: dict[str, Any]

    @property
    def is_test(self) -> bool:
        """Held out of training: generated designs by their index, all others by their name."""
        return is_test_name(self.name) if self.design is None else is_test_design(self.design)

    @property
    def split(self) -> str:
        return "test" if self.is_test else "train"


@dataclass(frozen=True, eq=False)
class CaseGeometry:
    """The surface of a case's car, as points of the true one and as faces of the CFD mesh: of the +y half if ``half``.

    points (N, 3) m, float32, car frame; normals (N, 3) unit, outward, float32. point_face (N,): the CFD face whose
    values each point takes, or NO_FACE where the flow does not see the surface.
    centres (M, 3) m of the CFD faces; face_normals (M, 3) out of the car, unit to 1 %; areas (M,) m²: float64.
    """

    points: np.ndarray
    normals: np.ndarray
    point_face: np.ndarray
    centres: np.ndarray
    face_normals: np.ndarray
    areas: np.ndarray
    half: bool

    @classmethod
    def with_nearest_faces(
        cls,
        points: np.ndarray,
        normals: np.ndarray,
        centres: np.ndarray,
        face_normals: np.ndarray,
        areas: np.ndarray,
        half: bool,
        max_distance: float,
    ) -> CaseGeometry:
        """Give each point the CFD face nearest to it. max_distance: m, between the two surfaces."""
        face = nearest_faces(centres, face_normals, points, normals, max_distance=max_distance)
        return cls(points, normals, face, centres, face_normals, areas, half)

    @property
    def wetted_area(self) -> float:
        """m² of the whole car."""
        return float(self.areas.sum()) * (2.0 if self.half else 1.0)


@dataclass(frozen=True, eq=False)
class Case(CaseHeader):
    """A case with its flow.

    face_cp (M,), clipped to CP_RANGE, and face_cf (M, 3), wall shear over q: float32, of the CFD faces. On cars of one
    mesh (a family, morphed DrivAers with the same underbody) face i is the same place.
    geometry: None where the file leaves it to a family or a generator.
    """

    face_cp: np.ndarray
    face_cf: np.ndarray
    geometry: CaseGeometry | None

    @property
    def face_values(self) -> np.ndarray:
        """(M, 4) Cp and Cf of the CFD faces."""
        return np.column_stack([self.face_cp, self.face_cf])

    @cached_property
    def point_values(self) -> np.ndarray:
        """(N, 4) float32 Cp and Cf at the geometry's points, NaN at points without a face."""
        assert self.geometry is not None
        return values_at(self.face_values, self.geometry.point_face)

    def on_whole_car(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (N, 3), normals (N, 3), values (N, 4) of the whole car: of half a car each point, then its image."""
        assert self.geometry is not None
        own = self.geometry.points, self.geometry.normals, self.point_values
        if not self.geometry.half:
            return own
        images = own[0] * _MIRROR, own[1] * _MIRROR, own[2] * np.array([1, 1, -1, 1], np.float32)
        pairs = zip(own, images, strict=True)
        points, normals, values = (np.stack(pair, 1).reshape(-1, pair[0].shape[1]) for pair in pairs)
        return points, normals, values


def values_at(face_values: np.ndarray, face: np.ndarray) -> np.ndarray:
    """(N, 4) float32 of face_values (M, 4) at points whose faces (N,) are known, NaN where they are NO_FACE."""
    return np.where((face == NO_FACE)[:, None], np.nan, face_values[np.maximum(face, 0)]).astype(np.float32)
