"""How certain differences in drag are: `python benchmarks/differences.py [MODEL] [--shapes]` makes a table.

Calibrated on pairs of the held-out designs in the model's metrics.json, by gnn.difference. --shapes also asks whether
pairs of alike shapes are more certain, by three measures of how far two shapes are apart; needs ../shared and some
minutes. --write docs/differences.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
CORPUS = ROOT / "resources" / "corpus" / "drivaer_morphs"
sys.path.insert(0, str(ROOT))

from benchmarks.marks import show_rows  # noqa: E402
from drivaer_app.models import find_model  # noqa: E402
from gnn.checkpoints import METRICS  # noqa: E402
from gnn.difference import DifferenceLaw, left_out_coverage  # noqa: E402

PARTS = (0.0, 0.05, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="drivaer")
    parser.add_argument("--shapes", action="store_true")
    parser.add_argument("--write", type=Path, metavar="MD")
    options = parser.parse_args()
    folder = find_model(options.model)
    metrics = json.loads((folder / METRICS).read_text("utf-8"))
    show_rows((*_rows(metrics["designs"], options), *_of_families(metrics.get("families"))), options.write)


def _rows(designs: list[dict], options: argparse.Namespace) -> Iterator[str]:
    predicted, true = (np.array([d[k] for d in designs]) for k in ("predicted", "cd"))
    law = DifferenceLaw.fit(predicted, true)
    i, j = np.triu_indices(len(true), 1)
    difference = predicted[i] - predicted[j]
    error = np.abs(difference - (true[i] - true[j]))
    yield f"{_law_in_words(law, predicted, true)}\n"
    yield "| pairs | counts predicted | 90 % of errors within | half width | covered |\n|---|---|---|---|---|"
    yield from _by(
        np.abs(difference), difference, error, law, lambda low, high: f"{low * 1000:.0f} – {high * 1000:.0f}"
    )
    alike = np.array([a["style"] == b["style"] and a["underbody"] == b["underbody"] for a in designs for b in designs])
    alike = alike.reshape(len(true), -1)[i, j]
    for name, which in (("same style and underbody", alike), ("another style or underbody", ~alike)):
        yield _row(name, "all", which, difference, error, law)
    if options.shapes:
        for name, distance in _distances(options.model, [d["name"] for d in designs]).items():
            yield from _by(distance[i, j], difference, error, law, lambda low, high: f"{low:.2f} – {high:.2f}", name)


def _of_families(families: dict | None) -> Iterator[str]:
    """The law of cars that no template fits."""
    if not families:
        return
    predicted, true = (np.array([d[k] for d in families["designs"]]) for k in ("cd_predicted", "cd"))
    law = DifferenceLaw.fit(predicted, true)
    style = np.array([d["style"] for d in families["designs"]])
    i, j = np.triu_indices(len(true), 1)
    covered = law.covered(predicted, true)
    yield f"\nOf procedural cars, which no template fits, {_law_in_words(law, predicted, true)}"
    yield f"Of pairs of one style {covered[style[i] == style[j]].mean():.0%} lie within."


def _law_in_words(law: DifferenceLaw, predicted, true) -> str:
    return (
        f"{law.n} held-out designs, {len(true) * (len(true) - 1) // 2} pairs: "
        f"± ({1000 * law.base:.1f} + {law.slope:.2f} · |ΔCd|) counts at {law.level:.0%}.\nPairs of designs that were "
        f"both left out of the fit are covered in {left_out_coverage(predicted, true):.1%} of cases."
    )


def _by(measure, difference, error, law, range_label, name: str = "") -> Iterator[str]:
    """A row for each part of the pairs, the nearest first."""
    ends = np.quantile(measure, PARTS)
    for (low, high), (a, b) in zip(zip(ends, ends[1:], strict=False), zip(PARTS, PARTS[1:], strict=False), strict=True):
        which = (measure >= low) & (measure <= high)
        title = f"{name} {range_label(low, high)}".strip() if name else f"{a:.0%} – {b:.0%}"
        yield _row(title, range_label(low, high) if not name else "all", which, difference, error, law)


def _row(name: str, span: str, which, difference, error, law) -> str:
    width = law.half_width(difference[which])
    within = 1000 * np.quantile(error[which], law.level)
    covered = (error[which] <= width).mean()
    return f"| {name} | {span} | {within:.1f} | {1000 * width.mean():.1f} | {covered:.0%} |"


def _distances(model: str, names: list[str]) -> dict[str, np.ndarray]:
    """How far the shapes of designs are apart, (n, n): in generator parameters, profiles and network features."""
    from data.corpora.case_files import read_cases
    from data.sampling import sample_surface
    from factory.morph_generator import MorphGenerator
    from gnn.input_frame import InputFrame
    from gnn.novelty import profile
    from gnn.surrogate import Surrogate

    surrogate = Surrogate.load(find_model(model), "cpu")
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
    cases = {case.name: case for case in read_cases(SHARED / "corpus", CORPUS)}
    low, high = np.array(list(generator.morph.RANGES.values())).T
    rows = {"parameters": [], "profile": [], "features": []}
    for name in names:
        case = cases[name]
        sample = sample_surface(*generator.mesh(case.parameters, case.underbody))
        points = InputFrame.of(sample.points).to_network(sample.points)
        own = np.array([case.parameters[key] for key in generator.morph.RANGES])
        rows["parameters"].append((own - low) / (high - low))
        rows["profile"].append(profile(points, sample.normals))
        rows["features"].append(surrogate.drag_features(points))
    arrays = {name: np.array(values) for name, values in rows.items()}
    return {name: np.linalg.norm(a[:, None] - a[None], axis=2) for name, a in arrays.items()}


if __name__ == "__main__":
    main()
