"""What the viewport's panes are to show: the variants on screen, or one of them three times beside its CFD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.layers import LAYERS, LINES, PARTS, TRUTH
from drivaer_app.desk.study_state import StudyState
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.results import COUNT
from drivaer_app.ui.overlays import SIDES, SIDES_SHOW
from drivaer_app.ui.panels.morph import MorphPanel
from drivaer_app.ui.stage import Stage
from drivaer_app.ui.words import cd_of, counts, signed

if TYPE_CHECKING:
    from drivaer_app.ui.viewport import Shown


MOST_COMPARED = 4


def side_by_side(keys: Sequence[str], state: StudyState) -> list[str]:
    """Keys of what is selected, the current one first, as the panes show them: the baseline left, then as opened.

    So a click changes who is there, and never who stands where. Of more than fit the current one is among them.
    """
    if not keys:
        return []
    order = [v.key for v in state.variants if v.key in keys]
    order.sort(key=lambda key: key != state.baseline)
    kept = set(order[:MOST_COMPARED])
    if keys[0] not in kept:
        kept = {*order[: MOST_COMPARED - 1], keys[0]}
    return [key for key in order if key in kept]


class ShownCars:
    """morph: while it is in front, its variant is shown bent."""

    def __init__(self, desk: Desk, stage: Stage, morph: MorphPanel):
        self._desk, self._stage, self._morph = desk, stage, morph

    def of(self, keys: Sequence[str]) -> list[Shown]:
        """Asks for what is not there yet. Needs the viewport's library."""
        keys = [key for key in keys if self._desk.study.state.variant(key)]
        if self._stage.overlay.name == SIDES and keys:
            return self._sides(keys[0])
        return [self._one(key) for key in side_by_side(keys, self._desk.study.state)]

    def stay(self, cars: Sequence[Shown]) -> bool:
        """While a single car's mesh is on its way, the one before stays on screen, under the new one's name."""
        single = len(cars) == 1 and cars[0].drawn is None
        waits = single and self._desk.prediction(cars[0].key).status in ("waiting", "working")
        return waits and self._stage.shows_a_car

    def remark(self, key: str) -> str:
        """Where the CFD's pressure comes from, and how far off the prediction is; empty before that is there."""
        truth = self._desk.layers.truth(key)
        if truth is None:
            return ""
        parts = [f"CFD: {truth.source}", *([truth.error.in_words] if truth.error else []), *truth.warnings]
        return "; ".join(parts)

    def _one(self, key: str) -> Shown:
        from drivaer_app.ui.viewport import Shown

        variant, result = self._desk.study.state.variant(key), self._desk.result(key)
        cd = f"   Cd {cd_of(result)}" if result else ""
        note = " (baseline)" if key == self._desk.study.state.baseline else ""
        difference = self._desk.difference(key)
        if difference is not None:
            cd += f"\nΔCd {counts(difference, with_uncertainty=True)}"
        layers, lacking = self._layers(key)
        drawn = self._drawn(key)
        if drawn is not None:
            layers = {name: layer for name, layer in layers.items() if len(layer) == len(drawn.points)}
        lines = self._lines(key) if drawn is self._desk.drawn(key) else None
        return Shown(key, f"{variant.name}{note}{cd}", drawn, layers, lacking, lines)

    def _sides(self, key: str) -> list[Shown]:
        """CFD, prediction and error of one car; the car alone before its CFD is there, or where there is none."""
        one, truth, cfd = self._one(key), self._desk.layers.truth(key), self._desk.cfd(key)
        if truth is None or one.drawn is not self._desk.drawn(key):
            return [one]
        result = self._desk.result(key)
        titles = [
            "CFD" + (f"   Cd {cfd.cd:.3f}" if cfd else ""),
            "Prediction" + (f"   Cd {cd_of(result)}" if result else ""),
            "Error" + (f"   {signed((result.compared - cfd.cd) / COUNT, 1)} counts" if result and cfd else ""),
        ]
        if truth.error:
            titles[2] += f"\nCp {truth.error.relative_l2:.1%} relative L2, MAE {truth.error.mae:.3f}"
        return [replace(one, title=title, overlay=overlay) for title, overlay in zip(titles, SIDES_SHOW, strict=True)]

    def _layers(self, key: str) -> tuple[dict[str, np.ndarray], str]:
        """What is there of the layers on a variant's points, and why the overlay's is not; asks for that one."""
        layers = self._desk.layers
        there = {name: layer for name in LAYERS if (layer := layers.get(name, key)) is not None}
        if (parts := layers.get(PARTS, key)) is not None:
            there[PARTS] = parts.labels.astype(np.float32)
        name = TRUTH if self._stage.overlay.name == SIDES else self._stage.overlay.name
        if name not in (*LAYERS, PARTS) or name in there:
            return there, ""
        layers.want(name, key)
        return there, layers.lacking(name, key) or "it is being worked out"

    def _lines(self, key: str) -> np.ndarray | None:
        """The flow's lines where they are asked for and there; asks for them where they are not."""
        if not self._stage.view_bar.lines.isChecked():
            return None
        self._desk.layers.want(LINES, key)
        return self._desk.layers.get(LINES, key)

    def _drawn(self, key: str) -> DrawnCar | None:
        """The variant's mesh; bent while it is on the handles of the panel that is in front."""
        bending = self._desk.morphing.now
        drawn = self._desk.drawn(key)
        if self._morph.key == key and self._morph.is_in_front and bending and bending.key == key:
            if bending.drawn is not drawn:
                return drawn
            of_layers = self._stage.overlay.name in (*LAYERS, PARTS, SIDES)  # these lie on the unbent car's points
            return (bending.bent or drawn) if of_layers else bending.shown
        return drawn
