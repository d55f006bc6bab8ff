"""``python -m gnn.training field|drag|assemble``: the steps that made the bundled model, each resumable."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.corpora.cases import read_cases
from data.corpora.morphs import MorphGenerator
from gnn.checkpoints import read_model, write_text
from gnn.field_net import FieldNet
from gnn.regdgcnn import RegDGCNN
from gnn.training.assemble import Corpus, assemble
from gnn.training.cars import MorphCar
from gnn.training.clouds import Design, MorphClouds, random_designs
from gnn.training.drag import MorphShape, train_drag_network
from gnn.training.field import train_field_net
from gnn.training.labels import DesignFeatures, fit_coefficients
from gnn.training.loop import Schedule, designs_learnt, load_averaged

DRAG = {
    "architecture": {"k": 16, "conv_channels": [32, 64, 64, 128], "emb_dims": 256, "mlp": [128, 64], "dropout": 0.0},
    "n_points": 1024,
    "n_clouds": 8,
}
FIELD = {"architecture": {"width": 128, "k": 12, "thinning": [1, 4, 16], "n_waves": 6}, "n_points": 2048, "n_clouds": 8}
N_DESIGNS = 20000
SCALING = "drag.json"


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    generator = MorphGenerator(options.corpus[0], options.geometry)
    corpus = Corpus(read_cases(*options.corpus), MorphClouds(generator))
    logging.info("%d training and %d held-out cases", len(corpus.train), len(corpus.test))
    {"field": _field, "drag": _drag, "assemble": _assemble}[options.step](options, corpus)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("field", "drag", "assemble"))
    parser.add_argument(
        "--corpus", type=Path, nargs="+", required=True, help="folders with cases/; the first has tools/"
    )
    parser.add_argument("--geometry", type=Path, required=True, help="folder with the DrivAer's body.obj.gz")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    start = "checkpoint to begin from, for a few more steps on a grown corpus; assemble: a model whose networks to keep"
    parser.add_argument("--start", type=Path, help=start)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("resources/models/drivaer"))
    return parser.parse_args()


def _field(options: argparse.Namespace, corpus: Corpus) -> None:
    train_field_net(
        [MorphCar(case, corpus.clouds) for case in corpus.train],
        Schedule(options.steps, peak_rate=options.rate),
        options.work / "field.ckpt",
        start=options.start,
        n_points=FIELD["n_points"],
        **FIELD["architecture"],
    )


def _drag(options: argparse.Namespace, corpus: Corpus) -> None:
    label = fit_coefficients(corpus.train, DesignFeatures(corpus.clouds.generator))
    designs = random_designs(corpus.clouds.generator, N_DESIGNS, seed=1) + [Design.of(case) for case in corpus.train]
    coefficients = label(designs)
    scaling = _scaling(options.start.parent if options.start else options.work, coefficients)
    write_text(options.work / SCALING, json.dumps({**scaling, "n_designs": len(designs)}))
    train_drag_network(
        [MorphShape(design, corpus.clouds) for design in designs],
        coefficients,
        Schedule(options.steps, peak_rate=options.rate),
        options.work / "drag.ckpt",
        mean=np.array(scaling["mean"]),
        spread=np.array(scaling["spread"]),
        learnt_from=[case.name for case in corpus.train],
        start=options.start,
        n_points=DRAG["n_points"],
        **DRAG["architecture"],
    )


def _scaling(folder: Path, coefficients: np.ndarray) -> dict[str, list[float]]:
    """Mean and spread of the targets: those that the network started with, so that its weights keep their sense."""
    if (folder / SCALING).exists():
        return json.loads((folder / SCALING).read_text("utf-8"))
    return {"mean": coefficients.mean(axis=0).tolist(), "spread": coefficients.std(axis=0).tolist()}


def _assemble(options: argparse.Namespace, corpus: Corpus) -> None:
    parts = _parts_of_model(options.start) if options.start else _trained_parts(options.work)
    config: dict[str, Any] = {"name": options.out.name, "made_by": "python -m gnn.training assemble"}
    networks = {}
    for part, (section, network) in parts.items():
        config[part], networks[part] = section, network
    metrics = assemble(options.out, corpus, networks["drag"], networks["field"], config)
    logging.info("%s", json.dumps({k: metrics[k] for k in ("cd", "cl", "cp", "cf", "interval")}, indent=1))


def _trained_parts(work: Path) -> dict[str, tuple[dict[str, Any], torch.nn.Module]]:
    """Configuration and network of ``drag`` and ``field``, from the checkpoints of the other two steps."""
    scaling = json.loads((work / SCALING).read_text("utf-8"))
    drag = {**DRAG, **scaling, "architecture": {**DRAG["architecture"], "out_channels": 2}}
    parts = {}
    for part, kind, section in (("drag", RegDGCNN, drag), ("field", FieldNet, FIELD)):
        checkpoint = work / f"{part}.ckpt"
        section = {**section, "n_cases": designs_learnt(checkpoint)}
        parts[part] = section, load_averaged(kind(**section["architecture"]), checkpoint)
    return parts


def _parts_of_model(folder: Path) -> dict[str, tuple[dict[str, Any], torch.nn.Module]]:
    """The same from a model folder, whose networks are kept while template, interval and card are made anew."""
    model = read_model(folder)
    kinds = {"drag": RegDGCNN, "field": FieldNet}
    return {part: (model.config[part], model.network(part, kind)) for part, kind in kinds.items()}


if __name__ == "__main__":
    main()
