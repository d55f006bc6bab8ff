"""What DrivAerML, AhmedML and WindsorML publish of their runs besides geometry: forces, parameters, official splits.

Coefficients come on an area that all runs share or on each run's own, in different files for each corpus; here each run
has both where its own area is known. Who learns from a corpus and who is judged by it read it here alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.corpora.labels import Labels
from data.corpora.runs import AHMEDML, OWN_AREA, RunCorpus, is_run_table, run_labels
from data.corpora.splits import SPLITS
from data.corpora.tables import read_table
from data.errors import DrivAerError

MANIFEST = "manifest.json"
FLAWED = {AHMEDML.name: {105: "forces", 159: "forces", 492: "forces"}}
"""By corpus and run, what of it does not match the rest: here the forces are not those of the run's own fields."""


@dataclass(frozen=True)
class PublishedRun:
    """One run. parameters: by the corpus's own names and units, empty where it has none.

    cd, cl: on the area that all runs share. area: m², the run's own; None where it is not known.
    flaw: what of it is known to be wrong, or empty.
    """

    corpus: RunCorpus
    number: int
    parameters: Mapping[str, float]
    cd: float
    cl: float
    area: float | None
    flaw: str = ""

    @property
    def cd_own(self) -> float:
        """On the run's own area. ValueError where that is not known."""
        return self._on_own_area(self.cd)

    @property
    def cl_own(self) -> float:
        """The same of lift."""
        return self._on_own_area(self.cl)

    def _on_own_area(self, coefficient: float) -> float:
        if self.area is None:
            raise ValueError(f"the own area of run {self.number} of {self.corpus.title} is not known")
        return coefficient * self.corpus.reference_area / self.area


def read_runs(folder: str | Path, corpus: RunCorpus) -> dict[int, PublishedRun]:
    """The runs that a folder's tables tell the drag of, by number.

    Raises DrivAerError where there is no such table, or a table cannot be read.
    """
    folder = Path(folder)
    tables = [read_table(file) for file in sorted(folder.glob("*.csv")) if is_run_table(file.name)]
    labels = run_labels(corpus, tables)
    runs = {}
    for name, known in labels.items():
        if "cd" in known.values:
            number = int(name.rpartition("_")[2])
            runs[number] = _run(corpus, number, known)
    if not runs:
        raise DrivAerError(f"no forces of {corpus.title}", file=folder, fix=f"put {corpus.fixed_area}_all.csv into it")
    return dict(sorted(runs.items()))


def read_manifest(folder: str | Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """The official splits: by name (``full``, ``geometry``, ...), then ``train``, ``val``, ``test``, the runs' numbers.

    Raises DrivAerError where the folder has no manifest or it is none.
    """
    file = Path(folder) / MANIFEST
    try:
        lists = json.loads(file.read_text("utf-8"))
        found: dict[str, dict[str, tuple[int, ...]]] = {}
        for key, ids in lists.items():
            name, _, part = key.rpartition("_")
            if name and part in SPLITS:
                found.setdefault(name, {})[part] = tuple(int(run.removeprefix("run_")) for run in ids)
    except OSError as error:
        raise DrivAerError(f"cannot be read ({error.strerror or error})", file=file) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DrivAerError(f"is no manifest of splits ({error})", file=file) from error
    return found


def _run(corpus: RunCorpus, number: int, known: Labels) -> PublishedRun:
    area = known.values.get("area") or _area_of(corpus, known.parameters)
    share = 1.0
    if known.version == OWN_AREA:
        if area is None:
            fix = f"put {corpus.fixed_area}_all.csv beside {corpus.own_area}_all.csv, or the runs' areas"
            raise DrivAerError(f"the area of run {number} of {corpus.title} is not known", fix=fix)
        share = float(area) / corpus.reference_area
    cd, cl = (float(known.values.get(name, float("nan"))) * share for name in ("cd", "cl"))
    flaw = FLAWED.get(corpus.name, {}).get(number, "")
    return PublishedRun(corpus, number, known.parameters, cd, cl, None if area is None else float(area), flaw)


def _area_of(corpus: RunCorpus, parameters: Mapping[str, float]) -> float | None:
    """m²: an Ahmed body's section is its block's; the other corpora tell their areas."""
    if corpus is AHMEDML and parameters:
        return parameters["body-width"] * parameters["body-height"] * 1e-6
    return None
