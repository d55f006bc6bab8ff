"""Fine-tune a model on the user's own cars, with rehearsal of the cars that it was trained on.

Each batch has some of the user's cars and some of ours (the procedural cars and `gnn.training.replay`). Shapes of ours
without CFD are labelled by the old network. The batch normalisations keep their statistics, so that training starts
from exactly the old model. The gain is measured on held-out cars: a fixed fifth of the user's, or, with fewer than
TOO_FEW cars, all of them by cross-validation, whose trainings are as long as the final one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data.errors import DrivAerError
from gnn.calibration import LEAST, conformal_half_width
from gnn.checkpoints import ModelFolder, read_model, write_model, write_text
from gnn.difference import DifferenceLaw
from gnn.evaluation import CarEvaluation, evaluate_cars
from gnn.input_frame import InputFrame
from gnn.model_config import COEFFICIENTS, DRAG, FIELD, Interval, ModelConfig, ModelName
from gnn.network_spec import NetworkSpec
from gnn.networks import NETWORKS
from gnn.novelty import NoveltyReference, profile
from gnn.surrogate import Surrogate
from gnn.template import fits_template
from gnn.training.cars import Car, LabelledCloud, PointCar, split
from gnn.training.fine_tune_card import write_fine_tuned_card
from gnn.training.loop import Batch, Optimisation, by_step, fit
from gnn.training.losses import Scale, coefficient_loss, field_loss, stacked
from gnn.training.replay import REPLAY, ReplayCar, TemplateShape

TOO_FEW = 10
"""Number of the user's cars below which they are cross-validated."""
FOLDS = 3
_MOST_JUDGED = 40
_LEAST_FOR_OFFSET = 3

Report = Callable[[str, int, int, float | None], None]
"""stage, how much of it is done, how much there is, loss where there is one."""


@dataclass(frozen=True)
class FineTuningRecipe:
    """Steps, learning rate and batch size (clouds) of each network's training. seed: of all random draws."""

    drag_steps: int = 80
    field_steps: int = 80
    drag_rate: float = 1.5e-4
    field_rate: float = 3e-4
    drag_batch: int = 12
    field_batch: int = 4
    seed: int = 0


@dataclass(frozen=True, eq=False)
class FineTuning:
    """The cars of a fine-tuning. base: the model to start from; own: the user's cars; ours: the cars to rehearse.

    licences: of the corpora that the cars come from. The new model is bound by these and by the base model's licences.
    """

    base: ModelFolder
    own: Sequence[PointCar]
    ours: Sequence[Car]
    recipe: FineTuningRecipe = FineTuningRecipe()
    licences: Sequence[str] = ()

    @property
    def crossed(self) -> bool:
        """Whether the user's cars are cross-validated, because they are too few to hold out a fifth."""
        return len(self.own) < TOO_FEW or len(split(self.own)[1]) < 2 or not split(self.own)[0]

    @property
    def learnt(self) -> list[PointCar]:
        """The user's cars that the final model learns from."""
        return list(self.own) if self.crossed else split(self.own)[0]

    def novelty_knowing(self, cars: Sequence[PointCar]) -> NoveltyReference | None:
        """The base model's novelty reference with the user's cars among its known cars; None where it has none."""
        novelty = self.base.novelty()
        return novelty and novelty.knowing(np.array([_profile(car) for car in cars]))

    def trials(self) -> list[tuple[str, list[PointCar], list[PointCar]]]:
        """The trainings of the cross-validation: name, cars to learn from, cars held out."""
        n = min(FOLDS, len(self.own)) if self.crossed else 0
        if n < 2:
            return []
        folds = [list(self.own[k::n]) for k in range(n)]
        return [(f"trial {k + 1}", [c for c in self.own if c not in fold], fold) for k, fold in enumerate(folds)]

    def fingerprint(self) -> str:
        """Changes where anything does that the result depends on."""
        digest = hashlib.sha256(f"{self.base.digest} {json.dumps(asdict(self.recipe))}".encode())
        for car in (*self.own, *self.ours):
            digest.update(f"{car.kind}/{car.name} {json.dumps(dict(car.coefficients))}".encode())
        for car in self.own:
            assert car.case.geometry is not None
            digest.update(car.case.geometry.points.tobytes() + car.case.point_values.tobytes())
        return digest.hexdigest()


