"""How good the bundled model is, and why: `python benchmarks/accuracy.py [--fits]` fills docs/accuracy.md.

Aims, which go into the README too, and calibration come from the model's metrics.json at once. `--fits` also compares
the fits that label its training shapes, by cross-validation and on the held-out designs, and their learning curve: that
takes minutes, and ../shared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from benchmarks.marks import replace_between  # noqa: E402
from factory.additive_gaussian_process import AdditiveGaussianProcess  # noqa: E402
from factory.families import FamilyShape, fit_family_coefficients  # noqa: E402
from factory.gaussian_process import GaussianProcess  # noqa: E402
from factory.labels import (  # noqa: E402
    DesignFeatures,
    SumFit,
    cross_validate,
    ridge,
)
from factory.morph_generator import MorphGenerator  # noqa: E402
from factory.morphs import MorphDesign, read_morph_cases  # noqa: E402
from gnn.calibration import conformal_half_width, leave_one_out_coverage  # noqa: E402
from gnn.checkpoints import METRICS  # noqa: E402
from gnn.evaluation import coefficient_metrics  # noqa: E402
from gnn.figures import pair_rank  # noqa: E402
from gnn.training.cars import family_cars, split  # noqa: E402

DOCS, README = ROOT / "docs" / "accuracy.md", ROOT / "README.md"
MODEL = ROOT / "resources" / "models" / "drivaer"
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SIZES = (70, 140, 205, 287, 419, 505, 694, 871)  # and all
FAMILY_SIZES = (40, 80, 120, 160, 200, 250, 300)
_WHOLE, _ADDITIVE = "Gaussian process, a length for each feature", "Gaussian process, features in pairs and threes too"
_SEED = 0
_UNUSED = 4096  # points of a family, which its labels' fit does not look at
_CURVE_HEAD = "| cases learnt from | R2 held out | MAE |\n|---|---|---|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", action="store_true", help="compare the fits and draw the learning curve too")
    options = parser.parse_args()
    metrics = json.loads((MODEL / METRICS).read_text("utf-8"))
    for file in (DOCS, README):
        replace_between("aims", "\n".join(_aims(metrics)), file)
    replace_between("calibration", "\n".join(_calibration(metrics)), DOCS)
    if options.fits:
        data = _designs()
        replace_between("fits", "\n".join([*_fits(*data), _labels_row(metrics)]), DOCS)
        replace_between("learning-curve", "\n".join(_learning_curve(*data)), DOCS)
        replace_between("family-curve", "\n".join(_family_curve()), DOCS)


def _aims(metrics: dict) -> Iterator[str]:
    predicted, true = (np.array([d[key] for d in metrics["designs"]]) for key in ("predicted", "cd"))
    network, families = metrics["cd"]["network"], metrics.get("families", {}).get("cd", {}).get("network")
    procedural = families and families.get("r2")
    rows = (
        ("Cd R2 on held-out morphs", network["r2"], "at least 0.95", network["r2"] >= 0.95, 4),
        ("Cd MAE", network["mae"], "at most 0.003", network["mae"] <= 0.003, 4),
        ("rank correlation of pairs 5 counts apart or more", *_ranks(predicted, true), 3),
        ("Cp, relative L2 error", metrics["cp"]["bundled"], "at most 0.14", metrics["cp"]["bundled"] <= 0.14, 3),
        (
            "share that the 90 % interval covers",
            metrics["interval"]["coverage"],
            "0.85 to 0.95",
            0.85 <= metrics["interval"]["coverage"] <= 0.95,
            2,
        ),
        ("Cd R2 on held-out procedural cars", procedural, "at least 0.9", bool(procedural and procedural >= 0.9), 4),
    )
    yield "| figure | here | aim | |\n|---|---|---|---|"
    for name, value, aim, reached, digits in rows:
        shown = "not learnt yet" if value is None else f"{value:.{digits}f}"
        yield f"| {name} | {shown} | {aim} | {'reached' if reached else 'missed'} |"


def _ranks(predicted: np.ndarray, true: np.ndarray) -> tuple[float, str, bool]:
    rank = pair_rank(predicted, true)
    return rank, "at least 0.95", rank >= 0.95


def _calibration(metrics: dict) -> Iterator[str]:
    errors = np.array([d["predicted"] - d["cd"] for d in metrics["designs"]])
    yield "| promised | half width, counts | kept |\n|---|---|---|"
    for level in LEVELS:
        width = 1000 * conformal_half_width(errors, level)
        yield f"| {100 * level:.0f} % | {width:.1f} | {100 * leave_one_out_coverage(errors, level):.0f} % |"


def _designs() -> tuple[DesignFeatures, list, list]:
    """Features, training cases, held-out cases."""
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry" / "drivaer_fastback")
    cases = read_morph_cases(SHARED / "corpus", ROOT / "resources" / "corpus" / "drivaer_morphs")
    train, test = ([case for case in cases if case.is_test is held] for held in (False, True))
    return DesignFeatures(generator), train, test


def _rows_and_cd(features: Callable, cases: list) -> tuple[np.ndarray, np.ndarray]:
    return features([MorphDesign.of(case) for case in cases]), np.array([case.coefficients["cd"] for case in cases])


def _quadratic(rows: np.ndarray, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Ridge on features and all their products, its penalty by leave-one-out."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), RidgeCV(np.logspace(0, 4, 15)))
    return model.fit(rows, values).predict


def _trees(rows: np.ndarray, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(400, min_samples_leaf=2, max_features=0.6, random_state=_SEED)
    return model.fit(rows, values).predict


def _fits(features: DesignFeatures, train: list, test: list) -> Iterator[str]:
    parameters, shape = features.parameters, features.with_roof_line
    candidates = {
        "linear, parameters alone": (parameters, ridge),
        "linear": (shape, ridge),
        "all products of two features, ridge": (shape, _quadratic),
        "extremely randomised trees": (shape, _trees),
        "Gaussian process, parameters alone": (parameters, GaussianProcess.fit),
        _WHOLE: (shape, GaussianProcess.fit),
        _ADDITIVE: (shape, AdditiveGaussianProcess.fit),
    }
    predicted = {}
    yield "| fit | R2 cross-validated | MAE | R2 held out | MAE |\n|---|---|---|---|---|"
    for name, (rows_of, fit) in candidates.items():
        (rows, values), (query, true) = _rows_and_cd(rows_of, train), _rows_and_cd(rows_of, test)
        predicted[name] = cross_validate(rows, values, fit), fit(rows, values)(query)
        yield _row(name, predicted[name], (values, true))
    both = tuple(np.mean(pair, axis=0) for pair in zip(predicted[_WHOLE], predicted[_ADDITIVE], strict=True))
    yield _row("mean of the last two", both, (values, true))


def _labels_row(metrics: dict) -> str:
    """The labels' own fit, which `factory.assemble` has judged the same way."""
    found = metrics["cross_validation"]["label fit"], metrics["cd"]["label fit"]
    return _row_of("**that mean for each of four segments, added up: the labels**", found)


