"""Reports as jobs of a desk: of what is known at that moment, in a process of their own, cancelled without a trace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.jobs import CANCELLED, DONE, FAILED
from drivaer_app.report.options import ReportOptions

PATIENCE = 300.0


@pytest.fixture(scope="module")
def desk(engine, sample_file, tmp_path_factory):
    """Two predicted cars, the second with its mesh in memory."""
    folder = tmp_path_factory.mktemp("cars")
    for name in ("estate", "fastback"):
        shutil.copy(sample_file.with_name(f"{name}.stl"), folder)
    desk = Desk(engine=engine)
    keys = desk.open([folder])
    desk.focus(keys[1:])
    assert desk.wait(PATIENCE)
    yield desk
    desk.close()


def test_a_report_has_the_desks_numbers_and_predicts_nothing(desk, tmp_path):
    job = desk.reporting.make(tmp_path / "r.json", ReportOptions())
    assert job.wait(PATIENCE) and job.state == DONE
    cars = {car["name"]: car["cd"] for car in json.loads((tmp_path / "r.json").read_text("utf-8"))["cars"]}
    assert cars == {v.name: round(desk.result(v.key).cd, 5) for v in desk.study.state.variants}
    assert [car.name for car in job.result.predicted] == sorted(cars, key=cars.get)


def test_an_edit_after_it_was_asked_for_does_not_change_it(desk, tmp_path):
    job = desk.reporting.make(tmp_path / "r.md", ReportOptions())
    desk.edit(lambda study: study.rename(study.state.variants[0].key, "long roof"))
    assert job.wait(PATIENCE) and "estate" in (tmp_path / "r.md").read_text("utf-8")
    desk.undo()


def test_cancelled_while_it_draws_it_leaves_the_file_that_was_there(desk, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("the old one")
    job = desk.reporting.make(path, ReportOptions())
    while not (job.doing.startswith("drawing") or job.is_over):
        job.wait(0.01)
    job.cancel()
    assert job.wait(PATIENCE) and job.state == CANCELLED
    assert path.read_text() == "the old one" and [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_what_is_wrong_is_the_jobs_error(desk, tmp_path):
    job = desk.reporting.make(tmp_path / "r.html", ReportOptions(brand=tmp_path / "none.toml"))
    assert job.wait(PATIENCE) and job.state == FAILED and "none.toml" in job.error.line


def test_previews_go_with_the_desk(engine):
    desk = Desk(engine=engine)
    first, second = desk.reporting.preview_file(".html"), desk.reporting.preview_file(".html")
    assert first != second and first.parent.is_dir()
    first.write_text("x")
    desk.close()
    assert not Path(first).parent.exists()
