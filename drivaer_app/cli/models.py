"""``drivaer models``: which models there are, what they say of themselves, side by side, and in other formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from drivaer_app.cli.options import AsJsonLines
from drivaer_app.cli.terminal import BadUsage, results_only, say

models = typer.Typer(
    help="List, show, compare and export models.", context_settings={"help_option_names": ["-h", "--help"]}
)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model's name, or a model folder.")]


@models.command("list")
def list_models(
    as_json: AsJsonLines = False,
) -> int:
    """Name the models that came with the program and those that you trained."""
    import json

    from drivaer_app.models import known_models, summary

    for model in known_models():
        found = summary(model.folder)
        if as_json:
            typer.echo(json.dumps({"name": model.name, "folder": str(model.folder), "bundled": model.bundled, **found}))
        else:
            whose = "bundled" if model.bundled else "yours"
            bound = f"; {', '.join(found['licences'])}" if found["licences"] else ""
            typer.echo(f"{model.name:20} {whose:8} {found['gives']:22} trained on {found['trained_on']}{bound}")
    return 0


@models.command()
def show(model: Model) -> int:
    """Print a model's card."""
    from drivaer_app.model_card import model_card
    from drivaer_app.models import find_model

    find_model(model)
    typer.echo(model_card(model))
    return 0


@models.command()
def compare(
    names: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Two models or more.")],
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", metavar="FOLDER", help="Judge them on this; on ours unless given.")
    ] = None,
    split: Annotated[Literal["train", "val", "test", "all"], typer.Option(help="Which of its cars.")] = "test",
) -> int:
    """Judge models on the same cars, and say which is better, and whether that could be chance."""
    if len(names) < 2:
        raise BadUsage("give two models or more")
    with results_only() as stdout:
        from drivaer_app.cli.terminal import StageProgress
        from drivaer_app.lab.training import evaluate_model
        from gnn.figures import figures_as_markdown, paired_bootstrap

        evaluated = {}
        with StageProgress() as progress:
            for name in names:
                evaluated[name], found = evaluate_model(name, corpus or [], split, report=progress.report)
                print(f"## {found['model']}\n\n{figures_as_markdown(found)}\n", file=stdout)
        first = names[0]
        for other in names[1:]:
            for line in paired_bootstrap(first, evaluated[first], other, evaluated[other]):
                print(line, file=stdout)
    return 0


@models.command()
def export(
    model: Model,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="A file, or a folder for safetensors.")],
    to: Annotated[Literal["safetensors", "onnx", "pt2"], typer.Option(help="In which format.")] = "onnx",
    part: Annotated[Literal["drag", "field"], typer.Option(help="Which network of the model.")] = "drag",
) -> int:
    """Write a network for other programs, and check that it says the same there.

    onnx and pt2 (torch.export) take any number of points of the size that the model was trained with.
    """
    from drivaer_app.export import export_model

    for line in export_model(model, out, to, part):
        say(line)
    return 0
