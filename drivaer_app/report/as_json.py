"""A report as JSON: provenance, and the columns of docs/report_columns.md for each car."""

from __future__ import annotations

import json
from pathlib import Path

from data.replacing import replacing
from drivaer_app.report.brand import Brand
from drivaer_app.report.content import Content

FORMAT = 1


def write(path: Path, content: Content, brand: Brand, template: Path | None) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(json_of(content), encoding="utf-8")


def json_of(content: Content) -> str:
    document = {
        "format": FORMAT,
        "title": content.title,
        "answer": list(content.answer),
        "made_at": content.made,
        "batch_started_at": content.started,
        "program_version": content.version,
        "settings": content.settings.to_json(),
        "baseline": content.baseline.name if content.baseline else None,
        "provenance": dict(content.provenance),
        "model": {"name": content.model.name, "sha256": content.model.digest or None, "card": content.model.card},
        "cars": [{**row, "warnings": list(car.warnings)} for car, row in zip(content.cars, content.rows, strict=True)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