def fine_tune(tuning: FineTuning, out: Path, report: Report = lambda *_: None) -> dict[str, Any]:
    """Write the model folder ``out`` and return its metrics.

    Until it is done its work lies in ``out`` with ``.unfinished`` appended, where the same call goes on after it was
    stopped. Raises DrivAerError where ``out`` exists.
    """
    if out.exists():
        raise DrivAerError("there is something of that name", file=out, fix="give another name, or remove it")
    if set(tuning.base.config.networks) != {DRAG, FIELD} or tuning.base.config.interval is None:
        what = f"gives {tuning.base.config.gives}; only a model with drag, fields and an interval can be taught"
        raise DrivAerError(what, file=tuning.base.path, fix="start from another model")
    work = _work_folder(out, tuning)
    _, our_test = split(tuning.ours)
    our_test = our_test[:: -(-len(our_test) // _MOST_JUDGED) or 1]
    old = Surrogate.of_folder(tuning.base, "cpu")
    trials = tuning.trials()
    own_test = [car for _, _, held in trials for car in held] or ([] if tuning.crossed else split(tuning.own)[1])
    own_test = own_test or list(tuning.own)  # a single car: only the old model can be evaluated on it
    before = _judge("before, our cars", old, our_test, report), _judge("before, your cars", old, own_test, report)

    own_after: list[CarEvaluation] = []
    for name, learnt, held in trials:
        model = _learnt(tuning, learnt, work / name.replace(" ", "_"), name, report)
        own_after += _judge(f"{name}, your cars", model, held, report)
    model = _learnt(tuning, tuning.learnt, work / "final", "training", report)
    ours_after = _judge("after, our cars", model, our_test, report)
    if not tuning.crossed:
        own_after = _judge("after, your cars", model, own_test, report)

    metrics = _metrics(tuning, before, (ours_after, own_after))
    _publish(tuning, work / "final" / "model", out.name, metrics, report)
    shutil.move(work / "final" / "model", out)
    shutil.rmtree(work)
    return metrics


def _work_folder(out: Path, tuning: FineTuning) -> Path:
    """The folder of a training that was stopped, if it was the very same one; else a new one."""
    work = out.with_name(out.name + ".unfinished")
    mark = work / "fingerprint"
    if not mark.exists() or mark.read_text() != tuning.fingerprint():
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir(parents=True)
        except OSError as error:
            raise DrivAerError(f"the folder cannot be made ({error.strerror})", file=work) from error
        write_text(mark, tuning.fingerprint())
    return work


def _judge(stage: str, model: Surrogate, cars: Sequence[Car], report: Report) -> list[CarEvaluation]:
    return evaluate_cars(model, cars, lambda n: report(stage, n, len(cars), None))


def _learnt(tuning: FineTuning, own: Sequence[PointCar], work: Path, name: str, report: Report) -> Surrogate:
    """The model after learning from some of the user's cars; its interval and novelty are still the old ones."""
    recipe = tuning.recipe
    drag = _learn_drag(tuning, own, work, lambda n, loss: report(f"{name}, drag", n, recipe.drag_steps, loss))
    field = _learn_field(tuning, own, work, lambda n, loss: report(f"{name}, fields", n, recipe.field_steps, loss))
    novelty = tuning.novelty_knowing(own)
    folder = work / "model"
    networks = {DRAG: drag.state_dict(), FIELD: field.state_dict()}
    write_model(folder, tuning.base.config, networks, novelty, tuning.base.templates())
    return Surrogate.load(folder, "cpu")


def _learn_drag(tuning: FineTuning, own: Sequence[PointCar], work: Path, report) -> nn.Module:
    recipe, section = tuning.recipe, tuning.base.section(DRAG)
    spec = NETWORKS[section.network]
    old, network = (tuning.base.network(DRAG) for _ in range(2))
    replayed = _Replay(split(tuning.ours)[0])

    def standard(car: Car, cloud: LabelledCloud) -> Tensor:
        """Of a car's CFD; what reality differs by from that stays what the old network says."""
        known = np.array([car.coefficients[name] for name in ("cd", "cl", "cd")[: len(section.mean)]])
        target = torch.from_numpy(((known - section.mean) / section.spread).astype(np.float32))
        if len(target) == len(COEFFICIENTS):
            answer = _answer(spec, old, cloud)
            target[0] += answer[0] - answer[-1]
        return target

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((recipe.seed, step))
        shown = [own[i] for i in rng.integers(len(own), size=_own_share(recipe.drag_batch, len(own)))]
        clouds = [car.draw(section.n_points, rng) for car in shown]
        targets = [standard(car, cloud) for car, cloud in zip(shown, clouds, strict=True)]
        for cloud, car in replayed.draw(recipe.drag_batch - len(shown), section.n_points, rng):
            clouds.append(cloud)
            targets.append(standard(car, cloud) if car else _answer(spec, old, cloud))
        points, normals, _ = stacked(clouds)
        return points, normals, torch.stack(targets)

    def loss(net: nn.Module, points: Tensor, normals: Tensor, targets: Tensor) -> Tensor:
        net.eval()  # the batch normalisations stay as they are
        return coefficient_loss(spec.call(net, points, normals), targets)

    how = _optimisation(recipe.drag_steps, recipe.drag_rate, recipe.seed)
    return fit(network, by_step(draw), loss, how, work / "drag.ckpt", report=report).network


@torch.no_grad()
def _answer(spec: NetworkSpec, network: nn.Module, cloud: LabelledCloud) -> Tensor:
    points, normals = (torch.from_numpy(rows)[None] for rows in (cloud.points, cloud.normals))
    return spec.call(network, points, normals)[0]


def _learn_field(tuning: FineTuning, own: Sequence[PointCar], work: Path, report) -> nn.Module:
    recipe, section = tuning.recipe, tuning.base.section(FIELD)
    spec, scale = NETWORKS[section.network], Scale(section.mean, section.spread)
    ours, _ = split(tuning.ours)

    def draw(step: int) -> Batch:
        rng = np.random.default_rng((recipe.seed, 1, step))
        n_own = _own_share(recipe.field_batch, len(own)) if ours else recipe.field_batch
        shown = [own[i] for i in rng.integers(len(own), size=n_own)]
        if ours:
            shown += [ours[i] for i in rng.integers(len(ours), size=recipe.field_batch - n_own)]
        points, normals, values = stacked([car.draw(section.n_points, rng) for car in shown])
        return points, normals, scale.standardised(values)

    def loss(net: nn.Module, points: Tensor, normals: Tensor, target: Tensor) -> Tensor:
        return field_loss(spec.call(net, points, normals), target)

    how = _optimisation(recipe.field_steps, recipe.field_rate, recipe.seed)
    return fit(tuning.base.network(FIELD), by_step(draw), loss, how, work / "field.ckpt", report=report).network


class _Replay:
    """Draws clouds of the cars that the old model was trained on: those with CFD, and shapes between two DrivAers."""

    def __init__(self, ours: Sequence[Car]):
        self._known = [car for car in ours if not isinstance(car, ReplayCar)]
        morphs = [car for car in ours if isinstance(car, ReplayCar)]
        alike = {
            id(car.shape.template): [c for c in morphs if c.shape.template is car.shape.template] for car in morphs
        }
        self._morphs = list(alike.values())
        self._n_morphs = len(morphs)

    def draw(self, n: int, n_points: int, rng: np.random.Generator) -> Iterator[tuple[LabelledCloud, Car | None]]:
        """n clouds of n_points, each with its car, or with None for a shape without CFD. Empty without our cars."""
        total = self._n_morphs + len(self._known)
        for _ in range(n if total else 0):
            if rng.integers(total) < len(self._known):
                car = self._known[rng.integers(len(self._known))]
                yield car.draw(n_points, rng), car
            else:
                group = self._morphs[rng.integers(len(self._morphs))]
                one, other = (group[i].shape for i in rng.integers(len(group), size=2))
                between = one.code + np.float32(rng.random()) * (other.code - one.code)
                points, normals, _ = TemplateShape(one.template, between).draw(n_points, rng)
                yield LabelledCloud(points, normals, np.full((n_points, 4), np.nan, np.float32)), None


def _own_share(batch: int, n_own: int) -> int:
    """The user's share of a batch: half, but no more clouds than there are cars."""
    return min(batch // 2, max(1, n_own))


def _optimisation(steps: int, rate: float, seed: int) -> Optimisation:
    return Optimisation(steps, rate, warm_up=max(1, steps // 5), average=0.95, seed=seed)


def _profile(car: PointCar) -> np.ndarray:
    sample, _ = car.sample()
    return profile(InputFrame.of(sample.points).to_network(sample.points), sample.normals)


def _metrics(
    tuning: FineTuning,
    before: tuple[list[CarEvaluation], list[CarEvaluation]],
    after: tuple[list[CarEvaluation], list[CarEvaluation]],
) -> dict[str, Any]:
    ours, own = after
    old = tuning.base.config.interval_rans or tuning.base.config.interval
    assert old is not None  # what has none is refused at the beginning
    return {
        "base": {"name": tuning.base.path.name, "digest": tuning.base.digest, "interval": asdict(old)},
        "counts": {
            "own": len(tuning.own),
            "own_learnt": len(tuning.learnt),
            "ours_learnt": len(split(tuning.ours)[0]),
            "crossed": tuning.crossed,
        },
        "interval": new_interval(old, ours, own or before[1]),
        "before": {"ours": [asdict(j) for j in before[0]], "own": [asdict(j) for j in before[1]]},
        "after": {"ours": [asdict(j) for j in ours], "own": [asdict(j) for j in own]},
    }


def new_interval(old: Interval, ours: Sequence[CarEvaluation], own: Sequence[CarEvaluation]) -> dict[str, Any]:
    """Half widths for cars that the template fits and for all others (``off_template``), with where each comes from.

    Each is the wider of two: calibrated on our held-out cars and on the user's. old: the interval before, which stays
    where ours are too few to calibrate one. own: the user's cars, each predicted by a model that was not trained on it.
    """
    level, found, groups = old.level, {}, {}
    for group, fits in (("half_width", True), ("off_template", False)):
        before = old.of(fits)
        errors = [np.array([j.error for j in some if j.on_template == fits]) for some in (ours, own)]
        of_ours = conformal_half_width(errors[0], level) if len(errors[0]) >= LEAST else before
        of_own = conformal_half_width(errors[1], level) if len(errors[1]) >= LEAST else None
        if of_own is None and len(errors[1]):
            of_own = float(np.abs(errors[1]).max())
        found[group] = max(of_ours, of_own or 0.0)
        numbers = {"n_ours": len(errors[0]), "n_own": len(errors[1]), "ours": of_ours, "own": of_own, "before": before}
        groups[group] = numbers
    return {"level": level, **found, "groups": groups}


def _publish(tuning: FineTuning, folder: Path, name: str, metrics: dict[str, Any], report: Report) -> None:
    """The final model's interval, novelty, configuration and card."""
    base, stored = tuning.base.config, read_model(folder)
    n = len(tuning.learnt)
    config = replace(
        base,
        name=name,
        made_by="drivaer train",
        base=ModelName(metrics["base"]["name"], metrics["base"]["digest"]),
        trained_on=f"{base.trained_on}, and {n} {'car' if n == 1 else 'cars'} of your own",
        licences=tuple(dict.fromkeys([*base.licences, *tuning.licences])),
        cd_pressure_offset=_offset(tuning, Surrogate.of_folder(stored, "cpu"), report),
        **_certainty(base, metrics),
    )
    networks = {target: stored.part(target) for target in (DRAG, FIELD)}
    write_model(folder, config, networks, tuning.novelty_knowing(tuning.own), tuning.base.templates())
    if (tuning.base.path / REPLAY).exists():
        shutil.copyfile(tuning.base.path / REPLAY, folder / REPLAY)
    write_fine_tuned_card(folder, config, metrics)


def _certainty(base: ModelConfig, metrics: dict[str, Any]) -> dict[str, Any]:
    """The new model's intervals and laws of differences.

    CFD says how well CFD is met. Of the real car it says only that the interval is no narrower than that; how certain
    differences are there stays as the base had it.
    """
    found = metrics["interval"]
    interval = Interval(found["half_width"], found["off_template"], found["level"])
    if base.interval is not None and base.interval_rans is not None:
        on, off = (max(base.interval.of(fits), interval.of(fits)) for fits in (True, False))
        return {"interval_rans": interval, "interval": replace(base.interval, half_width=on, off_template=off)}
    laws = {}
    for key, fits in (("difference", True), ("difference_off_template", False)):
        ours = [row for row in metrics["after"]["ours"] if row["on_template"] == fits]
        predicted, true = ([row[what] for row in ours] for what in ("cd_predicted", "cd"))
        laws[key] = DifferenceLaw.of_held_out(predicted, true, interval.level) or getattr(base, key)
    return {"interval": interval, **laws}


def _offset(tuning: FineTuning, model: Surrogate, report: Report) -> float | None:
    """Cd that the field's integral lacks on average over the training cars that no template fits."""
    old = tuning.base.config.cd_pressure_offset
    if old is None:
        return None
    cars = [*tuning.learnt, *(car for car in split(tuning.ours)[0] if not isinstance(car, ReplayCar))]
    cars = cars[:: -(-len(cars) // 24)]
    short = []
    for number, car in enumerate(cars, 1):
        predicted = model.predict(car.sample()[0], car.frontal_area)
        if not fits_template(predicted.registered) and predicted.cd_pressure is not None:
            short.append(car.coefficients["cd_pressure"] - predicted.cd_pressure)
        report("the fields' integral", number, len(cars), None)
    return old + float(np.mean(short)) if len(short) >= _LEAST_FOR_OFFSET else old
