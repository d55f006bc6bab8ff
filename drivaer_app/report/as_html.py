"""A report as one HTML file that needs nothing else: pictures, data, three.js and the script are inside."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.replacing import replacing
from drivaer_app.paths import RESOURCES
from drivaer_app.pictures.colours import diverging, to_srgb
from drivaer_app.pictures.thinned_car import ThinnedCar
from drivaer_app.report.brand import Brand
from drivaer_app.report.car import ReportCar
from drivaer_app.report.content import Content
from drivaer_app.report.drag_curve import svg_of
from drivaer_app.report.pictures import as_webp
from drivaer_app.report.templates import environment, rendered, template_of
from drivaer_app.report.texts import shortened

_MISSING = "No pictures: the mesh is not where it was, has changed since, or the model gives no pressure."
_N_COLOURS = 129
_NUMBER = re.compile(r"\d+(\.\d+)?")
_MEASURES = (
    ("frontal_area_m2", "frontal area, m²"),
    ("length_m", "length, m"),
    ("width_m", "width, m"),
    ("height_m", "height, m"),
    ("cl", "Cl"),
    ("cd_pressure", "Cd from pressure"),
    ("cd_friction", "Cd from friction"),
    ("novelty", "novelty"),
    ("n_faces", "faces"),
)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def at(self, value: float) -> float:
        return round(4 + 182 * (value - self.low) / (self.high - self.low), 1)


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(html_of(content, brand, template), encoding="utf-8")


def html_of(content: Content, brand: Brand, template: Path | None = None) -> str:
    """template: instead of resources/templates/report.html.j2."""
    from markupsafe import Markup

    axis = _axis(content)
    details = [car for car in content.details if car.result is not None]
    views = {car.number: Markup(view) for car in details if (view := _view(car))}
    folder = RESOURCES / "templates"
    page = template_of("report.html.j2", template, environment(autoescape=True))
    return rendered(
        page,
        template,
        content=content,
        brand=brand,
        axis=axis,
        table_columns=_table_columns(content),
        bar=lambda car: Markup(_bar(car, content, axis, brand)),
        state_of=_state,
        number=lambda value: "" if value is None else value,
        shown=lambda value, digits: "" if value is None else f"{value:.{digits}f}",
        plotted=_plotted(content),
        pictures={car.number: as_webp(car.picture) if car.picture else "" for car in details},
        views=views,
        along={car.number: svg_of(car, content.baseline) for car in details},
        missing=_MISSING,
        warnings=_warnings(content.cars),
        gradient=", ".join(_colours()[::16]),
        data=Markup(_json(_data(content, brand))),
        three=Markup((folder / "three" / "three.bundle.min.js").read_text("utf-8")),
        script=Markup((folder / "report.js").read_text("utf-8")),
    )


def _table_columns(content: Content) -> list[tuple[str, str, str]]:
    """Key, label and CSS class of each."""
    base = [("delta", "ΔCd, counts", ""), ("verdict", "Against baseline", "text")] if content.baseline else []
    return [
        ("rank", "#", ""),
        ("name", "Car", "name"),
        ("cd", "Cd", ""),
        ("interval", "", ""),
        *base,
        ("cl", "Cl", "wide"),
        ("area", "Area, m²", "wide"),
        ("drag", "Drag, N", "wide"),
        ("novelty", "Novelty", "wide"),
    ]


def _axis(content: Content) -> _Axis:
    ends = [
        value
        for car in content.predicted
        for value in (car.result.cd, *(() if car.is_outside else (car.result.cd_low, car.result.cd_high)))
        if value is not None
    ]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return _Axis(low, high) if high > low else _Axis(low - 0.01, high + 0.01)


def _bar(car: ReportCar, content: Content, axis: _Axis, brand: Brand) -> str:
    """The interval on one axis for all cars. Numbers and colours only, so it is safe as it is."""
    r, parts = car.result, []
    if content.baseline is not None:
        x = axis.at(content.baseline.result.cd)
        parts.append(f'<line x1="{x}" x2="{x}" y1="0" y2="18" stroke="#8a9099" stroke-dasharray="2 2"/>')
    x = axis.at(r.cd)
    if car.is_outside:
        parts.append(f'<path d="M{x} 4l5 9h-10z" fill="#fff" stroke="#b05400"/>')
    else:
        if r.cd_low is not None:
            low, high = axis.at(r.cd_low), axis.at(r.cd_high)
            parts.append(
                f'<line x1="{low}" x2="{high}" y1="9" y2="9" stroke="{brand.accent}" stroke-width="5" '
                f'stroke-opacity=".28" stroke-linecap="round"/>'
            )
        parts.append(f'<circle cx="{x}" cy="9" r="4" fill="{brand.accent}"/>')
    return f'<svg class="bar" viewBox="0 0 190 18" aria-hidden="true">{"".join(parts)}</svg>'


def _state(car: ReportCar) -> str:
    """Words that the table's filter knows."""
    if car.result is None:
        return "error"
    return f"{'outside' if car.is_outside else 'inside'} {car.judgement.verdict if car.judgement else ''}".strip()


def _plotted(content: Content) -> list[tuple[str, str]]:
    """Name and label of what Cd can be plotted against; the designs' own parameters first."""
    own = [(f"parameter.{name}", name) for name in content.parameters]
    return own + [(name, label) for name, label in _MEASURES]


def _data(content: Content, brand: Brand) -> dict[str, Any]:
    names = [name for name, _ in _plotted(content)]
    rows = zip(content.cars, content.rows, strict=True)
    return {
        "accent": brand.accent,
        "colours": _colours(),
        "cars": [
            {
                "number": car.number,
                "name": car.name,
                "cd": row["cd"],
                "low": row["cd_low"],
                "high": row["cd_high"],
                "outside": car.is_outside,
                "baseline": car.is_baseline,
                "values": {name: row[name] for name in names if row[name] is not None},
            }
            for car, row in rows
            if car.result is not None
        ],
    }


def _colours() -> list[str]:
    return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in to_srgb(diverging(np.linspace(-1, 1, _N_COLOURS)))]


def _json(value: Any) -> str:
    """JSON that no text within can break out of: a script element ends at ``</``."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _view(car: ReportCar) -> str:
    """The car for the script, as JSON; empty where none was kept."""
    if car.thinned is None:
        return ""
    view = ThinnedCar.from_bytes(car.thinned.read_bytes())
    arrays = {"points": view.points.astype("<u2"), "faces": view.faces.astype("<u4"), "cp": view.cp.astype("i1")}
    coded = {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}
    return json.dumps({**coded, "low": view.low.tolist(), "high": view.high.tolist()})


def _warnings(cars: Iterable[ReportCar]) -> list[tuple[str, str]]:
    """Each warning once, with the cars that it is about; those that differ by their numbers alone count as one."""
    about: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for car in cars:
        for text in car.warnings:
            same = first.setdefault(_NUMBER.sub("#", text), text)
            about.setdefault(same, []).append(shortened(car.name, 40))
    found = sorted(about.items(), key=lambda item: -len(item[1]))
    return [(text, _some(names)) for text, names in found]


def _some(names: list[str]) -> str:
    more = f" and, with numbers of their own, {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
