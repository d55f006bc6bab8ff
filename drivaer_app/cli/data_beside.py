"""``drivaer data info --predict``: a design's prediction beside the CFD that its corpus publishes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from drivaer_app.cli.options import predictor_of
from drivaer_app.cli.terminal import BadUsage, Waiting, say

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from drivaer_app.truth import BesideCfd


def check_picture(path: Path | None) -> None:
    """Raises BadUsage for a picture that could not be written, before anything is predicted."""
    if path is not None and path.suffix.lower() != ".png":
        raise BadUsage(f"--picture {path}: must be a .png")
    if path is not None and not path.absolute().parent.is_dir():
        raise BadUsage(f"--picture {path}: there is no folder {path.parent}")


def beside(catalogue: Catalogue, design: str, model: str | None, device: str, picture: Path | None) -> BesideCfd:
    """Predict and compare, and draw where a picture is asked for. Raises DrivAerError."""
    from drivaer_app.pictures.sides_picture import write_sides
    from drivaer_app.truth import beside_its_cfd

    waiting = Waiting(1)
    with waiting.on("loading the models"):
        predictor = predictor_of(model, device)
    with waiting.on_file(design):
        found = beside_its_cfd(catalogue, design, predictor)
    for warning in (*found.prediction.warnings, *found.warnings):
        say(f"{design}: {warning}")
    if picture is None:
        return found
    if found.truth is None or found.truth.error is None:
        say(f"{picture} is not drawn: there are no two pressures to compare")
        return found
    cfd = found.on_same_area.cd
    title = f"Cd {found.prediction.cd:.3f} predicted" + ("" if cfd is None else f", {cfd:.3f} by CFD")
    off = f"Cp differs by {found.truth.error.relative_l2:.1%} (relative L2), MAE {found.truth.error.mae:.3f}"
    write_sides(picture, found.drawn, found.truth.cp, title, f"{design}, {off}")
    say(f"{picture}: Cp of the CFD, as predicted, and the difference")
    return found


def show_beside(found: BesideCfd, to: TextIO) -> None:
    """Under what the catalogue knows."""
    p, cfd = found.prediction, found.on_same_area
    interval = "" if p.cd_low is None else f" ({p.cd_low:.4f} to {p.cd_high:.4f})"
    holds = "" if p.in_distribution is not False else ", outside of what the model learnt from: no interval holds"
    print(f"  predicted: Cd {p.cd:.4f}{interval} by {p.model}{holds}", file=to)
    if found.counts is not None:
        on_area = "" if found.published.area is None else f", the CFD's brought to {p.frontal_area:.3f} m²"
        print(f"  Cd is off by {found.counts:+.1f} counts{on_area}", file=to)
    if p.cl is not None and cfd.cl is not None:
        print(f"  Cl is off by {p.cl - cfd.cl:+.4f}", file=to)
    if found.truth is not None:
        if found.truth.error is not None:
            print(f"  {found.truth.error.in_words}", file=to)
        print(f"  Cp of the CFD: {found.truth.source}", file=to)
