"""``drivaer train``: teach a model cars of one's own, or train a network from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivaer_app.cli.terminal import BadUsage, Progress, results_only, say


def train(
    base: Annotated[
        str | None, typer.Option("--from", metavar="NAME|PATH", help="The model to start from, to be taught more.")
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", metavar="CORPUS", help="Your own cases, as 'corpus add' keeps them; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the new model: 'predict --model NAME' finds it.")] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Where the model goes, instead of a name.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of either network; 80 unless given.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn at random.")] = 0,
) -> int:
    """Teach a model cars of your own: drivaer train --from drivaer --add my-corpus --name mine.

    Ctrl-C stops it, the same command goes on from there.
    """
    if base is None:
        raise BadUsage("say which model to start from: --from drivaer")
    folder = _new_folder(name, out)
    with results_only() as stdout:
        from drivaer_app.learning import check_new_name, learn_own_cars
        from drivaer_app.paths import own_corpus
        from gnn.training.fine_tune import Plan

        check_new_name(folder)
        plan = Plan(seed=seed) if steps is None else Plan(drag_steps=steps, field_steps=steps, seed=seed)
        with Progress() as progress:
            metrics = learn_own_cars(base, add or [own_corpus()], folder, plan, progress.report)
        for line in _told(metrics):
            print(line, file=stdout)
        say(f"{folder}: see card.md there; 'drivaer predict --model {name or folder}' uses it")
    return 0


def _new_folder(name: str | None, out: Path | None) -> Path:
    if (name is None) == (out is None):
        raise BadUsage("give the new model either a --name or a folder with -o")
    if out is not None:
        return out
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name.startswith((".", "-")):
        raise BadUsage(f"--name {name}: letters, digits, - and _ only")
    from drivaer_app.models import BUNDLED
    from drivaer_app.paths import own_models

    if (BUNDLED / name).exists():
        raise BadUsage(f"--name {name} is a bundled model's; give another")
    return own_models() / name


def _told(metrics: dict) -> list[str]:
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
    lines.append(
        f"interval   ± {metrics['base']['half_width']:.4f} before, ± {metrics['interval']['half_width']:.4f} after"
    )
    return lines


def _mae(rows: list[dict]) -> float:
    return sum(abs(row["cd_said"] - row["cd"]) for row in rows) / len(rows)
