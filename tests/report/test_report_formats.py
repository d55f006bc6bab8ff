"""Formats stand in one list, and take cars wherever they come from."""

from __future__ import annotations

import csv
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.drag_along import DragAlong
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings
from drivaer_app.report import formats
from drivaer_app.report.car import ReportCar
from drivaer_app.report.content import Content, arranged, compared
from drivaer_app.report.formats import FORMATS, Format, format_of, write_report
from drivaer_app.results import Result


@pytest.fixture
def own_cars(predicted, tmp_path) -> Content:
    """Two cars that neither a store nor a study holds."""
    result, model = Result.from_json(predicted.result), ModelIdentity.of(None)
    x = np.linspace(0.0, 4.0, 50, dtype=np.float32)
    cars = [
        ReportCar(
            name=name,
            file=tmp_path / f"{name}.stl",
            result=(shifted := replace(result, cd=result.cd + shift)),
            record=shifted.record(Conditions()),
            drag=DragAlong(x, 0.05 * x, 0.01 * x),
            parameters={"boat_tail": 100 * shift},
        )
        for name, shift in (("low", 0.0), ("high", 0.02))
    ]
    return arranged(compared(cars, cars[0]), PredictionSettings(None, model.digest), model, ())


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_takes_cars_of_a_scripts_own(own_cars, tmp_path, form):
    write_report(tmp_path / f"report{form.suffix}", own_cars)
    assert (tmp_path / f"report{form.suffix}").stat().st_size > 500


def test_their_curves_and_parameters_are_in_it(own_cars, tmp_path):
    write_report(tmp_path / "report.html", own_cars)
    write_report(tmp_path / "report.csv", own_cars)
    assert (tmp_path / "report.html").read_text("utf-8").count('<svg class="along"') == 2
    rows = list(csv.DictReader((tmp_path / "report.csv").open(encoding="utf-8")))
    assert [(row["name"], row["parameter.boat_tail"]) for row in rows] == [("low", "0.0"), ("high", "2.0")]
    assert float(rows[1]["delta_counts"]) == pytest.approx(20.0)


def test_a_new_format_is_one_line_and_one_module(own_cars, tmp_path, monkeypatch):
    module = types.ModuleType("drivaer_app.report.as_names")
    module.write = lambda path, content, brand, template: path.write_text("\n".join(car.name for car in content.cars))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, Format(".names", "names", "Names alone", "as_names")))
    write_report(tmp_path / "report.names", own_cars)
    assert (tmp_path / "report.names").read_text() == "low\nhigh"
    with pytest.raises(DrivAerError, match="use .html .* .names"):
        format_of(tmp_path / "report.docx")
