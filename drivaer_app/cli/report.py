"""``drivaer report``: the results of a batch or a study as a file that can be forwarded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from data.errors import DrivAerError
from drivaer_app.cli.terminal import BadUsage, Waiting, results_only


def report(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The folder that a batch wrote, or a .drivaer study.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help=".html .pdf .xlsx .csv .json .md, or a .drivaer study."),
    ],
    baseline: Annotated[
        str | None, typer.Option(metavar="CAR", help="Compare to this car instead of the own baseline.")
    ] = None,
    car: Annotated[
        list[str] | None, typer.Option("--car", metavar="CAR", help="Give this car a page of its own; repeat it.")
    ] = None,
    details: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many cars from the top have a page of their own.")
    ] = 12,
    draw: Annotated[
        bool, typer.Option("--draw/--no-draw", help="Draw those cars now, where no pictures are kept.")
    ] = True,
    brand: Annotated[
        Path | None, typer.Option(metavar="TOML", help="A company's name, logo and colours; see docs/reports.md.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A jinja2 template instead of the program's, for .html and .md.")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the report.")] = "",
) -> int:
    """Make a report of a batch or a study: ranking, comparison to a baseline, pictures, where every number comes from.

    An .html report is one file that opens offline, with cars that turn in 3D. Cars that lie outside of what the model
    was trained on are marked wherever their numbers stand.
    """
    check_report(output)
    with results_only() as stdout:
        make_report(results, output, baseline, car or details, draw, brand, template, title)
        print(output, file=stdout)
    return 0


def check_report(output: Path) -> None:
    """Before any work is done. Raises BadUsage for a place or a format that no report can go to."""
    from drivaer_app.report.write import check_suffix

    try:
        check_suffix(output)
    except DrivAerError as error:
        raise BadUsage(error.line) from error
    if not output.absolute().parent.is_dir():
        raise BadUsage(f"{output}: there is no folder {output.parent}")


def make_report(
    results: Path,
    output: Path,
    baseline: str | None = None,
    details: Sequence[str] | int = 12,
    draw: bool = True,
    brand: Path | None = None,
    template: Path | None = None,
    title: str = "",
) -> None:
    """Report on a study or a store's last run, its pages' cars drawn where they are not yet. Raises DrivAerError."""
    from drivaer_app.desk.study_file import SUFFIX

    if results.suffix.lower() == SUFFIX and not results.is_dir():
        from drivaer_app.report.of_study import report_on_study
        from drivaer_app.report.study_source import StudySource, Wish

        pages = details if isinstance(details, int) else tuple(details)
        wish = Wish(None, baseline, pages, draw, brand, template, title)
        with Waiting(1).on("drawing cars"):
            report_on_study(output, StudySource.of_file(results), wish)
        return
    from drivaer_app.batch.store import Store
    from drivaer_app.report.brand import read_brand
    from drivaer_app.report.content import content_of
    from drivaer_app.report.pictures import draw_missing
    from drivaer_app.report.write import WITH_PICTURES, write_report

    company = read_brand(brand)
    with Store.open(results) as store:
        batch = store.batch()

        def content():
            return content_of(batch, baseline=baseline, details=details, title=title)

        told = content()
        if draw and output.suffix.lower() in WITH_PICTURES:
            with Waiting(1).on("drawing cars"):
                batch = draw_missing(store, batch, [car.stored for car in told.details])
            told = content()
    write_report(output, told, company, template)
