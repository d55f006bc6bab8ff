"""The steps that make the bundled model: what each learns from, how, and what it leaves in the work folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from data.errors import DrivAerError
from factory.assemble import Corpus, assemble
from factory.case_fits import CaseFits
from factory.cloud_pool import CloudPool, Shape
from factory.drag import mean_network, train_drag_network
from factory.families import FamilyShape, families_of, family_forces, fit_family_coefficients, random_family_designs
from factory.field import train_field_net
from factory.labels import COEFFICIENTS, DesignFeatures, fit_coefficients
from factory.morphs import MorphCar, MorphDesign, MorphShape, random_designs
from factory.readout import cached_features, pooled_features, train_readout
from factory.work import StepOptions
from gnn.checkpoints import read_model
from gnn.model_config import DRAG, FIELD, ModelConfig, NetworkConfig
from gnn.networks import build_network
from gnn.regdgcnn import RegDGCNN
from gnn.training.cars import FamilyCar
from gnn.training.loop import Optimisation
from gnn.training.losses import Scale

DRAG_NETWORK = NetworkConfig(
    network="regdgcnn",
    architecture={
        "k": 20,
        "conv_channels": [64, 64, 128, 256],
        "emb_dims": 512,
        "mlp": [256, 64],
        "dropout": 0.0,
        "out_channels": 2,
    },
    n_points=1024,
    n_clouds=8,
    mean=(0.0, 0.0),
    spread=(1.0, 1.0),
)
FIELD_NETWORK = NetworkConfig(
    network="fieldnet",
    architecture={"width": 128, "k": 12, "thinning": [1, 4, 16], "n_waves": 6},
    n_points=2048,
    n_clouds=8,
    mean=(0.0,) * 4,
    spread=(1.0,) * 4,
)
N_DESIGNS = {"morphs": 80_000, "families": 40_000}
N_READ = 6000
"""Morphs that the drag network's last layers are trained on, besides the cases."""
LEAST_FOR_FIT = 25
"""Cases of families below which a fit on two dozen handles is worse than the cases alone."""
FAMILY_SHARE = 0.4
"""Of what the drag network, or its last layers alone, learn from: with 160 cases to label the families' designs it
costs the morphs nothing."""


def train_field(work: StepOptions, corpus: Corpus) -> None:
    of_families = corpus.family_train
    # The template answers for morphs: as many draws are of families, however few cases they have.
    weights = np.repeat([1.0, len(corpus.train) / max(1, len(of_families))], [len(corpus.train), len(of_families)])
    cars = [*(MorphCar(case, corpus.clouds) for case in corpus.train), *of_families]
    if work.start:
        model = read_model(work.start)
        config, network = model.section(FIELD), model.network(FIELD)
    else:
        scale = Scale.of_fields(cars, columns=4)
        config = replace(FIELD_NETWORK, mean=scale.mean, spread=scale.spread)
        network = _fresh(config)
    learnt = train_field_net(
        network,
        cars,
        Scale(config.mean, config.spread),
        Optimisation(work.steps, work.rate),
        work.checkpoint("field"),
        n_points=config.n_points,
        batch=work.batch or 4,
        weights=weights,
        pool=CloudPool.of_fields(cars, work.device) if work.device != "cpu" else None,
    )
    work.put("field", FIELD, replace(config, counts={"n_cases": len(cars)}), learnt)


def train_drag(work: StepOptions, corpus: Corpus) -> None:
    shapes, coefficients = _labelled_morphs(corpus, N_DESIGNS["morphs"])
    weights = np.ones(len(shapes))
    if corpus.family_train:
        more, theirs = _labelled_family_designs(corpus.family_train, N_DESIGNS["families"])
        weights = _shared(len(shapes), len(more), FAMILY_SHARE)
        shapes, coefficients = shapes + more, np.concatenate([coefficients, theirs])
    if work.start:  # its targets keep their scale, so that its weights keep their sense
        model = read_model(work.start)
        config, network = model.section(DRAG), model.network(DRAG)
    else:
        asked = coefficients[:, : len(COEFFICIENTS)]
        mean, spread = asked.mean(axis=0).tolist(), asked.std(axis=0).tolist()
        config = replace(DRAG_NETWORK, mean=tuple(mean), spread=tuple(spread))
        network = _fresh(config)
    learnt = train_drag_network(
        network,
        shapes,
        coefficients,
        Scale(config.mean, config.spread),
        Optimisation(work.steps, work.rate),
        work.checkpoint("drag"),
        keep_statistics=work.start is not None,
        learnt_from=_names(corpus),
        weights=weights,
        n_points=config.n_points,
        batch=work.batch or 16,
        pool=CloudPool.of(shapes, work.device) if work.device != "cpu" else None,
    )
    n_cases = len(_names(corpus))
    counts = {"n_designs": len(shapes), "n_cases": n_cases, "n_encoder_cases": n_cases}
    work.put("drag", DRAG, replace(config, counts=counts), learnt)


