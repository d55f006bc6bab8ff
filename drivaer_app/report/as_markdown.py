"""A report as Markdown, for wikis and pull requests."""

from __future__ import annotations

import re
from pathlib import Path

from data.replacing import replacing
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.content import Content
from drivaer_app.report.templates import environment, rendered, template_of

# All that Markdown or the HTML in it gives a meaning to.
_MEANT = re.compile(r"([\\`*_\[\]<>#|~&]|(?<![\w.])[-+](?=\s)|^[-+=])")


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(markdown_of(content, brand, template), encoding="utf-8")


def markdown_of(content: Content, brand: Brand, template: Path | None = None) -> str:
    """template: instead of resources/templates/report.md.j2."""
    templates = environment(autoescape=False)
    templates.filters["cell"] = escaped
    return rendered(
        template_of("report.md.j2", template, templates),
        template,
        content=content,
        brand=brand,
        text=escaped,
        interval=_interval,
        shown=lambda value, digits: "" if value is None else f"{value:.{digits}f}",
    )


def escaped(text: str) -> str:
    """The text as Markdown shows it letter by letter."""
    return _MEANT.sub(r"\\\1", text)


def _interval(car: ReportCar) -> str:
    if car.is_outside or car.result.cd_low is None:
        return "none holds"
    return f"{car.result.cd_low:.3f} to {car.result.cd_high:.3f}"
