"""The step that makes a model answer for the real car: its second head, and how far to trust that."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import nn

from data.corpora import wind_tunnel
from data.corpora.published_runs import PublishedRun, read_manifest, read_runs
from data.corpora.runs import AHMEDML
from data.errors import DrivAerError
from factory.assemble import Corpus
from factory.card import write_bundled_card
from factory.cloud_pool import Shape
from factory.discrepancy import Lessons, ahmed_shapes, family_groups, handle_groups, morph_groups
from factory.published_effects import drivaerml_effects
from factory.readout import cached_features
from factory.real_labels import Cars, measured
from factory.work import StepOptions
from gnn.calibration import conformal_half_width
from gnn.checkpoints import METRICS, REAL, ModelFolder, read_model, write_model
from gnn.model_config import DRAG, FIELD, Interval, NetworkConfig
from gnn.networks import build_network
from gnn.novelty import ProfileCloud
from gnn.regdgcnn import RegDGCNN
from gnn.training.losses import Scale
from gnn.training.replay import REPLAY

log = logging.getLogger(__name__)

TEST = "full"
"""Whose official test set is never learnt from."""
_CLOUDS = 2
_FOLDS = 5  # of AhmedML's bodies, of which one is left out with each of the tunnel's
_SEED = 3


def train_real(work: StepOptions, corpus: Corpus) -> None:
    """Writes the model folder ``out`` anew, with a second head and the figures of what was left out of teaching it."""
    model = read_model(work.start or work.out)
    config, network = with_discrepancy(model)
    lessons = gather(work, corpus, network, config)
    scale = Scale(config.mean, config.spread)
    figures = left_out(work, lessons, model, scale)
    learnt = lessons.learn(network, scale, work.checkpoint("real"))
    counts = {**config.counts, "n_real_designs": len(lessons.simulated), "n_published_bodies": len(lessons.runs)}
    finish(work, model, replace(config, counts=counts), learnt, figures, lessons)


def finish(
    work: StepOptions,
    model: ModelFolder,
    drag: NetworkConfig,
    network: RegDGCNN,
    figures: dict[str, Any],
    lessons: Lessons,
) -> None:
    """Write the model folder: what the model had, the new head, and how far its answers for the real car hold.

    A car that the template does not fit is no nearer to the tunnel's than those that were left out: all have one width.
    A difference between two cars is no more certain than that of one body's floors was when the body was left out.
    """
    old, novelty = model.config, model.novelty()
    assert old.interval is not None
    assert old.difference is not None
    assert novelty is not None
    of_rans = old.interval_rans or old.interval
    kept = [cloud for number, cloud in enumerate(novelty.clouds) if number != old.bluff_cloud]
    profiles = np.array([shape.profile(np.random.default_rng((_SEED, i))) for i, shape in enumerate(lessons.bodies)])
    clouds = (*kept, ProfileCloud.fit(profiles))
    config = replace(
        old,
        drag=drag,
        licences=_LICENCES,
        interval=Interval(figures["half_width"], level=of_rans.level, bluff=figures["bodies"]["half_width"]),
        interval_rans=of_rans,
        difference=replace(old.difference, base=max(old.difference.base, figures["differences"]["half_width"])),
        difference_off_template=None,
        bluff_cloud=len(clouds) - 1,
    )
    networks = {DRAG: network.state_dict(), FIELD: model.part(FIELD)}
    write_model(work.out, config, networks, replace(novelty, clouds=clouds), model.templates())
    for name in (REPLAY, METRICS):
        if work.out != model.path:
            shutil.copyfile(model.path / name, work.out / name)
    metrics = json.loads((work.out / METRICS).read_text("utf-8")) | {"real": figures}
    (work.out / REAL / "LICENSE").write_text(_LICENCE, encoding="utf-8")
    write_bundled_card(work.out, config, metrics)


_LICENCES = ("CC BY-SA 4.0 (AhmedML, DrivAerML)",)
_LICENCE = """\
weights.safetensors in this folder was learnt from published results and is licensed under
Creative Commons Attribution-ShareAlike 4.0 International (CC BY-SA 4.0):
https://creativecommons.org/licenses/by-sa/4.0/legalcode

It is derived from
- AhmedML: N. Ashton, D. Maddix, S. Gundry, P. Shabestari, arXiv:2407.20801, CC BY-SA 4.0. Cd, Cl and the dimensions of
  the bodies outside of the official test set "full"; changed: fitted, and learnt from together with other bodies.
- DrivAerML: N. Ashton et al., arXiv:2408.11969, CC BY-SA 4.0. Cd and the parameters of 484 runs; changed: a linear fit.
"""


def with_discrepancy(model: ModelFolder) -> tuple[NetworkConfig, RegDGCNN]:
    """A model's drag network with a second head that changes nothing yet, whose hidden layers are the first one's."""
    section = model.section(DRAG)
    architecture = {**section.architecture, "discrepancy": True}
    network, old = build_network(section.network, architecture), model.network(DRAG)
    assert isinstance(network, RegDGCNN)
    assert isinstance(old, RegDGCNN)
    network.load_state_dict(old.state_dict() | _hidden_of_first(old), strict=False)
    both = {name: (*values[:2], values[0]) for name, values in (("mean", section.mean), ("spread", section.spread))}
    return replace(section, architecture=architecture, **both), network.eval()


def _hidden_of_first(network: RegDGCNN) -> dict[str, Any]:
    """The first head's hidden layers, by their names in the second."""
    found = {}
    for number in range(network.n_hidden):
        for at, layer in (
            (3 * number, f"linear{number + 1}"),
            (3 * number + 1, f"bn{network.n_edge_convs + 2 + number}"),
        ):
            module: nn.Module = network.get_submodule(layer)
            found |= {f"discrepancy.{at}.{name}": value for name, value in module.state_dict().items()}
    return found


