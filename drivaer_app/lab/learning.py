"""From corpora on disk to a model that has learnt from them: what `drivaer train --from` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError
from drivaer_app.models import find_model
from drivaer_app.paths import built_in_corpus, cache

if TYPE_CHECKING:
    from gnn.training.cars import Car
    from gnn.training.fine_tune import FineTuningRecipe

MORPHS, FAMILIES = "drivaer_morphs", "procedural_cars"
"""Folders of the built-in corpus."""
_POOL = 32768


def learn_own_cars(
    model: str | Path | None,
    corpora: Sequence[Path],
    out: Path,
    recipe: FineTuningRecipe | None = None,
    report: Callable[[str, int, int, float | None], None] = lambda *_: None,
    repeat: Sequence[Path] = (),
) -> dict[str, Any]:
    """Fine-tune a model on the user's corpora into the folder ``out``; returns its metrics.

    repeat: corpora of cases or families to rehearse besides those that come with the program.
    The same call goes on where it was stopped. Raises DrivAerError for corpora without cases, or where ``out`` exists;
    ModelError.
    """
    from gnn.checkpoints import read_model
    from gnn.training.cars import cars_of_cases, point_cars
    from gnn.training.corpora import licences_of_corpora
    from gnn.training.fine_tune import FineTuning, FineTuningRecipe, fine_tune

    base = read_model(find_model(model))
    cars = {car.name: car for corpus in corpora for car in point_cars(corpus)}
    own = [car for _, car in sorted(cars.items())]
    ours = [*shipped_cars(base), *(car for corpus in repeat for car in cars_of_cases(corpus, _POOL))]
    licences = licences_of_corpora([*corpora, *repeat], cache() / "catalogues")
    return fine_tune(FineTuning(base, own, ours, recipe or FineTuningRecipe(), licences), out, report)


def shipped_cars(base) -> list[Car]:
    """The cars with CFD that come with the program: procedural cars, and the DrivAer morphs whose code the model has.

    base: a gnn.checkpoints.ModelFolder. Raises DrivAerError where the program was installed without them.
    """
    from gnn.training.cars import family_cars
    from gnn.training.replay import read_replay, replay_cars

    corpus = built_in_corpus()
    morphs = replay_cars(read_replay(base.path), base.templates(), corpus / MORPHS)
    return [*family_cars(corpus / FAMILIES, pool=_POOL), *morphs]


def check_new_name(folder: Path) -> None:
    """Raises DrivAerError where a model's folder is there already, before any work is done."""
    if folder.exists():
        raise DrivAerError("there is something of that name", file=folder, fix="give another name, or remove it")
