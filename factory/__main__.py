"""``python -m factory field|drag|average|readout|real|assemble``: the steps that make the bundled model."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from data.errors import DrivAerError
from factory import readout, steps
from factory.assemble import Corpus
from factory.morph_generator import MorphGenerator
from factory.morphs import MorphClouds, read_morph_cases
from factory.real_step import train_real
from factory.work import StepOptions
from gnn.training.cars import family_cars, split

STEPS = {
    "field": steps.train_field,
    "drag": steps.train_drag,
    "average": steps.average,
    "readout": steps.train_last_layers,
    "real": train_real,
    "assemble": steps.assemble_model,
}
_STEPS, _RATE = 3000, 2e-3


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    try:
        corpus = _corpus(options)
        logging.info("%d training and %d held-out cases of morphed DrivAers", len(corpus.train), len(corpus.test))
        learnt, held_out = split(corpus.family_cars)
        logging.info("%d training and %d held-out cases of families of one mesh", len(learnt), len(held_out))
        STEPS[options.step](_work(options), corpus)
    except DrivAerError as error:
        raise SystemExit(error.line) from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m factory", description=__doc__)
    parser.add_argument("step", choices=tuple(STEPS))
    parser.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        required=True,
        help="folders with cases/: of morphed DrivAers, the first with tools/; with families/ beside it, of those",
    )
    parser.add_argument("--geometry", type=Path, required=True, help="folder with the DrivAer's body.obj.gz")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the steps make")
    start = "model folder whose networks to begin from; readout, assemble: where the work folder has none"
    parser.add_argument("--start", type=Path, help=start)
    parts = "average: model folders whose drag networks went on from one another, the newest last"
    parser.add_argument("--of", type=Path, nargs="+", default=(), metavar="MODEL", help=parts)
    published = "real: the folders with AhmedML's and with DrivAerML's tables"
    parser.add_argument("--published", type=Path, nargs=2, default=(), metavar="FOLDER", help=published)
    kept = "assemble: keep the start model's templates and figures of fits; its cases of morphed DrivAers are the same"
    parser.add_argument("--keep-fits", action="store_true", help=kept)
    parser.add_argument("--steps", type=int, help=f"{_STEPS} unless given, of readout {readout.STEPS}")
    parser.add_argument("--rate", type=float, help=f"the highest: {_RATE} unless given, of readout {readout.RATE}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="field, drag, readout: where to learn")
    parser.add_argument("--batch", type=int, help="field, drag: clouds a step, 4 and 16 unless given; a GPU has room")
    parser.add_argument("--out", type=Path, default=Path("resources/models/drivaer"), help="assemble: the model folder")
    return parser.parse_args()


def _work(options: argparse.Namespace) -> StepOptions:
    n, rate = (readout.STEPS, readout.RATE) if options.step == "readout" else (_STEPS, _RATE)
    return StepOptions(
        folder=options.work,
        start=options.start,
        steps=n if options.steps is None else options.steps,
        rate=rate if options.rate is None else options.rate,
        device=options.device,
        batch=options.batch,
        parts=tuple(options.of),
        published=tuple(options.published),
        keep_fits=options.keep_fits,
        out=options.out,
    )


def _corpus(options: argparse.Namespace) -> Corpus:
    of_families = [folder for folder in options.corpus if (folder / "families").is_dir()]
    of_morphs = [folder for folder in options.corpus if folder not in of_families]
    if not of_morphs:
        what = "--corpus: the morphed DrivAers' folder is missing"
        raise DrivAerError(what, fix="give it first: this model is one of those first of all")
    clouds = MorphClouds(MorphGenerator(of_morphs[0], options.geometry))
    return Corpus(read_morph_cases(*of_morphs), clouds, [car for folder in of_families for car in family_cars(folder)])


if __name__ == "__main__":
    main()
