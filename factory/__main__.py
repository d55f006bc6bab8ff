"""``python -m factory field|drag|average|readout|assemble``: the steps that made the bundled model."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.replacing import replacing
from factory.assemble import Corpus, assemble
from factory.case_fits import CaseFits
from factory.cloud_pool import CloudPool, Shape
from factory.drag import load_drag_network, mean_network, train_drag_network
from factory.families import (
    FamilyShape,
    families_of,
    family_forces,
    fit_family_coefficients,
    random_family_designs,
)
from factory.field import train_field_net
from factory.labels import COEFFICIENTS, DesignFeatures, fit_coefficients
from factory.morph_generator import MorphGenerator
from factory.morphs import Design, MorphCar, MorphClouds, MorphShape, random_designs, read_morph_cases
from factory.readout import RATE as READOUT_RATE
from factory.readout import STEPS as READOUT_STEPS
from factory.readout import cached_features, pooled_features, train_readout
from gnn.checkpoints import read_model, write_text
from gnn.field_net import FieldNet
from gnn.regdgcnn import RegDGCNN
from gnn.training.cars import FamilyCar, family_cars, split
from gnn.training.loop import Schedule, designs_learnt, load_averaged

DRAG = {
    "architecture": {"k": 20, "conv_channels": [64, 64, 128, 256], "emb_dims": 512, "mlp": [256, 64], "dropout": 0.0},
    "n_points": 1024,
    "n_clouds": 8,
}
_DRAG_ARCHITECTURE = {**DRAG["architecture"], "out_channels": 2}
FIELD = {"architecture": {"width": 128, "k": 12, "thinning": [1, 4, 16], "n_waves": 6}, "n_points": 2048, "n_clouds": 8}
N_DESIGNS = {"morphs": 80_000, "families": 40_000}
N_READ = 6000
"""Morphs that the drag network's last layers are trained on, besides the cases."""
LEAST_FOR_FIT = 25
"""Cases of families below which a fit on two dozen handles says less than the cases."""
FAMILY_SHARE = 0.4
"""Of what the drag network, or its last layers alone, learn from: with 160 cases to label the families' designs it
costs the morphs nothing."""
SCALING, READOUT = "drag.json", "readout.ckpt"
_STEPS, _RATE = 3000, 2e-3


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    corpus = _corpus(options)
    logging.info("%d training and %d held-out cases of morphed DrivAers", len(corpus.train), len(corpus.test))
    learnt, held_out = split(corpus.family_cars)
    logging.info("%d training and %d held-out cases of families of one mesh", len(learnt), len(held_out))
    steps = {"field": _field, "drag": _drag, "average": _average, "readout": _readout, "assemble": _assemble}
    steps[options.step](options, corpus)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("field", "drag", "average", "readout", "assemble"))
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        required=True,
        help="folders with cases/: of morphed DrivAers, the first with tools/; with families/ beside it, of those",
    )
    parser.add_argument("--geometry", type=Path, required=True, help="folder with the DrivAer's body.obj.gz")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    start = (
        "checkpoint or model folder to begin from, on a grown corpus; readout, assemble: a model whose networks to "
        "take where the work folder has none"
    )
    parser.add_argument("--start", type=Path, help=start)
    parts = "average: checkpoints and models whose drag networks went on from one another, to take the mean of"
    parser.add_argument("--of", type=Path, nargs="+", metavar="PART", help=parts)
    kept = "assemble: keep the start model's templates and figures of fits; its cases of morphed DrivAers are the same"
    parser.add_argument("--keep-fits", action="store_true", help=kept)
    parser.add_argument("--steps", type=int, help=f"{_STEPS} unless given, of readout {READOUT_STEPS}")
    parser.add_argument("--rate", type=float, help=f"the highest: {_RATE} unless given, of readout {READOUT_RATE}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="field, drag, readout: where to learn")
    parser.add_argument("--batch", type=int, help="field, drag: clouds a step, 4 and 16 unless given; a GPU has room")
    parser.add_argument("--out", type=Path, default=Path("resources/models/drivaer"))
    options = parser.parse_args()
    steps, rate = (READOUT_STEPS, READOUT_RATE) if options.step == "readout" else (_STEPS, _RATE)
    options.steps = steps if options.steps is None else options.steps
    options.rate = rate if options.rate is None else options.rate
    return options


def _corpus(options: argparse.Namespace) -> Corpus:
    of_families = [folder for folder in options.corpus if (folder / "families").is_dir()]
    of_morphs = [folder for folder in options.corpus if folder not in of_families]
    if not of_morphs:
        raise SystemExit("--corpus: the morphed DrivAers' folder is missing; this model is one of those first of all")
    clouds = MorphClouds(MorphGenerator(of_morphs[0], options.geometry))
    return Corpus(read_morph_cases(*of_morphs), clouds, [car for folder in of_families for car in family_cars(folder)])


def _field(options: argparse.Namespace, corpus: Corpus) -> None:
    of_families = corpus.family_train
    # The template answers for morphs: as many draws are of families, however few cases they have.
    weights = np.repeat([1.0, len(corpus.train) / max(1, len(of_families))], [len(corpus.train), len(of_families)])
    cars = [*(MorphCar(case, corpus.clouds) for case in corpus.train), *of_families]
    train_field_net(
        cars,
        _schedule(options),
        options.work / "field.ckpt",
        start=options.start,
        n_points=FIELD["n_points"],
        batch=options.batch or 4,
        weights=weights,
        pool=CloudPool.of_fields(cars, options.device) if options.device != "cpu" else None,
        **FIELD["architecture"],
    )


def _schedule(options: argparse.Namespace) -> Schedule:
    """Of field and drag: on a GPU a minute has some thousand steps, and a checkpoint is as long as twenty of them."""
    save_every = Schedule.save_every * (1 if options.device == "cpu" else 10)
    return Schedule(options.steps, peak_rate=options.rate, save_every=save_every)


def _drag(options: argparse.Namespace, corpus: Corpus) -> None:
    shapes, coefficients = _labelled_morphs(corpus)
    weights = np.ones(len(shapes))
    of_families = corpus.family_train
    if of_families:
        more, theirs = _labelled_family_designs(of_families)
        weights = _shared(len(shapes), len(more), FAMILY_SHARE)
        shapes, coefficients = shapes + more, np.concatenate([coefficients, theirs])
    pool = CloudPool.of(shapes, options.device) if options.device != "cpu" else None
    folder = options.start if options.start and options.start.is_dir() else None
    scaling = _scaling_of_model(folder) if folder else _scaling(_beside(options), coefficients[:, : len(COEFFICIENTS)])
    write_text(options.work / SCALING, json.dumps({**scaling, "n_designs": len(shapes)}))
    train_drag_network(
        shapes,
        coefficients,
        _schedule(options),
        options.work / "drag.ckpt",
        mean=np.array(scaling["mean"]),
        spread=np.array(scaling["spread"]),
        learnt_from=[case.name for case in (*corpus.train, *of_families)],
        weights=weights,
        start=options.start,
        n_points=DRAG["n_points"],
        batch=options.batch or 16,
        pool=pool,
        **DRAG["architecture"],
    )


def _average(options: argparse.Namespace, corpus: Corpus) -> None:
    """The work folder's drag network becomes the mean of several; its targets are scaled as those of the last."""
    if not options.of:
        raise SystemExit("average: of which checkpoints and models? give them with --of, the newest last")
    network = mean_network([_drag_network(part) for part in options.of])
    last = options.of[-1]
    known = read_model(last).config["drag"] if last.is_dir() else json.loads((last.parent / SCALING).read_text("utf-8"))
    write_text(options.work / SCALING, json.dumps({key: known[key] for key in ("mean", "spread", "n_designs")}))
    with replacing(options.work / "drag.ckpt") as unfinished:
        learnt = [case.name for case in (*corpus.train, *corpus.family_train)]
        torch.save({"averaged": network.state_dict(), "designs": learnt}, unfinished)


def _drag_network(part: Path) -> RegDGCNN:
    if part.is_dir():
        return read_model(part).network("drag", RegDGCNN)
    return load_drag_network(RegDGCNN(**_DRAG_ARCHITECTURE), part)


def _readout(options: argparse.Namespace, corpus: Corpus) -> None:
    """The drag network's last layers, trained on from what they are; its features stay."""
    network, scaling = _encoder(options)
    shapes, coefficients = _labelled_morphs(corpus, N_READ, seed=77)
    features = _features(options, network, shapes, "morphs")
    weights = np.ones(len(shapes))
    of_families = corpus.family_train
    if of_families:
        more, theirs = _labelled_family_designs(of_families, N_READ)
        features = torch.cat([features, _features(options, network, more, "families")])
        weights = _shared(len(shapes), len(more), FAMILY_SHARE)
        coefficients = np.concatenate([coefficients, theirs])
    asked = coefficients[:, : len(COEFFICIENTS)]
    targets = (asked - scaling["mean"]) / scaling["spread"]
    train_readout(network, features, targets, weights, steps=options.steps, rate=options.rate)
    write_text(options.work / SCALING, json.dumps({**scaling, "n_read_designs": len(features)}))
    with replacing(options.work / READOUT) as unfinished:
        learnt = [case.name for case in (*corpus.train, *of_families)]
        torch.save({"averaged": network.cpu().state_dict(), "designs": learnt}, unfinished)


def _shared(n_morphs: int, n_families: int, share: float) -> np.ndarray:
    """(n_morphs + n_families,) how often each shape is drawn, so that families get that share."""
    return np.repeat([(1 - share) / n_morphs, share / n_families], [n_morphs, n_families])


def _features(options: argparse.Namespace, network: RegDGCNN, shapes: Sequence[Shape], kind: str) -> torch.Tensor:
    """Of many clouds of each shape; on a CPU they take minutes, and are kept in the work folder."""
    n_points = DRAG["n_points"]
    if options.device == "cpu":
        return cached_features(network, shapes, n_points, options.work / f"features_{kind}.npy")
    return pooled_features(network.to(options.device), CloudPool.of(shapes, options.device), n_points)


def _encoder(options: argparse.Namespace) -> tuple[RegDGCNN, dict[str, Any]]:
    """The work folder's drag network, or where it has none the start model's, and the scaling of its targets."""
    checkpoint = options.work / "drag.ckpt"
    if checkpoint.exists():
        scaling = json.loads((options.work / SCALING).read_text("utf-8"))
        return _drag_network(checkpoint), {**scaling, "n_encoder_cases": designs_learnt(checkpoint)}
    if options.start is None:
        raise SystemExit(f"{options.work} has no drag.ckpt: train the drag network, or give a model with --start")
    model = read_model(options.start)
    kept = ("mean", "spread", "n_designs", "n_encoder_cases")
    return model.network("drag", RegDGCNN), {key: model.config["drag"][key] for key in kept}


def _labelled_morphs(corpus: Corpus, n: int = N_DESIGNS["morphs"], seed: int = 1) -> tuple[list[Shape], np.ndarray]:
    """Designs between the cases and the cases' own, with the fit's answers (`CoefficientFit.with_stretches`)."""
    label = fit_coefficients(corpus.train, DesignFeatures(corpus.clouds.generator))
    designs = random_designs(corpus.clouds.generator, n, seed) + [Design.of(case) for case in corpus.train]
    return [MorphShape(design, corpus.clouds) for design in designs], label.with_stretches(designs)


def _labelled_family_designs(
    cars: Sequence[FamilyCar], n: int = N_DESIGNS["families"]
) -> tuple[list[Shape], np.ndarray]:
    """The same of families; the cases themselves, as they are, where they are too few for a fit."""
    if len(cars) < LEAST_FOR_FIT:
        own = [[car.coefficients[name] for name in COEFFICIENTS] for car in cars]
        return list(cars), np.column_stack([own, family_forces(cars).reshape(len(cars), -1)])
    shapes = random_family_designs(families_of(cars), n, seed=2)
    shapes += [FamilyShape(car.clouds, car.case.parameters) for car in cars]
    return shapes, fit_family_coefficients(cars).with_stretches(shapes)


def _beside(options: argparse.Namespace) -> Path:
    return options.start.parent if options.start else options.work


def _scaling_of_model(folder: Path) -> dict[str, list[float]]:
    section = read_model(folder).config["drag"]
    return {key: section[key] for key in ("mean", "spread")}


def _scaling(folder: Path, coefficients: np.ndarray) -> dict[str, list[float]]:
    """Mean and spread of the targets: those that the network started with, so that its weights keep their sense."""
    if (folder / SCALING).exists():
        return json.loads((folder / SCALING).read_text("utf-8"))
    return {"mean": coefficients.mean(axis=0).tolist(), "spread": coefficients.std(axis=0).tolist()}


def _assemble(options: argparse.Namespace, corpus: Corpus) -> None:
    parts = {**(_parts_of_model(options.start) if options.start else {}), **_trained_parts(options.work)}
    missing = {"drag", "field"} - parts.keys()
    if missing:
        raise SystemExit(
            f"{options.work} has no {' and no '.join(missing)}.ckpt: train it, or give a model with --start"
        )
    config: dict[str, Any] = {"name": options.out.name, "made_by": "python -m factory assemble"}
    networks = {}
    for part, (section, network) in parts.items():
        config[part], networks[part] = section, network
    fits = _kept_fits(options.start, len(corpus.train)) if options.keep_fits else None
    metrics = assemble(options.out, corpus, networks["drag"], networks["field"], config, fits)
    logging.info("%s", json.dumps({k: metrics[k] for k in ("cd", "cl", "cp", "cf", "interval")}, indent=1))


def _kept_fits(start: Path | None, n_cases: int) -> CaseFits:
    if start is None:
        raise SystemExit("--keep-fits: of which model? give it with --start")
    fits = CaseFits.of_model(read_model(start))
    if {len(template.anchors) for template in fits.templates} != {n_cases}:
        raise SystemExit(f"--keep-fits: those of {start} are on other cases; make them anew")
    return fits


def _trained_parts(work: Path) -> dict[str, tuple[dict[str, Any], torch.nn.Module]]:
    """Configuration and network of ``drag`` and ``field``, from the checkpoints that there are of the other steps."""
    parts = {}
    trained = next((work / name for name in (READOUT, "drag.ckpt") if (work / name).exists()), None)
    if trained:
        scaling = json.loads((work / SCALING).read_text("utf-8"))
        section = {**DRAG, "n_encoder_cases": designs_learnt(trained), **scaling}
        section |= {"architecture": _DRAG_ARCHITECTURE, "n_cases": designs_learnt(trained)}
        parts["drag"] = section, load_drag_network(RegDGCNN(**_DRAG_ARCHITECTURE), trained)
    if (work / "field.ckpt").exists():
        section = {**FIELD, "n_cases": designs_learnt(work / "field.ckpt")}
        parts["field"] = section, load_averaged(FieldNet(**FIELD["architecture"]), work / "field.ckpt")
    return parts


def _parts_of_model(folder: Path) -> dict[str, tuple[dict[str, Any], torch.nn.Module]]:
    """The same from a model folder, whose networks are kept while template, interval and card are made anew."""
    model = read_model(folder)
    kinds = {"drag": RegDGCNN, "field": FieldNet}
    return {part: (model.config[part], model.network(part, kind)) for part, kind in kinds.items()}


if __name__ == "__main__":
    main()
