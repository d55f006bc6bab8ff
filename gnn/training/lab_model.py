"""What a training in the lab leaves: a model folder, judged on its test cars, with its card."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gnn.calibration import LEAST, conformal_half_width, leave_one_out_coverage
from gnn.card import bound_by
from gnn.checkpoints import CARD, METRICS, read_model, write_text
from gnn.evaluation import judge
from gnn.figures import figures, figures_as_markdown
from gnn.lone import LONE, LoneModel, write_lone
from gnn.novelty import NoveltyReference, profile
from gnn.training.lab import Trained
from gnn.training.point_store import StoredCar
from gnn.training.recipe import Recipe

_LEVEL = 0.9
_LEAST_FOR_NOVELTY = 24


def write_lab_model(
    folder: Path,
    name: str,
    recipe: Recipe,
    trained: Trained,
    cars: dict[str, Sequence[StoredCar]],
    corpora: Sequence[str],
    licences: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the folder; returns its metrics. cars: by split; those of ``train`` it was trained on.

    licences: of the corpora, which bind the weights too.
    """
    config: dict[str, Any] = {
        "name": name,
        "made_by": "drivaer train",
        "trained_on": f"{len(cars['train'])} cars of {', '.join(corpora)}",
        "licences": list(licences),
        "recipe": asdict(recipe),
        LONE: {"architecture": dict(recipe.architecture)},
        "mean": trained.mean,
        "spread": trained.spread,
    }
    novelty = _novelty(cars["train"]) if not recipe.vertices else None
    write_lone(folder, config, trained.network, novelty)
    model = LoneModel(read_model(folder), "cpu")
    judged = judge(model, cars["test"])
    if recipe.model == "drag" and len(judged) >= LEAST:
        errors = np.array([j.error for j in judged])
        config["interval"] = {"level": _LEVEL, "half_width": conformal_half_width(errors, _LEVEL)}
        if len(judged) > LEAST:
            config["interval"]["coverage"] = leave_one_out_coverage(errors, _LEVEL)
        write_lone(folder, config, trained.network, novelty)
    metrics = {
        "counts": {split: len(own) for split, own in cars.items()},
        "epochs": trained.epochs,
        "parameters": model.n_parameters,
        "novelty": novelty is not None,
        "test": figures(judged),
        "judged": [asdict(j) for j in judged],
        "written": time.strftime("%Y-%m-%d"),
    }
    write_text(folder / METRICS, json.dumps(metrics, indent=1) + "\n")
    write_text(folder / CARD, _card(config, metrics))
    return metrics


def _novelty(cars: Sequence[StoredCar]) -> NoveltyReference | None:
    if len(cars) < _LEAST_FOR_NOVELTY:
        return None
    vectors = [profile(car.network_points, np.asarray(car.normals, np.float32)) for car in cars]
    return NoveltyReference.fit([np.array(vectors)])


def _card(config: dict[str, Any], metrics: dict[str, Any]) -> str:
    recipe, counts, interval = config["recipe"], metrics["counts"], config.get("interval")
    numbers = ", ".join(f"{key} {value}" for key, value in recipe.items() if key not in ("architecture", "model"))
    held = (
        f"Cd ± {interval['half_width']:.4f} at {interval['level']:.0%}, conformal on the {counts['test']} test cars."
        if interval
        else f"None is given: it takes {LEAST} test cars, and drag."
    )
    return f"""# {config["name"]}

{"Drag" if recipe["model"] == "drag" else "Surface fields"} of cars by {recipe["network"]}, {metrics["parameters"]:,}
parameters. This card is written by `{config["made_by"]}` from `metrics.json`; do not edit it.

## Trained on
{config["trained_on"]}; {counts["val"]} validation cars chose the epoch, of {metrics["epochs"]}, and nothing else.
Recipe: {numbers}; {", ".join(f"{k} {v}" for k, v in recipe["architecture"].items())}.

## Accuracy on {counts["test"]} test cars
All of them, none seen in training or in choosing the epoch; {recipe["draws"]} clouds of a car averaged.

{figures_as_markdown(metrics["test"])}

## Interval and novelty
{held}
Novelty is {"measured." if metrics["novelty"] else "not measured: nothing says how far a car is from these."}

## Limits and licence
What it can do is what its corpus shows.
{bound_by(config) or "No published corpus is known among what it learnt from: the weights are yours to decide about."}
"""
