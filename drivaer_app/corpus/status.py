"""How far a corpus has grown: counts, ranges of the coefficients, the time left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.corpora.case import Case
from data.corpora.case_files import CASES, read_case
from drivaer_app.corpus.families import known_families
from drivaer_app.corpus.growth import GrowthPlan, read_plan, running
from drivaer_app.corpus.noise import OWN, WAYS, read_noise
from drivaer_app.corpus.runs import FAILURES
from drivaer_app.corpus.settings import load_settings

_RECENT = 30


@dataclass(frozen=True)
class Failure:
    """A design, or a whole family, that cannot be had."""

    name: str
    family: str
    reason: str


@dataclass(frozen=True, eq=False)
class CorpusStatus:
    """cases: all of them, family by family. families: by name, whether their own car is solved. running: designs.

    failures: with their reasons. n_left: designs of the plan that nobody has tried yet. seconds: of one design, median
    of the last; seconds_left: None where nothing runs or nothing is known. noise: see `noise_lines`.
    """

    work: Path
    cases: tuple[Case, ...]
    families: dict[str, bool]
    running: tuple[str, ...]
    failures: tuple[Failure, ...]
    n_left: int
    seconds: float | None
    seconds_left: float | None
    noise: tuple[str, ...]

    def of(self, family: str) -> list[Case]:
        return [case for case in self.cases if case.family == family]

    @property
    def n_test(self) -> int:
        return sum(case.is_test for case in self.cases)


def corpus_status(work: Path) -> CorpusStatus:
    """Look at a corpus. Raises DrivAerError where there is none."""
    settings = load_settings(work)
    paths = sorted((work / CASES).glob("*.npz"), key=lambda path: path.stat().st_mtime)
    by_age = [read_case(path) for path in paths]
    cases = sorted(by_age, key=lambda case: (case.family, case.design))
    failures = tuple(_failure(path) for path in sorted((work / FAILURES).glob("*.json")))
    asked = read_plan(work)
    in_hand = tuple(running(work))
    seconds = float(np.median([case.meta["seconds"] for case in by_age[-_RECENT:]])) if by_age else None
    n_left = _n_left(GrowthPlan(work, asked[0], settings, asked[1]), cases, failures) if asked else 0
    left = seconds * n_left / len(in_hand) if seconds and in_hand else None
    families = {family.name: family.solved for family in known_families(work, settings)}
    return CorpusStatus(
        work, tuple(cases), families, in_hand, failures, n_left, seconds, left, tuple(noise_lines(read_noise(work)))
    )


def noise_lines(measured: dict) -> list[str]:
    """What solving the same shapes in other ways changes, in words."""
    lines = []
    plain, *others = WAYS
    for way in others:
        changes, relative = [], []
        for family in measured.values():
            both = {
                name: ways[way]["Cd"] - ways[plain]["Cd"] for name, ways in family.items() if {way, plain} <= {*ways}
            }
            changes += both.values()
            if OWN in both:
                relative += [change - both[OWN] for name, change in both.items() if name != OWN]
        if changes:
            line = f"{way}: Cd changes by {_size(changes)} on {len(changes)} cars"
            if relative:
                line += f"; differences to the family's own car by {_size(relative)}"
            lines.append(line)
    return lines


def _size(changes: list[float]) -> str:
    return f"{np.sqrt(np.mean(np.square(changes))):.4f} (at most {np.abs(changes).max():.4f})"


def _failure(path: Path) -> Failure:
    stored = json.loads(path.read_text("utf-8"))
    return Failure(stored["name"], stored["family"], stored["reason"])


def _n_left(plan: GrowthPlan, cases: list[Case], failures: tuple[Failure, ...]) -> int:
    through = {case.name for case in cases} | {failure.name for failure in failures}
    return sum(
        source.name not in through and f"{source.name}_{index:04d}" not in through for source, index in plan.jobs()
    )
