"""Teach the drag network what the real car's coefficients differ by from our own CFD's, on pooled features.

The features are computed once, as for `factory.readout`; what is learnt is the second head (`RegDGCNN.discrepancy`),
and what the network says of our own CFD stays as it is. It learns from designs of the cars that a wind tunnel measured,
of our procedural cars (`factory.real_labels`), and from AhmedML's bodies (`factory.ahmed_bodies`). Then each of the
tunnel's bodies, with a fifth of AhmedML's, is left out in turn, which tells how far to trust what comes out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.corpora.case import Case
from data.corpora.published_runs import PublishedRun
from data.frontal_area import frontal_area
from factory.ahmed_bodies import AhmedFit, AhmedShape, bodies_of, random_bodies
from factory.families import FamilyShape, families_of, random_family_designs
from factory.handle_designs import BendableCar, HandleShape, random_handle_shapes
from factory.labels import ridge
from factory.morph_generator import STYLES, MorphGenerator
from factory.morphs import MorphClouds, MorphDesign, MorphShape, random_designs
from factory.published_effects import Effect
from factory.readout import train_readout
from factory.real_labels import (
    Cars,
    Variants,
    idle,
    levels,
    parameters_of_family_design,
    parameters_of_handles,
    parameters_of_morph,
    secure,
    slopes,
)
from factory.tunnel_cars import ROOF_LINES
from gnn.regdgcnn import RegDGCNN
from gnn.training.cars import FamilyCar
from gnn.training.losses import Scale

log = logging.getLogger(__name__)

FLOORS = ("detailed", "smooth", "closed")
N_DESIGNS = {"morphs": 100, "roofs": 120, "families": 120, "handles": 160, "bodies": 700}
"""Of each style and floor, of each other roof line and floor, of each family, by the program's handles; Ahmed bodies
between AhmedML's."""
SHARES = {"cars": 0.7, "published bodies": 0.15, "bodies": 0.15}
"""Of what the head learns from."""
STEPS, RATE = 3000, 2e-3
_SEED = 5
_AREA_EVERY = 4  # shapes: of so many the frontal area of one is measured


@dataclass(frozen=True, eq=False)
class Group:
    """Designs of one car (`factory.real_labels.Variants`), the car itself first; areas relative to its own."""

    body: str
    floor: str
    shapes: Sequence[MorphShape | FamilyShape | HandleShape]
    parameters: np.ndarray
    idle: np.ndarray
    areas: np.ndarray
    measured: bool = False

    def variants(self, cd_rans: np.ndarray) -> Variants:
        return Variants(self.body, self.floor, self.parameters, self.idle, self.areas, cd_rans, self.measured)


def morph_groups(generator: MorphGenerator, cases: Sequence[Case], effects: dict[str, Effect]) -> list[Group]:
    """Of every style and floor of the corpus's generator, and of the tunnel's other roof lines."""
    names = secure(effects), idle(effects)
    area = _area_of_morphs(generator, cases)
    clouds = MorphClouds(generator, underbodies=FLOORS)
    groups = []
    for number, style in enumerate(STYLES):
        for floor in FLOORS:
            some = [d for d in random_designs(generator, 6 * N_DESIGNS["morphs"], _SEED + number) if d.style == style]
            base = MorphDesign(generator.neutral(style), floor)
            designs = [base, *(replace(d, underbody=floor) for d in some[: N_DESIGNS["morphs"]])]
            measured = style == "fastback" and floor != "smooth"
            groups.append(_morph_group(style, floor, designs, clouds, names, area, measured))
    for number, roof in enumerate(ROOF_LINES):
        other = MorphGenerator(generator.corpus, generator.geometry, roof)
        floors = ("detailed", "closed")
        clouds = MorphClouds(other, styles=("fastback",), underbodies=floors)
        for floor in floors:
            some = random_designs(generator, 2 * N_DESIGNS["roofs"], _SEED + 10 + number)
            unstyled = [{k: v for k, v in d.parameters.items() if k in generator.morph.RANGES} for d in some]
            designs = [MorphDesign(p, floor) for p in (generator.neutral("fastback"), *unstyled[: N_DESIGNS["roofs"]])]
            groups.append(_morph_group(roof, floor, designs, clouds, names, area, measured=True))
    return groups


def _morph_group(body, floor, designs, clouds: MorphClouds, names, area, measured: bool) -> Group:
    parameters, others = (np.array([parameters_of_morph(d, some) for d in designs]) for some in names)
    generator = clouds.generator
    own = frontal_area(*generator.mesh(designs[0].parameters, floor))
    areas = area(designs)
    shapes = [MorphShape(design, clouds) for design in designs]
    return Group(body, floor, shapes, parameters, others, own * areas / areas[0], measured)


def _area_of_morphs(generator: MorphGenerator, cases: Sequence[Case]):
    """A fit of the frontal area, m², on the cases'."""
    names = list(generator.morph.RANGES)
    low, high = np.array(list(generator.morph.RANGES.values())).T

    def rows(designs: Sequence[MorphDesign]) -> np.ndarray:
        own = np.array([[d.parameters[name] for name in names] for d in designs])
        return _products((own - low) / (high - low))

    fit = ridge(rows([MorphDesign.of(case) for case in cases]), np.array([c.frontal_area for c in cases]), 0.1)
    return lambda designs: fit(rows(designs))


