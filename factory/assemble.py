"""From trained networks to a model folder: evaluated on held-out designs, calibrated, and described by a card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from data.corpora.case import Case
from data.mesh import SurfaceSample
from data.nearest import NO_FACE, nearest_faces
from data.sampling import sample_surface
from factory.card import write_bundled_card
from factory.case_fits import CaseFits
from factory.families import families_of, random_family_designs
from factory.labels import DesignFeatures, ridge
from factory.morph_generator import COMPUTED, UnmorphedFaces
from factory.morphs import MorphCar, MorphClouds, MorphDesign, random_designs
from factory.replay_codes import write_replay
from gnn.calibration import LEAST, conformal_half_width, leave_one_out_coverage
from gnn.checkpoints import write_model
from gnn.difference import DifferenceLaw
from gnn.evaluation import coefficient_metrics, evaluate_cars, relative_l2
from gnn.input_frame import to_network
from gnn.loaded_network import LoadedNetwork
from gnn.model_config import FIELD, Interval, ModelConfig, Widths
from gnn.novelty import NoveltyReference, profile
from gnn.prediction import SurfacePrediction
from gnn.surrogate import Surrogate
from gnn.template import Template, register
from gnn.training.cars import Car, FamilyCar, split
from gnn.training.clouds import SAMPLE_POINTS, Cloud, labels

TRAINED_ON = "morphed DrivAer fastbacks, estates and notchbacks"
_N_REFERENCE, _N_FAMILY = 1200, 400
_N_OFFSET = 40
_LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Corpus:
    """Cases split by design, and what draws their clouds. family_cars: of other corpora, learnt from besides."""

    cases: Sequence[Case]
    clouds: MorphClouds
    family_cars: Sequence[FamilyCar] = ()

    @property
    def train(self) -> list[Case]:
        return [case for case in self.cases if not case.is_test]

    @property
    def test(self) -> list[Case]:
        return [case for case in self.cases if case.is_test]

    @property
    def family_train(self) -> list[FamilyCar]:
        return split(self.family_cars)[0]

    def sample(self, case: Case) -> SurfaceSample:
        """What prediction would see of the case's car: its mesh, sampled as any mesh is."""
        vertices, faces = self.clouds.generator.mesh(case.parameters, case.underbody)
        return sample_surface(vertices, faces, SAMPLE_POINTS)


def assemble(
    folder: Path,
    corpus: Corpus,
    networks: Mapping[str, nn.Module],
    config: ModelConfig,
    fits: CaseFits | None = None,
) -> dict[str, Any]:
    """Write the model folder with its card and metrics.json; returns the metrics.

    networks: by target. config: their sections, the name, and what made them.
    fits: on the corpus's cases of morphed DrivAers; made now unless given.
    """
    novelty = novelty_reference(corpus)
    fits = fits or CaseFits.of(corpus.train, corpus.test, corpus.clouds)
    templates = fits.templates
    weights = {target: network.state_dict() for target, network in networks.items()}

    def store(config: ModelConfig, templates: Sequence[Template]) -> Surrogate:
        write_model(folder, config, weights, novelty, templates)
        return Surrogate.load(folder, "cpu")

    nothing = Interval(0.0, level=_LEVEL)
    config = replace(config, trained_on=_trained_on(corpus), interval=nothing, cd_pressure_offset=0.0)
    config = replace(config, cd_pressure_offset=_pressure_missed(store(config, []), corpus))
    surrogate = store(config, templates)
    predictions = [surrogate.predict(corpus.sample(case), case.frontal_area) for case in corpus.test]
    field = LoadedNetwork(networks[FIELD], config.field, "cpu")
    metrics = held_out_metrics(corpus, predictions, fits) | field_metrics(corpus, field, templates)
    metrics["counts"] = _counts(corpus)
    if corpus.family_cars:
        metrics["families"] = family_metrics(surrogate, corpus.family_cars)
    config = _calibrated(config, metrics)
    error = np.array([design["predicted"] - design["cd"] for design in metrics["designs"]])
    coverage = leave_one_out_coverage(error, _LEVEL)
    metrics["interval"] = {**asdict(config.interval), "coverage": coverage, "n": len(error)}
    store(config, templates)
    write_replay(folder, templates, [c for c in corpus.cases if c.design >= 0], corpus.clouds)
    write_bundled_card(folder, config, metrics)
    return metrics