def _row(name: str, predicted: tuple[np.ndarray, np.ndarray], true: tuple[np.ndarray, np.ndarray]) -> str:
    return _row_of(name, [coefficient_metrics(*pair) for pair in zip(predicted, true, strict=True)])


def _row_of(name: str, found: Sequence[dict]) -> str:
    cells = [f"{m['r2']:.3f} | {m['mae']:.4f}" for m in found]
    row = f"| {name} | {' | '.join(cells)} |"
    print(row, flush=True)
    return row


def _learning_curve(features: DesignFeatures, train: list, test: list) -> Iterator[str]:
    rows, values = _rows_and_cd(features.with_roof_line, train)
    query, true = _rows_and_cd(features.with_roof_line, test)
    parts = features.forces_by_segment(train)[:, 0]
    order = np.random.default_rng(_SEED).permutation(len(rows))
    yield _CURVE_HEAD
    for size in (*SIZES, len(order)):
        kept = order[:size]
        yield _curve_row(size, SumFit.of(rows[kept], parts[kept], values[kept])(query), true)


def _family_curve() -> Iterator[str]:
    """The same of procedural cars."""
    train, test = split(family_cars(ROOT / "resources" / "corpus" / "procedural_cars", pool=_UNUSED))
    shapes = [FamilyShape(car.clouds, car.case.parameters) for car in test]
    true = np.array([car.coefficients["cd"] for car in test])
    order = np.random.default_rng(_SEED).permutation(len(train))
    yield _CURVE_HEAD
    for size in (*FAMILY_SIZES, len(order)):
        fit = fit_family_coefficients([train[i] for i in order[:size]])
        yield _curve_row(size, fit(shapes)[:, 0], true)


def _curve_row(size: int, predicted: np.ndarray, true: np.ndarray) -> str:
    found = coefficient_metrics(predicted, true)
    return f"| {size} | {found['r2']:.3f} | {found['mae']:.4f} |"


if __name__ == "__main__":
    main()
