"""``drivaer evaluate``: how good a model is on a corpus, in the benchmark's figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from drivaer_app.cli.options import AsJson, OnDevice
from drivaer_app.cli.terminal import BadUsage, StageProgress, results_only, say


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name, a model folder, or a published .pth.")],
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="FOLDER", help="Cases, DrivAerNet, meshes with a CSV; ours unless given."),
    ] = None,
    split: Annotated[Literal["train", "val", "test", "all"], typer.Option(help="Which of its cars.")] = "test",
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also a page with plots.")] = None,
    as_json: AsJson = False,
    device: OnDevice = "auto",
) -> int:
    """Predict the cars of a corpus whose drag is known, and say how far off the model is.

    Every car of the split counts. A corpus without a split of its own has one by fixed rules: a fifth is test.
    """
    if html is not None and not html.absolute().parent.is_dir():
        raise BadUsage(f"--html {html}: there is no folder {html.parent}")
    with results_only() as stdout, StageProgress() as progress:
        from dataclasses import asdict

        from drivaer_app.lab.training import evaluate_model, kept_learning_curve
        from gnn.figures import figures_as_markdown

        evaluated, found = evaluate_model(model, corpus or [], split, device=device, report=progress.report)
        if html is not None:
            from drivaer_app.lab.evaluation_page import write_page

            write_page(html, evaluated, found, kept_learning_curve(model))
        if as_json:
            print(json.dumps({**found, "cars": [asdict(j) for j in evaluated]}), file=stdout)
        else:
            print(figures_as_markdown(found), file=stdout)
    if not corpus:
        say(
            "the morphed DrivAers here are the bundled model's template bent to each case, since their meshes are not "
            "ours to ship; its card has the figures on the meshes"
        )
    if html is not None:
        say(f"{html} has the plots")
    return 0
