"""``drivaer report``: the results of a batch or a study as a file that can be forwarded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import DrivAerError
from drivaer_app.cli.terminal import BadUsage, Waiting, results_only
from drivaer_app.files import STUDY_SUFFIX
from drivaer_app.report.formats import FORMATS, format_of, write_report
from drivaer_app.report.options import N_DETAILS, ReportOptions

if TYPE_CHECKING:
    from drivaer_app.batch.store import Store
    from drivaer_app.report.content import Content

_SUFFIXES = " ".join(one.suffix for one in FORMATS)
_TEMPLATES = " and ".join(one.suffix for one in FORMATS if one.takes_template)


def report(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="The folder that a batch wrote, or a .drivaer study.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help=f"{_SUFFIXES}, or a {STUDY_SUFFIX} study."),
    ],
    baseline: Annotated[
        str | None, typer.Option(metavar="CAR", help="Compare to this car instead of the own baseline.")
    ] = None,
    car: Annotated[
        list[str] | None, typer.Option("--car", metavar="CAR", help="Give this car a page of its own; repeat it.")
    ] = None,
    details: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many cars from the top have a page of their own.")
    ] = N_DETAILS,
    draw: Annotated[
        bool, typer.Option("--draw/--no-draw", help="Draw those cars now, where no pictures are kept.")
    ] = True,
    brand: Annotated[
        Path | None, typer.Option(metavar="TOML", help="A company's name, logo and colours; see docs/reports.md.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"A jinja2 template instead of the program's, for {_TEMPLATES}.")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the report.")] = "",
) -> int:
    """Make a report of a batch or a study: ranking, comparison to a baseline, pictures, where every number comes from.

    An .html report is one file that opens offline, with cars that turn in 3D. Cars that lie outside of what the model
    was trained on are marked wherever their numbers stand.
    """
    check_report(output)
    pages = tuple(car) if car else details
    with results_only() as stdout:
        make_report(results, output, ReportOptions(None, baseline, pages, draw, brand, template, title))
        print(output, file=stdout)
    return 0


def check_report(output: Path) -> None:
    """Before any work is done. Raises BadUsage for a place or a format that no report can go to."""
    if output.suffix.lower() != STUDY_SUFFIX:
        try:
            format_of(output, others=(STUDY_SUFFIX,))
        except DrivAerError as error:
            raise BadUsage(error.line) from error
    if not output.absolute().parent.is_dir():
        raise BadUsage(f"{output}: there is no folder {output.parent}")


def make_report(results: Path, output: Path, options: ReportOptions = ReportOptions()) -> None:  # noqa: B008 - frozen
    """Report on a study or a store's last run, its pages' cars drawn where they are not yet. Raises DrivAerError."""
    if results.suffix.lower() == STUDY_SUFFIX and not results.is_dir():
        from drivaer_app.desk.report_of_study import report_on_study
        from drivaer_app.desk.study_source import StudySource

        with Waiting(1).on("drawing cars"):
            report_on_study(output, StudySource.of_file(results), options)
        return
    from drivaer_app.batch.store import Store

    with Store.open(results) as store:
        if output.suffix.lower() == STUDY_SUFFIX:
            from drivaer_app.desk.study_file import write_study
            from drivaer_app.desk.study_of_batch import study_of_batch

            if options.template is not None:
                raise DrivAerError(f"a template is of no use for {STUDY_SUFFIX}", fix=f"use {_TEMPLATES}")
            write_study(output, study_of_batch(store.batch(), options.baseline))
        else:
            _report_on_batch(store, output, options)


def _report_on_batch(store: Store, output: Path, options: ReportOptions) -> None:
    from drivaer_app.batch.drawing import draw_missing
    from drivaer_app.report.brand import read_brand
    from drivaer_app.report.of_batch import content_of_batch

    company, batch = read_brand(options.brand), store.batch()

    def content() -> Content:
        return content_of_batch(batch, baseline=options.baseline, details=options.details, title=options.title)

    found = content()
    if options.draw and format_of(output).has_pages:
        with Waiting(1).on("drawing cars"):
            batch = draw_missing(store, batch, [car.file for car in found.details])
        found = content()
    write_report(output, found, company, options.template)