def average(work: StepOptions, corpus: Corpus) -> None:
    """The work folder's drag network becomes the mean of several; its targets are scaled as those of the last."""
    if not work.parts:
        raise DrivAerError("average: of which models?", fix="give them with --of, the newest last")
    models = [read_model(part) for part in work.parts]
    config = models[-1].section(DRAG)
    counts = {**config.counts, "n_cases": len(_names(corpus))}
    network = mean_network([model.network(DRAG) for model in models])
    work.put("drag", DRAG, replace(config, counts=counts), network)


def train_last_layers(work: StepOptions, corpus: Corpus) -> None:
    """Train the layers after pooling of the work folder's drag network further; the layers before stay as they are."""
    model = work.newest(DRAG, "drag")
    config, network = model.section(DRAG), model.network(DRAG)
    shapes, coefficients = _labelled_morphs(corpus, N_READ, seed=77)
    features = _features(work, network, shapes, "morphs")
    weights = np.ones(len(shapes))
    if corpus.family_train:
        more, theirs = _labelled_family_designs(corpus.family_train, N_READ)
        features = torch.cat([features, _features(work, network, more, "families")])
        weights = _shared(len(shapes), len(more), FAMILY_SHARE)
        coefficients = np.concatenate([coefficients, theirs])
    targets = (coefficients[:, : len(COEFFICIENTS)] - config.mean) / config.spread
    learnt = train_readout(
        network,
        features,
        targets,
        work.checkpoint("readout"),
        weights=weights,
        steps=work.steps,
        rate=work.rate,
        learnt_from=_names(corpus),
    )
    counts = {**config.counts, "n_read_designs": len(features), "n_cases": len(_names(corpus))}
    work.put("readout", DRAG, replace(config, counts=counts), learnt.cpu())


def assemble_model(work: StepOptions, corpus: Corpus) -> None:
    models = {DRAG: work.newest(DRAG, "readout", "drag"), FIELD: work.newest(FIELD, "field")}
    sections = {target: model.section(target) for target, model in models.items()}
    networks = {target: model.network(target) for target, model in models.items()}
    config = ModelConfig(work.out.name, "", "python -m factory assemble", **sections)
    metrics = assemble(work.out, corpus, networks, config, _kept_fits(work, len(corpus.train)))
    summary = {key: metrics[key] for key in ("cd", "cl", "cp", "cf", "interval")}
    logging.info("%s", json.dumps(summary, indent=1))


def _fresh(config: NetworkConfig) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(config.network, config.architecture)


def _names(corpus: Corpus) -> list[str]:
    return [case.name for case in (*corpus.train, *corpus.family_train)]


def _shared(n_morphs: int, n_families: int, share: float) -> np.ndarray:
    """(n_morphs + n_families,) how often each shape is drawn, so that families get that share."""
    return np.repeat([(1 - share) / n_morphs, share / n_families], [n_morphs, n_families])


def _features(work: StepOptions, network: RegDGCNN, shapes: Sequence[Shape], kind: str) -> torch.Tensor:
    """Pooled features of several clouds of each shape. On a CPU they take minutes and are kept in the work folder."""
    n_points = DRAG_NETWORK.n_points
    if work.device == "cpu":
        return cached_features(network, shapes, n_points, work.folder / f"features_{kind}.npy")
    return pooled_features(network.to(work.device), CloudPool.of(shapes, work.device), n_points)


def _labelled_morphs(corpus: Corpus, n: int, seed: int = 1) -> tuple[list[Shape], np.ndarray]:
    """Random designs and those of the cases, labelled by the fit (`CoefficientFit.with_segments`)."""
    label = fit_coefficients(corpus.train, DesignFeatures(corpus.clouds.generator))
    designs = random_designs(corpus.clouds.generator, n, seed) + [MorphDesign.of(case) for case in corpus.train]
    return [MorphShape(design, corpus.clouds) for design in designs], label.with_segments(designs)


def _labelled_family_designs(cars: Sequence[FamilyCar], n: int) -> tuple[list[Shape], np.ndarray]:
    """Designs of families, labelled by a fit on their cases; the cases alone where they are too few for a fit."""
    if len(cars) < LEAST_FOR_FIT:
        own = [[car.coefficients[name] for name in COEFFICIENTS] for car in cars]
        return list(cars), np.column_stack([own, family_forces(cars).reshape(len(cars), -1)])
    shapes = random_family_designs(families_of(cars), n, seed=2)
    shapes += [FamilyShape(car.clouds, car.case.parameters) for car in cars]
    return shapes, fit_family_coefficients(cars).with_segments(shapes)


def _kept_fits(work: StepOptions, n_cases: int) -> CaseFits | None:
    """The start model's fits if they are to be kept, else None. Raises DrivAerError if other cases made them."""
    if not work.keep_fits:
        return None
    if work.start is None:
        raise DrivAerError("--keep-fits: of which model?", fix="give it with --start")
    fits = CaseFits.of_model(read_model(work.start))
    if {len(template.anchors) for template in fits.templates} != {n_cases}:
        raise DrivAerError("--keep-fits: the fits are on other cases", file=work.start, fix="make them anew")
    return fits
