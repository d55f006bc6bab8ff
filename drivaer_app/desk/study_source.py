"""A study as a report sees it. Light: a window asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drivaer_app.desk.cfd_kept import cfd_of
from drivaer_app.desk.predictions import PredictionState
from drivaer_app.desk.study_file import SavedStudy, read_study
from drivaer_app.desk.study_state import StudyState, Variant

if TYPE_CHECKING:
    from drivaer_app.drawn_car import DrawnCar
    from drivaer_app.origin import CfdCoefficients


@dataclass(frozen=True, eq=False)
class StudySource:
    """A study as a report sees it.

    known: what is known of each variant, by key. drawn: gives a variant's mesh with its fields where it is in memory.
    cfd: what CFD says of variants, by key, on the study's reference area; reports tell it as the
    parameters cfd_cd, cfd_cd_std and cfd_cl. file: the study's own, None for one that was never saved.
    """

    state: StudyState
    known: Mapping[str, PredictionState]
    drawn: Callable[[str], DrawnCar | None] = lambda key: None
    cfd: Mapping[str, CfdCoefficients] = field(default_factory=dict)
    file: Path | None = None

    @classmethod
    def of_file(cls, path: str | Path) -> StudySource:
        """A saved study; its meshes are looked at, whether they are still those of the results. Raises DrivAerError."""
        return cls.of_saved(read_study(path), Path(path))

    @classmethod
    def of_saved(cls, saved: SavedStudy, file: Path | None = None) -> StudySource:
        known = {variant.key: _prediction_of(variant, saved) for variant in saved.state.variants}
        kept = {key: one.cfd for key, one in saved.kept.items()}
        every = {
            v.key: cfd_of(known[v.key].result, kept.get(v.key), v.origin, saved.state.conditions)
            for v in saved.state.variants
        }
        cfd = {key: found for key, found in every.items() if found}
        return cls(saved.state, known, cfd=cfd, file=file)

    def prediction(self, variant: Variant) -> PredictionState:
        return self.known.get(variant.key, PredictionState())


def _prediction_of(variant: Variant, saved: SavedStudy) -> PredictionState:
    """Of a saved variant. error: where the mesh is another one by now."""
    from drivaer_app.files import checksum_of

    kept = saved.kept.get(variant.key)
    if kept is None or kept.result is None:
        return PredictionState()
    changed = variant.file.is_file() and checksum_of(variant.file) != kept.result.checksum
    error = "the mesh has been saved again since: these are the numbers of before" if changed else ""
    return PredictionState(result=kept.result, error=error)
