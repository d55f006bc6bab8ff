"""The bundled model's card, and the tables of its accuracy that the README shows too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from factory.real_labels import SHARE_OF_REST
from gnn.card import write_card
from gnn.model_config import ModelConfig

LABEL_NOISE = """\
The labels are uncertain themselves. Of three procedural cars solved again, Cd changed by 0.0029 on a mesh shifted by a
third of a cell and by 0.0014 with twice the iterations, differences within a family by 0.0013 and 0.0027."""
"""Measured by ``drivaer corpus noise``: resources/corpus/procedural_cars/README.md."""


_LEAD = """\
Drag (RegDGCNN) and surface pressure and friction (a bent template, FieldNet beyond it) of cars, from our own open CFD.\
"""
_LICENCE = """\
Weights Apache-2.0. Shapes: morphs of the DrivAer geometry (Technical University of Munich) as distributed with
OpenFOAM."""


def write_bundled_card(folder: Path, config: ModelConfig, metrics: dict[str, Any]) -> None:
    """config, metrics: as made by factory.assemble."""
    sections = {
        "Trained on": _trained_on(config, metrics),
        f"Accuracy on {metrics['counts']['test']} designs that no training saw": _accuracy(metrics),
        **({"Of the real car": _of_real(config, metrics["real"])} if "real" in metrics else {}),
        "Interval and novelty": _interval(metrics),
        "Limits": _limits(config, metrics),
    }
    write_card(folder, config, metrics, _LEAD, sections, _LICENCE)


def _trained_on(config: ModelConfig, metrics: dict[str, Any]) -> str:
    counts = metrics["counts"]
    styles = ", ".join(f"{n} {style}s" for style, n in counts["styles"].items())
    return f"""{counts["train"]} RANS cases of {counts.get("what", config.trained_on)} ({styles}; detailed and smooth
underbodies): OpenFOAM v1912, k-omega SST, half car, about 135,000 cells, 30 m/s, moving ground, rotating wheels.
{_drag_learnt(config.drag.counts)}
- Template: the CFD's own surface, bent onto a car by 26 modes of shape, with the Cp and Cf of all the cases as smooth
  functions of how it is bent and of its rear roof line. It answers where it lies on the car's surface, by the share to
  which the whole car is one of its morphs.
- FieldNet: the faces of {config.field.counts["n_cases"]} cases. It answers where the template does not.
{_families_learnt(metrics)}"""


def _accuracy(metrics: dict[str, Any]) -> str:
    return f"""\
Held out are whole designs (index modulo 5 = 2). Each was meshed, sampled and predicted as a user's file is.
A label is itself uncertain: Cd swings by {metrics["label_scatter"]:.4f} within its averaging window.

{accuracy_tables(metrics)}

*network*: RegDGCNN, from the surface alone. *field integral*: the bundled Cp and Cf integrated. *bundled*: what
prediction gives, template and FieldNet together, from the surface alone. *label fit*: the Gaussian processes on the
morph parameters that labelled the training shapes. *linear fit*: ridge regression on the morph parameters, the
yardstick. The fits know the parameters, which no user's file carries; for Cp and Cf, also every point's CFD face.

8-fold cross-validation inside the training designs: {_folds(metrics, "label fit")}; {_folds(metrics, "linear fit")}."""


def _of_real(config: ModelConfig, figures: dict[str, Any]) -> str:
    """config, figures: as made by factory.real_step."""
    assert config.interval is not None
    assert config.difference is not None
    counts, errors = config.drag.counts if config.drag else {}, figures["errors"]
    alone = figures["errors_alone"]
    rows = "\n".join(f"| {car} | {1000 * error:+.0f} | {1000 * alone[car]:+.0f} |" for car, error in errors.items())
    bodies, floors = figures["bodies"], figures["differences"]["errors"].values()
    floors = ", ".join(f"{1000 * error:+.0f}" for error in floors)
    return f"""\
`cd` is the best estimate for the real car on a moving road; `cd_rans` is what our own coarse CFD would give for it,
which all tables above are about. The one comes from the other by a second head on the drag network's pooled features
(`RegDGCNN.discrepancy`). It learnt from {counts.get("n_real_designs", 0)} designs of cars and \
{counts.get("n_published_bodies", 0)} published bodies:
- the level of a body from the wind tunnel: DrivAer fastback, notchback and estate, detailed and smooth floor (Heft,
  Indinger & Adams 2012); of other bodies the mean of what our CFD is off there;
- what seven parameters of shape do from DrivAerML (hybrid RANS-LES, CC BY-SA 4.0), its width counted between two
  readings of its table;
- of what else our CFD says of a design {100 * SHARE_OF_REST:.0f} %, and nothing of what it says of nine more
  parameters of DrivAerML, which do nothing there;
- Ahmed bodies from AhmedML (hybrid RANS-LES, CC BY-SA 4.0), without its official test set `full`.

Lift of cars is our CFD's; so are pressure and friction, whose integral is compared with `cd_rans`.

Cd of the tunnel's cars is off by so many counts (of 0.001) when it is left out of all of it:

| left out | its whole body, both floors | that car alone |
|---|---|---|
{rows}

