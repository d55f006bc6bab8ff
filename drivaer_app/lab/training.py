"""Training and evaluating on corpora: what `drivaer train --corpus` and `drivaer evaluate` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError
from data.extras import needs
from drivaer_app.models import find_model
from drivaer_app.paths import cache

if TYPE_CHECKING:
    from gnn.evaluation import CarEvaluation
    from gnn.training.corpora import SplitCars
    from gnn.training.loop import Epoch
    from gnn.training.recipe import TrainingRecipe

Report = Callable[[str, int, int, float | None], None]
_CURVE = "learning_curve.json"


def train_on_corpora(
    recipe: TrainingRecipe,
    corpora: Sequence[Path],
    out: Path,
    *,
    device: str = "cpu",
    workers: int = 0,
    report: Report = lambda *_: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> dict[str, Any] | None:
    """Train a network into the model folder ``out``; returns its metrics (in the first of several processes).

    Until it is done its work lies in ``out`` with ``.unfinished`` appended, where the same call goes on.
    Raises DrivAerError where the corpora hold nothing to learn from, ``out`` exists, or another training lies there.
    """
    from gnn.training.by_recipe import CHECKPOINT, subset, train_by_recipe
    from gnn.training.corpora import licences_of_corpora
    from gnn.training.distributed import processes
    from gnn.training.recipe_model import write_recipe_model

    _check(recipe, out, device)
    run = out.with_name(out.name + ".unfinished")
    with processes(device) as together:
        if together.world > 1 and recipe.batch % together.world:
            what = f"a batch of {recipe.batch} cannot be shared by {together.world} processes"
            raise DrivAerError(what, fix="set batch to a multiple in a --config file")
        if not together.is_first:
            together.wait()  # the first one fills the store
        cars = stored_corpora(corpora, recipe, workers, report if together.is_first else lambda *_: None)
        if together.is_first:
            together.wait()
        if len(cars["train"]) < 2:
            raise DrivAerError(f"{len(cars['train'])} training cars: nothing can be learnt", file=corpora[0])
        learnt = {**cars, "train": subset(cars["train"], recipe)}
        on_own_epoch = on_epoch if together.is_first else lambda _: None
        trained = train_by_recipe(recipe, learnt["train"], learnt["val"], run, together, workers, on_own_epoch)
        together.wait()
        if not together.is_first:
            return None
        names = [folder.resolve().name for folder in corpora]
        licences = licences_of_corpora(corpora, cache() / "catalogues")
        metrics = write_recipe_model(run, out.name, recipe, trained, learnt, names, licences)
        (run / CHECKPOINT).unlink()
        run.rename(out)
        return metrics


def learning_curve(
    recipe: TrainingRecipe, corpora: Sequence[Path], out: Path, shares: Sequence[float], **how: Any
) -> list[dict[str, Any]]:
    """The same recipe on growing shares of the training cars, each share within the next; the whole into ``out``.

    Returns, and keeps with the model, for each share: the cars learnt from and the figures on the same test cars.
    """
    import json

    from gnn.checkpoints import METRICS, write_text

    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise DrivAerError("a learning curve is made by one process", fix="leave torchrun out, or the curve")
    points = []
    for share in [*sorted(share for share in shares if share < 1), 1.0]:
        folder = out if share == 1.0 else out.with_name(f"{out.name}-{round(100 * share)}pc")
        if not folder.exists():
            train_on_corpora(replace(recipe, subset=share), corpora, folder, **how)
        metrics = json.loads((folder / METRICS).read_text("utf-8"))
        points.append({"share": share, "cars": metrics["counts"]["train"], "test": metrics["test"]})
    write_text(out / _CURVE, json.dumps(points, indent=1) + "\n")
    return points


def stored_corpora(corpora: Sequence[Path], recipe: TrainingRecipe, workers: int, report: Report) -> dict[str, list]:
    """The corpora's cars by split, sampled into a store; only those that the recipe can use."""
    from gnn.training.corpora import SPLITS, read_corpora
    from gnn.training.point_store import stored

    found = read_corpora(corpora, cache() / "catalogues")
    if recipe.vertices and not all(car.has_mesh for car in found.cars):
        what = "the published recipe takes the vertices of meshes, and these cases have none"
        raise DrivAerError(what, file=corpora[0], fix="use --preset ours, or vertices = false")
    n = len(found.cars)
    cars = stored(
        found.cars,
        found.splits,
        cache() / "points",
        n_points=recipe.pool,
        vertices=recipe.vertices,
        workers=workers,
        on_each=lambda done: report("reading the cars", done, n, None),
    )
    if recipe.model == "field":
        cars = [car for car in cars if len(car.face_values)]
        if not cars:
            raise DrivAerError("no car has a pressure on its surface", file=corpora[0])
    return {split: [car for car in cars if car.split == split] for split in SPLITS}


def evaluate_model(
    name_or_path: str | Path,
    corpora: Sequence[Path],
    split: str,
    *,
    device: str = "auto",
    report: Report = lambda *_: None,
) -> tuple[list[CarEvaluation], dict[str, Any]]:
    """Predict every car of a split (or of ``all``) and compare: each car's evaluation, and the metrics.

    Without corpora: the cars that come with the program, DrivAer morphs as the bundled model's template has them.

    Raises DrivAerError where there are no such cars; ModelError.
    """
    from gnn.evaluation import evaluate_cars
    from gnn.figures import figures
    from gnn.surrogate import Surrogate
    from gnn.training.corpora import read_corpora

    model = Surrogate.load(find_model(name_or_path), device)
    found = read_corpora(corpora, cache() / "catalogues") if corpora else _shipped()
    cars = list(found.cars) if split == "all" else found.of(split)
    if not cars:
        has = ", ".join(f"{found.splits.count(s)} {s}" for s in dict.fromkeys(found.splits))
        raise DrivAerError(f"no car of the split {split} ({has})", fix="take another --split, or all")
    evaluated = evaluate_cars(model, cars, lambda n: report("predicting", n, len(cars), None))
    return evaluated, {"model": model.name, "split": split, "parameters": model.n_parameters, **figures(evaluated)}


def _shipped() -> SplitCars:
    from drivaer_app.lab.learning import shipped_cars
    from gnn.checkpoints import read_model
    from gnn.training.corpora import SplitCars

    cars = shipped_cars(read_model(find_model()))
    return SplitCars(cars, ["test" if car.is_test else "train" for car in cars])


def _check(recipe: TrainingRecipe, out: Path, device: str) -> None:
    needs("train")
    if out.exists():
        raise DrivAerError("there is something of that name", file=out, fix="give another name, or remove it")
    if device == "cuda":
        from gnn.surrogate import pick_device

        pick_device(device)


def kept_learning_curve(name_or_path: str) -> list[dict[str, Any]] | None:
    """What :func:`learning_curve` kept with a model; None where there is none."""
    import json

    path = find_model(name_or_path) / _CURVE
    return json.loads(path.read_text("utf-8")) if path.exists() else None
