"""``drivaer train``: teach a model cars of one's own, or train a network on any corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from drivaer_app.cli.options import Device
from drivaer_app.cli.terminal import BadUsage, StageProgress, results_only, say

if TYPE_CHECKING:
    from gnn.training.loop import Epoch
    from gnn.training.recipe import TrainingRecipe

_OF_OWN, _OF_LAB = ("--add", "--steps"), ("--model", "--config", "--preset", "--learning-curve", "--epochs")


def train(
    base: Annotated[
        str | None, typer.Option("--from", metavar="NAME|PATH", help="Teach this model your own cars.")
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", metavar="CORPUS", help="With --from: your own cases, as 'corpus add' keeps them."),
    ] = None,
    corpus: Annotated[
        list[Path] | None,
        typer.Option(
            "--corpus", metavar="FOLDER", help="Train a network on this: cases, DrivAerNet, meshes and a CSV."
        ),
    ] = None,
    model: Annotated[Literal["drag", "field"] | None, typer.Option(help="With --corpus: what is to be learnt.")] = None,
    preset: Annotated[
        Literal["ours", "drivaernet-paper"], typer.Option(help="With --corpus: by which recipe.")
    ] = "ours",
    config: Annotated[
        Path | None, typer.Option(metavar="TOML", help="With --corpus: keys that replace the recipe's.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the new model: 'predict --model NAME' finds it.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Where the model goes, instead of a name.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what was stopped (which the same command does anyway).")
    ] = False,
    steps: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --from: of either network; 80 unless given.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --corpus: instead of the recipe's.")
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option("--learning-curve", metavar="SHARES", help="With --corpus: also on these shares, as 0.25,0.5."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything that is drawn at random.")] = None,
    device: Annotated[Device, typer.Option(help="With --corpus: where the network is trained.")] = "auto",
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="With --corpus: processes that read meshes and draw clouds.")
    ] = 0,
) -> int:
    """Teach a model your own cars, or train a network from the start.

    drivaer train --from drivaer --add my-corpus --name mine
    drivaer train --corpus FOLDER --model drag --name mine

    Ctrl-C stops it, the same command goes on from there. torchrun trains with several processes.
    """
    if base is None and not corpus:
        raise BadUsage("say either which model to start from (--from drivaer) or what to train on (--corpus FOLDER)")
    _refuse_strangers(
        _OF_OWN if base is None else _OF_LAB,
        {
            "--add": add,
            "--steps": steps,
            "--model": model,
            "--config": config,
            "--preset": None if preset == "ours" else preset,
            "--learning-curve": curve,
            "--epochs": epochs,
        },
        "--corpus alone" if base is None else "--from",
    )
    folder = _new_folder(name, out)
    if resume and not folder.with_name(folder.name + ".unfinished").is_dir():
        raise BadUsage(f"--resume: nothing lies unfinished at {folder}")
    if base is None and model is None:
        raise BadUsage("say what to learn: --model drag or --model field")
    shares = _shares(curve)
    with results_only() as stdout, StageProgress() as progress:
        from drivaer_app.lab.learning import check_new_name

        check_new_name(folder)
        if base is None:
            from gnn.training.recipe import recipe_of

            recipe = recipe_of(model, preset, config, epochs=epochs, seed=seed)
            lines = _train_on(corpus, folder, recipe, shares, device, workers, progress)
        else:
            lines = _teach(base, add, corpus or [], folder, steps, seed, progress)
        for line in lines:
            print(line, file=stdout)
    if lines:
        what = "evaluate" if model == "field" else "predict --model"
        say(f"{folder}: see card.md there; 'drivaer {what} {name or folder}' uses it")
    return 0


def _teach(
    base: str,
    add: list[Path] | None,
    repeat: list[Path],
    folder: Path,
    steps: int | None,
    seed: int | None,
    progress: StageProgress,
) -> list[str]:
    from drivaer_app.lab.learning import learn_own_cars
    from drivaer_app.paths import own_corpus
    from gnn.training.fine_tune import FineTuningRecipe

    lengths = {} if steps is None else {"drag_steps": steps, "field_steps": steps}
    recipe = FineTuningRecipe(**lengths, seed=seed or 0)
    return _summary(learn_own_cars(base, add or [own_corpus()], folder, recipe, progress.report, repeat))


def _train_on(
    corpora: list[Path],
    folder: Path,
    recipe: TrainingRecipe,
    shares: list[float],
    device: str,
    workers: int,
    progress: StageProgress,
) -> list[str]:
    from drivaer_app.lab.training import learning_curve, train_on_corpora
    from gnn.figures import figures_as_markdown
    from gnn.surrogate import pick_device

    def on_epoch(epoch: Epoch) -> None:
        what = "validation R2" if recipe.model == "drag" else "1 - validation error of Cp"
        score = (
            f"{what} {epoch.score:.4f} (best {epoch.best:.4f})" if epoch.score == epoch.score else "no validation cars"
        )
        left = f"{epoch.seconds_left / 60:.0f} min left"
        progress.say(f"epoch {epoch.number} of {epoch.of}  loss {epoch.loss:.5f}  {score}  {left}")

    how: dict[str, Any] = {"device": pick_device(device), "workers": workers, "report": progress.report}
    how["on_epoch"] = on_epoch
    if shares:
        points = learning_curve(recipe, corpora, folder, shares, **how)
        return [f"{point['cars']} cars: {_short(point['test'])}" for point in points]
    metrics = train_on_corpora(recipe, corpora, folder, **how)
    return [] if metrics is None else [figures_as_markdown(metrics["test"])]


def _short(test: dict) -> str:
    if "cd" in test:
        own = test["cd"]["all"]
        r2 = f"R2 {own['r2']:.3f}, " if "r2" in own else ""
        return f"{r2}MAE {own['mae']:.4f} on {own['n']} test cars"
    return f"Cp error {test['fields']['cp_l2']['value']:.3f} on {test['n']} test cars" if test else "no test cars"


def _refuse_strangers(strangers: tuple[str, ...], given: dict[str, Any], beside: str) -> None:
    for option in strangers:
        if given[option] is not None:
            raise BadUsage(f"{option} has no meaning with {beside}")


def _shares(curve: str | None) -> list[float]:
    try:
        shares = [float(word) for word in curve.split(",")] if curve else []
    except ValueError as error:
        raise BadUsage(f"--learning-curve {curve}: give shares with commas between, as 0.25,0.5") from error
    if not all(0 < share <= 1 for share in shares):
        raise BadUsage(f"--learning-curve {curve}: a share lies between 0 and 1")
    return shares


def _new_folder(name: str | None, out: Path | None) -> Path:
    if (name is None) == (out is None):
        raise BadUsage("give the new model either a --name or a folder with -o")
    if out is not None:
        return out
    if not name.replace("-", "").replace("_", "").isalnum() or name.startswith("-"):
        raise BadUsage(f"--name {name}: letters, digits, - and _ only")
    from drivaer_app.models import BUNDLED
    from drivaer_app.paths import own_models

    if (BUNDLED / name).exists():
        raise BadUsage(f"--name {name} is a bundled model's; give another")
    return own_models() / name


def _summary(metrics: dict) -> list[str]:
    """Cd's mean error before and after, on the user's cars and on ours."""
    lines = []
    for which, whose in (("own", "your cars"), ("ours", "our cars")):
        before, after = metrics["before"][which], metrics["after"][which]
        if before and after:
            lines.append(
                f"{whose:10} Cd MAE {_mae(before):.4f} before, {_mae(after):.4f} after ({len(after)} held out)"
            )
        elif before:
            lines.append(f"{whose:10} Cd MAE {_mae(before):.4f} before; after: not measured, no car is left to ask")
    for group, cars in (("half_width", "on the template"), ("off_template", "off the template")):
        before, now = metrics["interval"]["groups"][group]["before"], metrics["interval"][group]
        lines.append(f"interval   ± {before:.4f} before, ± {now:.4f} after, for cars {cars}")
    return lines


def _mae(rows: list[dict]) -> float:
    return sum(abs(row["cd_predicted"] - row["cd"]) for row in rows) / len(rows)