def gather(work: StepOptions, corpus: Corpus, network: RegDGCNN, config: NetworkConfig) -> Lessons:
    """Raises DrivAerError where the published tables are not given."""
    if len(work.published) != 2:
        raise DrivAerError("--published: AhmedML's folder and DrivAerML's are missing", fix="give both, in this order")
    ahmedml, drivaerml = work.published
    effects, _, _ = drivaerml_effects(drivaerml)
    runs = learnt_runs(ahmedml)
    groups = [
        *morph_groups(corpus.clouds.generator, corpus.cases, effects),
        *family_groups(corpus.family_cars, effects),
        *handle_groups(corpus.clouds.generator, effects),
    ]
    own, bodies = ahmed_shapes(runs)
    of_cars: list[Shape] = [shape for group in groups for shape in group.shapes]
    shapes: dict[str, Sequence[Shape]] = {"published bodies": own, "bodies": bodies, "cars": of_cars}
    features = {
        kind: cached_features(
            network, some, config.n_points, work.folder / f"features_real_{kind.replace(' ', '_')}.npy", _CLOUDS
        )
        for kind, some in shapes.items()
    }
    with torch.inference_mode():
        standard = torch.stack([network.simulated(features["cars"][:, i]) for i in range(_CLOUDS)]).mean(dim=0)
    simulated = standard.double().numpy() * np.array(config.spread[:2]) + np.array(config.mean[:2])
    return Lessons(groups, runs, bodies, effects, features, simulated)


def learnt_runs(folder: Path) -> list[PublishedRun]:
    """AhmedML's runs outside of the official test set, without those that are known to be flawed."""
    runs, test = read_runs(folder, AHMEDML), set(read_manifest(folder)[TEST]["test"])
    return [run for number, run in runs.items() if number not in test and run.parameters and not run.flaw]


def left_out(work: StepOptions, lessons: Lessons, model: ModelFolder, scale: Scale) -> dict[str, Any]:
    """Errors of Cd of the tunnel's cars and AhmedML's runs, by heads that have learnt nothing of them.

    Each body is left out whole, both floors, with a fifth of the runs; then each car alone.
    """
    bodies = list(dict.fromkeys(body for body, _ in wind_tunnel.DRIVAER))
    fold = np.random.default_rng(_SEED).permutation(len(lessons.runs)) % _FOLDS
    whole: dict[str, float] = {}
    alone: dict[str, float] = {}
    of_runs: list[float] = []
    for number, body in enumerate(bodies):
        held = fold == number
        cars = frozenset({(body, "detailed"), (body, "closed")})
        learnt = _without(work, lessons, model, scale, cars, held)
        whole |= _errors(lessons, learnt, scale, cars)
        known = lessons.features["published bodies"][torch.from_numpy(held)]
        predicted = [_cd(learnt, features, scale) for features in known]
        true = [run.cd_own for run, is_held in zip(lessons.runs, held, strict=True) if is_held]
        of_runs += (np.array(predicted) - true).tolist()
        log.info("left out: %s", whole)
    for body in bodies:
        for floor in ("detailed", "closed"):
            cars = frozenset({(body, floor)})
            alone |= _errors(lessons, _without(work, lessons, model, scale, cars), scale, cars)
            log.info("left out alone: %s", alone)
    apart = _of_floors(whole)
    return {
        "errors": whole,
        "errors_alone": alone,
        "half_width": prediction_half_width(np.array([*whole.values(), *alone.values()])),
        "differences": {"errors": apart, "half_width": prediction_half_width(np.array(list(apart.values())))},
        "bodies": {"errors": of_runs, "half_width": conformal_half_width(np.array(of_runs))},
    }


def _without(
    work: StepOptions,
    lessons: Lessons,
    model: ModelFolder,
    scale: Scale,
    cars: Cars,
    runs: np.ndarray | None = None,
) -> RegDGCNN:
    _, network = with_discrepancy(model)
    name = "_".join(sorted({part for car in cars for part in car}))
    return lessons.learn(network, scale, work.checkpoint(f"real_without_{name}"), cars, runs)


def _errors(lessons: Lessons, network: RegDGCNN, scale: Scale, cars: Cars) -> dict[str, float]:
    """Of the tunnel's cars, which are the first of their groups."""
    found: dict[str, float] = {}
    start = 0
    for group in lessons.groups:
        key = f"{group.body}, {group.floor}"
        if group.measured and (group.body, group.floor) in cars and key not in found:
            found[key] = _cd(network, lessons.features["cars"][start], scale) - measured(group.body, group.floor)
        start += len(group.shapes)
    return found


def _of_floors(errors: dict[str, float]) -> dict[str, float]:
    """What the errors come to in the difference that closing a body's floor makes."""
    bodies = dict.fromkeys(key.partition(",")[0] for key in errors)
    return {f"{body}, closed less detailed": errors[f"{body}, closed"] - errors[f"{body}, detailed"] for body in bodies}


def _cd(network: RegDGCNN, features: torch.Tensor, scale: Scale) -> float:
    with torch.inference_mode():
        return float(network.head(features)[:, 0].double().mean()) * scale.spread[0] + scale.mean[0]


def prediction_half_width(errors: np.ndarray, level: float = 0.9) -> float:
    """Half width that a new error stays within with probability ``level``, from a few (n,) of a normal law about zero.

    Student's t with as many degrees of freedom; too few errors for a conformal width.
    """
    n = len(errors)
    return float(stats.t.ppf(0.5 + level / 2, n) * np.sqrt((errors**2).mean() * (1 + 1 / n)))