So Cd ± {config.interval.half_width:.3f} is the {config.interval.level:.0%} interval (Student's t; \
{2 * len(errors)} errors are few, hence wide), and
a difference of two cars of one body is certain beyond {1000 * config.difference.base:.0f} counts and a share of \
itself (left out, the floor's effect
was off by {floors} counts). Between two body styles the levels above tell how far to go wrong. Ahmed \
bodies get ± {bodies["half_width"]:.3f},
conformal on {len(bodies["errors"])} that were left out."""


def _interval(metrics: dict[str, Any]) -> str:
    if "real" in metrics:
        return f"""{_interval_of(metrics)}
All of this is about `cd_rans`."""
    return _interval_of(metrics)


def _interval_of(metrics: dict[str, Any]) -> str:
    interval = metrics["interval"]
    return f"""Cd ± {interval["half_width"]:.4f} is the {interval["level"]:.0%} interval, conformal on the \
{interval["n"]} held-out
designs. Leaving each of them out of its own calibration, {interval["coverage"]:.0%} are covered. The interval holds for
designs like these; where novelty is above 1 it does not, and the prediction says so. The most novel held-out design
scores {metrics["novelty_of_held_out"]:.2f}.
{_families_interval(metrics)}"""


def _limits(config: ModelConfig, metrics: dict[str, Any]) -> str:
    return f"""- Half-model RANS on coarse meshes{_told_apart(metrics)}.
- Not seen: {_not_seen(metrics)}. Their numbers come with a warning and no promise.
- No cooling flow, no yaw, no Reynolds-number effect: coefficients are for 30 m/s.
- Where the template does not fit, the integrated pressure drag is corrected by
  {config.cd_pressure_offset:+.4f}, the mean difference between CFD and FieldNet's integral on training
  designs that no template fits."""


def _told_apart(metrics: dict[str, Any]) -> str:
    return ", corrected by few anchors" if "real" in metrics else ". It ranks such shapes; it is not the wind tunnel"


def accuracy_tables(metrics: dict[str, Any]) -> str:
    """Cd, Cl, Cp and Cf on the held-out designs, Markdown."""
    return f"""| Cd | R2 | MAE | largest error | rank correlation |
|---|---|---|---|---|
{_coefficient_rows(metrics["cd"])}

| Cl | R2 | MAE | largest error | rank correlation |
|---|---|---|---|---|
{_coefficient_rows(metrics["cl"])}

| relative L2 error | Cp | Cf |
|---|---|---|
{_field_rows(metrics)}{_family_tables(metrics.get("families"))}

{LABEL_NOISE}"""


def _drag_learnt(counts: dict[str, int]) -> str:
    first = counts.get("n_encoder_cases", counts["n_cases"])
    learnt = f"- Drag network: {counts['n_designs']} designs whose Cd and Cl Gaussian processes on {first} cases gave"
    if "n_read_designs" in counts:
        learnt += f"; its\n  last layers, once more, on {counts['n_read_designs']}, by processes on {counts['n_cases']}"
    return f"{learnt}.\n  Every step draws other points; no design is scaled."


def _families_learnt(metrics: dict[str, Any]) -> str:
    families = metrics.get("families")
    if not families:
        return ""
    styles = ", ".join(f"{n} {style}" for style, n in families["styles"].items())
    return (
        f"- Besides: {families['train']} cases of procedural cars ({styles}), RANS of the same kind,\n"
        f"  `resources/corpus/procedural_cars`; they are among the cases counted above.\n"
    )


def _families_interval(metrics: dict[str, Any]) -> str:
    families = metrics.get("families")
    if not families:
        return ""
    interval = families["interval"]
    if not interval:
        return "Of cars that are not of the morphs' family none was held out: whether it holds for them is not known.\n"
    if interval["coverage"] is None:
        return (
            f"Cars that are not of the morphs' family get Cd ± {interval['half_width']:.4f}, the largest error on "
            f"{families['test']} held-out procedural\ndesigns, which are too few for a calibrated interval.\n"
        )
    return (
        f"Cars that are not of the morphs' family get Cd ± {interval['half_width']:.4f}, conformal on the "
        f"{families['test']} held-out\nprocedural designs, {interval['coverage']:.0%} covered when left out of it.\n"
    )


def _not_seen(metrics: dict[str, Any]) -> str:
    seen = {str(style).lower() for style in metrics.get("families", {}).get("styles", {})}
    kinds = [name for style, name in (("suv", "SUVs"), ("van", "vans")) if style not in seen]
    return ", ".join([*kinds, "trucks", "sports cars"]) + " and open cars"


def _family_tables(families: dict[str, Any] | None) -> str:
    """The same figures on held-out designs of procedural cars; nothing where there are none."""
    if not families or not families["cd"]:
        return ""
    return f"""

On {families["test"]} held-out designs of procedural cars:

| procedural cars | R2 | MAE | largest error | rank correlation |
|---|---|---|---|---|
{_coefficient_rows({f"Cd, {name}": m for name, m in families["cd"].items()})}
{_coefficient_rows({f"Cl, {name}": m for name, m in families["cl"].items()})}

Their relative L2 error is {families["cp"]:.3f} in Cp and {families["cf"]:.3f} in Cf."""


def _coefficient_rows(table: dict[str, dict[str, float]]) -> str:
    return "\n".join(
        f"| {name} | {m['r2']:.3f} | {m['mae']:.4f} | {m['max_error']:.4f} | {m['rank_correlation']:.3f} |"
        for name, m in table.items()
    )


def _folds(metrics: dict[str, Any], name: str) -> str:
    m = metrics["cross_validation"][name]
    return f"{name} R2 {m['r2']:.2f}, MAE {m['mae']:.4f}"


def _field_rows(metrics: dict[str, Any]) -> str:
    return "\n".join(f"| {name} | {value:.3f} | {metrics['cf'][name]:.3f} |" for name, value in metrics["cp"].items())
