"""The card of a model that was taught a user's own cars: what that gained, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gnn.calibration import LEAST
from gnn.card import write_card
from gnn.evaluation import r2_score
from gnn.model_config import ModelConfig


def write_fine_tuned_card(folder: Path, config: ModelConfig, metrics: Mapping[str, Any]) -> None:
    """config, metrics: as written by gnn.training.fine_tune."""
    base, counts = metrics["base"], metrics["counts"]
    licence = "What it learnt from your own cars is yours to decide about."
    lead = (
        f"Drag, surface pressure and friction of cars: the model {base['name']}@{base['digest']}, taught "
        f"{_cars(counts['own'])} of your own."
    )
    if not config.licences:
        licence = f"The weights that it started from are Apache-2.0.\n{licence}"
    write_card(folder, config, metrics, lead, _sections(metrics), licence)


def _sections(metrics: Mapping[str, Any]) -> dict[str, str]:
    counts, interval = metrics["counts"], metrics["interval"]
    before, after = metrics["before"], metrics["after"]
    return {
        "Trained on": f"""- Your own: {_cars(counts["own_learnt"])}.
- Repeated, so as not to be forgotten: {_cars(counts["ours_learnt"])} of ours, and shapes between them for which the
  old drag network's answer was the target.""",
        "What it gained on your cars": f"""{_how_held_out(counts)}

{_table(before["own"], after["own"])}""",
        "What it lost on ours": f"""{len(after["ours"])} designs that no training saw, the same before and after.

{_tables_by_kind(before["ours"], after["ours"])}""",
        "Interval and novelty": f"""The {interval["level"]:.0%} interval is the wider of what our held-out cars \
and yours need, both predicted after training:

| Cd ± | before | now | ours need | yours need |
|---|---|---|---|---|
{_interval_row("cars that the template fits", interval["groups"]["half_width"], interval["half_width"])}
{_interval_row("all others", interval["groups"]["off_template"], interval["off_template"])}

{_how_calibrated(counts, interval["groups"])}

Novelty counts from your cars too: a car like one of them is not novel any more.
{_novelty(before["own"], after["own"])}""",
        "Limits": """- Where the template of the old model fits a car (a morphed DrivAer), the surface fields still \
come from it, unchanged.
- Drag of a car unlike all of these is a guess, and its novelty says so.
- Your CFD and ours differ in mesh, solver and settings; the model learns yours for cars like yours.""",
    }


def _cars(n: int) -> str:
    return f"{n} car" if n == 1 else f"{n} cars"


def _how_held_out(counts: dict[str, Any]) -> str:
    if not counts["crossed"]:
        n = counts["own"] - counts["own_learnt"]
        return (
            f"Measured on {n} of your {counts['own']} cars, which were held out (every fifth by its name's checksum)."
        )
    if counts["own"] == 1:
        return "With one car none is left to measure it on: what was gained is unknown. The old model predicted it so:"
    return (
        f"Too few to hold some out for good, so each was held out in turn: the figures are of trial trainings that had "
        f"not seen the car. The model itself has learnt from all {counts['own']}."
    )


def _tables_by_kind(before: Sequence[dict], after: Sequence[dict]) -> str:
    if not after:
        return "None could be measured: the model it started from brings no held-out designs along."
    parts = []
    for kind in dict.fromkeys(row["kind"] for row in after):
        some = [[row for row in rows if row["kind"] == kind] for rows in (before, after)]
        parts.append(f"{len(some[1])} {kind}:\n\n{_table(*some)}")
    return "\n\n".join(parts)


def _table(before: Sequence[dict], after: Sequence[dict]) -> str:
    lines = ["| | before | after |", "|---|---|---|"]
    for name, figure in _FIGURES.items():
        old = figure(before)
        if old is not None:
            new = figure(after) if after else None
            lines.append(f"| {name} | {old} | {new or 'not measured'} |")
    return "\n".join(lines)


def _cd_errors(rows: Sequence[dict]) -> np.ndarray:
    return np.array([row["cd_predicted"] - row["cd"] for row in rows])


def _r2(rows: Sequence[dict]) -> str | None:
    true = np.array([row["cd"] for row in rows])
    if len(rows) < 3 or not np.ptp(true) > 0:
        return None
    return f"{r2_score(_cd_errors(rows) + true, true):.3f}"


_FIGURES = {
    "Cd, mean absolute error": lambda rows: f"{np.abs(_cd_errors(rows)).mean():.4f}",
    "Cd, largest error": lambda rows: f"{np.abs(_cd_errors(rows)).max():.4f}",
    "Cd, mean error": lambda rows: f"{_cd_errors(rows).mean():+.4f}",
    "Cd, R2": _r2,
    "Cl, mean absolute error": lambda rows: f"{np.mean([abs(r['cl_predicted'] - r['cl']) for r in rows]):.4f}",
    "Cp, relative L2 error": lambda rows: f"{np.mean([r['cp_l2'] for r in rows]):.3f}",
    "Cf, relative L2 error": lambda rows: f"{np.mean([r['cf_l2'] for r in rows]):.3f}",
}


def _interval_row(name: str, group: dict[str, Any], now: float) -> str:
    ours = f"{group['ours']:.4f} ({group['n_ours']})" if group["n_ours"] >= LEAST else f"as before ({group['n_ours']})"
    own = "" if group["own"] is None else f"{group['own']:.4f} ({group['n_own']})"
    return f"| {name} | {group['before']:.4f} | {now:.4f} | {ours} | {own} |"


def _how_calibrated(counts: dict[str, Any], groups: dict[str, Any]) -> str:
    lines = [
        f"In brackets: of how many cars. From {LEAST} on it is conformal; where ours are fewer theirs stays as it was."
    ]
    few = [group["n_own"] for group in groups.values() if 0 < group["n_own"] < LEAST]
    if counts["own"] == 1:
        lines.append("Yours is the old model's error on your one car: nothing can be promised for the next one.")
    else:
        lines += [
            f"Of {n} of yours it is the largest error, to be expected to hold for {n / (n + 1):.0%} of such cars."
            for n in sorted(set(few))
        ]
    return "\n".join(lines)


def _novelty(before: Sequence[dict], after: Sequence[dict]) -> str:
    def mean(rows: Sequence[dict]) -> str:
        return f"{np.mean([row['novelty'] for row in rows]):.2f}"

    if not after:
        return f"Before, your car scored {mean(before)}."
    return f"Held-out cars of yours scored {mean(before)} on average before, {mean(after)} after (above 1 is outside)."