def _calibrated(config: ModelConfig, metrics: dict[str, Any]) -> ModelConfig:
    """The configuration with intervals of coefficients and of differences, calibrated on the held-out designs."""
    predicted, true = (np.array([design[key] for design in metrics["designs"]]) for key in ("predicted", "cd"))
    families = metrics.get("families", {})
    off_template = (families.get("interval") or {}).get("half_width")
    others = [[design[key] for design in families.get("designs", [])] for key in ("cd_predicted", "cd")]
    return replace(
        config,
        interval=Interval(conformal_half_width(predicted - true, _LEVEL), off_template, _LEVEL),
        answers_apart=Widths(**answers_apart(metrics)),
        difference=DifferenceLaw.fit(predicted, true, _LEVEL),
        difference_off_template=DifferenceLaw.of_held_out(*others, _LEVEL),
    )


def _pressure_missed(surrogate: Surrogate, corpus: Corpus) -> float:
    """Cd that FieldNet's integral lacks on average, over training cars that no template fits.

    Where there are none, over the morphs.
    """
    cars: Sequence[Car] = corpus.family_train or [MorphCar(case, corpus.clouds) for case in corpus.train]
    some = cars[:: max(1, len(cars) // _N_OFFSET)]
    answers = [surrogate.predict(car.sample()[0], car.frontal_area) for car in some]
    return float(np.mean([c.coefficients["cd_pressure"] - p.cd_pressure for p, c in zip(answers, some, strict=True)]))


def held_out_metrics(corpus: Corpus, predictions: Sequence[SurfacePrediction], fits: CaseFits) -> dict[str, Any]:
    """Cd and Cl of the network, of the field integral and of the fits on parameters, on the same held-out designs."""
    true = {name: np.array([c.coefficients[name] for c in corpus.test]) for name in ("cd", "cl")}
    integral = np.array([p.cd_pressure + p.cd_friction for p in predictions])
    return {
        "cd": {
            "network": coefficient_metrics(np.array([p.compared for p in predictions]), true["cd"]),
            "field integral": coefficient_metrics(integral, true["cd"]),
            **fits.figures["cd"],
        },
        "cl": {
            "network": coefficient_metrics(np.array([p.cl for p in predictions]), true["cl"]),
            **fits.figures["cl"],
        },
        "label_scatter": float(np.mean([c.coefficients["cd_std"] for c in corpus.test])),
        "cross_validation": fits.figures["cross_validation"],
        "novelty_of_held_out": float(max(p.novelty for p in predictions)),
        "designs": [
            {
                "name": case.name,
                "style": case.style,
                "underbody": case.underbody,
                "cd": case.coefficients["cd"],
                "predicted": p.compared,
                "field_integral": p.cd_pressure + p.cd_friction,
                "novelty": p.novelty,
            }
            for case, p in zip(corpus.test, predictions, strict=True)
        ],
    }


def family_metrics(surrogate: Surrogate, cars: Sequence[FamilyCar]) -> dict[str, Any]:
    """Figures as of `held_out_metrics`, of the held-out designs of families, and the interval for such cars."""
    learnt, held_out = split(cars)
    evaluated = evaluate_cars(surrogate, held_out)
    columns = ("cd", "cd_predicted", "cd_fields", "cl", "cl_predicted")
    cd, network, fields, cl, cl_network = (np.array([getattr(j, name) for j in evaluated]) for name in columns)
    enough = len(evaluated) > 1
    return {
        "train": len(learnt),
        "test": len(held_out),
        "styles": {s: sum(c.style == s for c in learnt) for s in dict.fromkeys(c.style or c.name for c in learnt)},
        "cd": {"network": coefficient_metrics(network, cd), "field integral": coefficient_metrics(fields, cd)}
        if enough
        else {},
        "cl": {"network": coefficient_metrics(cl_network, cl)} if enough else {},
        "cp": float(np.mean([j.cp_l2 for j in evaluated])) if evaluated else None,
        "cf": float(np.mean([j.cf_l2 for j in evaluated])) if evaluated else None,
        "interval": _interval_off_template(np.array([j.error for j in evaluated])),
        "designs": [dataclasses.asdict(j) for j in evaluated],
    }


def _interval_off_template(errors: np.ndarray) -> dict[str, Any] | None:
    """Half width for cars that no template fits: conformal, or the largest error where designs are few."""
    if not len(errors):
        return None
    enough = len(errors) > LEAST
    width = conformal_half_width(errors, _LEVEL) if enough else float(np.abs(errors).max())
    return {"half_width": width, "coverage": leave_one_out_coverage(errors, _LEVEL) if enough else None}


def answers_apart(metrics: dict[str, Any]) -> dict[str, float]:
    """How far the network's Cd and the fields' lie apart on nine of ten held-out designs; of cars off the template too.

    It is wider than the interval, which covers the network's error alone: the fields have errors of their own.
    """
    widths = {"half_width": [d["predicted"] - d["field_integral"] for d in metrics["designs"]]}
    off_template = [d["cd_predicted"] - d["cd_fields"] for d in metrics.get("families", {}).get("designs", ())]
    if len(off_template) > LEAST:
        widths["off_template"] = off_template
    return {name: conformal_half_width(np.array(apart), _LEVEL) for name, apart in widths.items()}


def _trained_on(corpus: Corpus) -> str:
    learnt = corpus.family_train
    styles = list(dict.fromkeys(car.style for car in learnt if car.style))
    return f"{TRAINED_ON}, and procedural cars ({', '.join(styles)})" if learnt else TRAINED_ON


def field_metrics(
    corpus: Corpus, field: LoadedNetwork, templates: Sequence[Template], n_points: int = SAMPLE_POINTS
) -> dict[str, Any]:
    """Relative L2 error of Cp and Cf over even points of the held-out designs: ours, and three to compare it with.

    A point's true values are those of the design's CFD face near it, as in the corpus's own files.
    """
    cfd = {kind: UnmorphedFaces.of(corpus.clouds.generator, kind) for kind in COMPUTED}
    fits = {kind: _field_fits(corpus, kind) for kind in COMPUTED}
    rows: dict[str, list[tuple[float, float]]] = {
        "bundled": [],
        "FieldNet alone": [],
        "linear fit": [],
        "mean field": [],
    }
    for i, case in enumerate(corpus.test):
        cloud = corpus.clouds.draw(MorphDesign.of(case), n_points, np.random.default_rng(i))
        cloud = dataclasses.replace(cloud, cfd_face=_faces_of_design(corpus, cfd[case.underbody], case, cloud))
        true = labels(case, cloud)
        known = cloud.cfd_face != NO_FACE
        alone = field.values(cloud.points, cloud.normals)
        described = profile(cloud.points, cloud.normals)
        registered = register(templates, cloud.points, cloud.normals, described)
        answers = {"bundled": registered.over(alone, cloud.points, cloud.normals), "FieldNet alone": alone}
        for name, faces in fits[case.underbody](case).items():
            answers[name] = labels(dataclasses.replace(case, face_cp=faces[:, 0], face_cf=faces[:, 1:]), cloud)
        for name, answer in answers.items():
            even = np.ones(known.sum())
            rows[name].append(
                (
                    relative_l2(answer[known, 0], true[known, 0], even),
                    relative_l2(answer[known, 1:], true[known, 1:], even),
                )
            )
    means = {name: np.mean(values, axis=0) for name, values in rows.items()}
    return {"cp": {k: float(v[0]) for k, v in means.items()}, "cf": {k: float(v[1]) for k, v in means.items()}}


def _faces_of_design(corpus: Corpus, faces: UnmorphedFaces, case: Case, cloud: Cloud) -> np.ndarray:
    """(N,) the case's CFD face of each of the cloud's points."""
    centres, areas = faces.on(corpus.clouds.generator, case.parameters)
    places = to_network(centres, corpus.clouds.x_middle(MorphDesign.of(case)))
    facing = areas / np.linalg.norm(areas, axis=1, keepdims=True)
    return nearest_faces(places, facing, cloud.points, cloud.normals, half=True)


def _field_fits(corpus: Corpus, underbody: str):
    """Face-wise fits of one underbody's cases: face i is the same place on all of them."""
    features = DesignFeatures(corpus.clouds.generator)
    cases = [c for c in corpus.train if c.underbody == underbody]
    faces = np.array([c.face_values for c in cases])
    fit = ridge(features.parameters([MorphDesign.of(c) for c in cases]), faces.reshape(len(cases), -1))
    mean = faces.mean(axis=0)

    def predict(case: Case) -> dict[str, np.ndarray]:
        linear = fit(features.parameters([MorphDesign.of(case)]))[0].reshape(mean.shape)
        return {"linear fit": linear, "mean field": mean}

    return predict


def novelty_reference(
    corpus: Corpus, n: int = _N_REFERENCE, n_family: int = _N_FAMILY, seed: int = 11
) -> NoveltyReference:
    """Profiles of random designs: n between the morphed DrivAers, n_family of each family of one mesh."""
    clouds = corpus.clouds
    designs = random_designs(clouds.generator, n, seed)
    found = [np.array([clouds.profile(design, np.random.default_rng((seed, i))) for i, design in enumerate(designs)])]
    for number, family in enumerate(families_of(corpus.family_train)):
        shapes = random_family_designs([family], n_family, seed)
        found.append(
            np.array([shape.profile(np.random.default_rng((seed, 1 + number, i))) for i, shape in enumerate(shapes)])
        )
    return NoveltyReference.fit(found)


def _counts(corpus: Corpus) -> dict[str, Any]:
    return {
        "what": TRAINED_ON,
        "train": len(corpus.train),
        "test": len(corpus.test),
        "styles": {s: sum(c.style == s for c in corpus.train) for s in ("fastback", "estate", "notchback")},
    }