def family_groups(cars: Sequence[FamilyCar], effects: dict[str, Effect]) -> list[Group]:
    """Of every family of procedural cars; its name is its style."""
    names = secure(effects), idle(effects)
    groups = []
    for number, clouds in enumerate(families_of(cars)):
        shapes = [FamilyShape(clouds, {}), *random_family_designs([clouds], N_DESIGNS["families"], _SEED + number)]
        parameters, others = (np.array([parameters_of_family_design(s, some) for s in shapes]) for some in names)
        own = [car for car in cars if car.clouds is clouds]
        values = _handle_rows([FamilyShape(clouds, car.case.parameters) for car in own])
        fit = ridge(values, np.array([car.frontal_area for car in own]), 0.1)
        areas = fit(_handle_rows(shapes))
        base = frontal_area(*clouds.family.mesh_on(clouds.family.neutral))
        groups.append(Group(clouds.family.name, "own", shapes, parameters, others, base * areas / areas[0]))
    return groups


def handle_groups(generator: MorphGenerator, effects: dict[str, Effect]) -> list[Group]:
    """The tunnel's fastback bent by the program's own handles; areas by a fit on those of some."""
    names = secure(effects), idle(effects)
    car = BendableCar.of(generator, "detailed")
    shapes = random_handle_shapes(car, N_DESIGNS["handles"], _SEED)
    handles = car.morph.handles
    rows = np.array([[s.values.get(k, h.neutral) - h.neutral for k, h in handles.items()] for s in shapes])
    rows = rows / np.array([h.high - h.low for h in handles.values()])
    areas = np.array([car.morph.apply(s.values).frontal_area for s in shapes[::_AREA_EVERY]])
    fit = ridge(rows[::_AREA_EVERY], areas, 1e-3)
    parameters, others = (
        np.array(
            [
                parameters_of_handles(
                    s.values,
                    {k: v - handles[k].neutral for k, v in s.values.items()},
                    {k: h.unit for k, h in handles.items()},
                    s.furthest,
                    some,
                )
                for s in shapes
            ]
        )
        for some in names
    )
    return [Group("fastback", "detailed", shapes, parameters, others, fit(rows), measured=True)]


def _handle_rows(shapes: Sequence[FamilyShape]) -> np.ndarray:
    """(n, handles): values in shares of each handle's range, from the neutral one."""
    handles = shapes[0].clouds.family.handles
    low, high = np.array([handles.range_of(name) for name in handles.names]).T
    neutral = np.asarray(handles.neutral, float)
    values = [[s.values.get(name, neutral[i]) for i, name in enumerate(handles.names)] for s in shapes]
    return (np.array(values) - neutral) / (high - low)


def _products(rows: np.ndarray) -> np.ndarray:
    one, other = np.triu_indices(rows.shape[1])
    return np.column_stack([rows, rows[:, one] * rows[:, other]])


@dataclass(frozen=True, eq=False)
class Lessons:
    """All that is learnt from, with the pooled features (n, clouds, f) of each and what our CFD says (n, 2).

    groups: of cars, one after another. runs: of AhmedML, learnt from. bodies: more of their kind.
    """

    groups: Sequence[Group]
    runs: Sequence[PublishedRun]
    bodies: Sequence[AhmedShape]
    effects: dict[str, Effect]
    features: dict[str, Tensor]
    simulated: np.ndarray

    def cars(self, left_out: Cars = frozenset()) -> np.ndarray:
        """(n, 2) Cd and Cl of the groups' cars; of lift nothing better is known than our CFD."""
        start = np.cumsum([0, *(len(group.shapes) for group in self.groups)])
        variants = [g.variants(self.simulated[a:b, 0]) for g, a, b in zip(self.groups, start, start[1:], strict=False)]
        each = levels(variants, left_out)
        steps = slopes(self.effects)
        cd = np.concatenate([v.labels(level, steps) for v, level in zip(variants, each, strict=True)])
        return np.column_stack([cd, self.simulated[:, 1]])

    def kept(self, left_out: Cars) -> np.ndarray:
        """(n,) which cars are learnt from: no variant of a measured one that is left out."""
        out = [g.measured and (g.body, g.floor) in left_out for g in self.groups]
        return np.concatenate([np.full(len(g.shapes), not is_out) for g, is_out in zip(self.groups, out, strict=True)])

    def learn(
        self,
        network: RegDGCNN,
        scale: Scale,
        checkpoint: Path,
        left_out: Cars = frozenset(),
        runs_left_out: np.ndarray | None = None,
    ) -> RegDGCNN:
        """The network with its discrepancy taught. runs_left_out (n,): which of AhmedML's runs are not learnt from."""
        kept = self.kept(left_out)
        published = np.ones(len(self.runs), bool) if runs_left_out is None else ~runs_left_out
        runs = [run for run, is_kept in zip(self.runs, published, strict=True) if is_kept]
        known = np.array([[run.cd_own, run.cl_own] for run in runs])
        parts = {
            "cars": (self.features["cars"][torch.from_numpy(kept)], self.cars(left_out)[kept]),
            "published bodies": (self.features["published bodies"][torch.from_numpy(published)], known),
            "bodies": (self.features["bodies"], AhmedFit.of(runs)([shape.body for shape in self.bodies])),
        }
        weights = np.concatenate([np.full(len(labels), SHARES[k] / len(labels)) for k, (_, labels) in parts.items()])
        targets = np.concatenate([labels for _, labels in parts.values()])
        features = torch.cat([features for features, _ in parts.values()])
        standard = (targets - np.array(scale.mean[:2])) / np.array(scale.spread[:2])
        return train_readout(
            network, features, standard, checkpoint, weights=weights, steps=STEPS, rate=RATE, of_discrepancy=True
        )


def ahmed_shapes(runs: Sequence[PublishedRun]) -> tuple[list[AhmedShape], list[AhmedShape]]:
    """The runs' own, and others between them."""
    own = bodies_of(runs)
    more = random_bodies(own, N_DESIGNS["bodies"], _SEED)
    return [AhmedShape(body) for body in own], [AhmedShape(body) for body in more]
