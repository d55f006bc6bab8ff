"""Reports of a study: made of the results that it has, in every format, and honest about what has changed since."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data.control import Cancelled
from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.desk.cfd_kept import CfdNumbers, KeptCfd
from drivaer_app.desk.report_of_study import content_of_study, draw_variant, report_on_study
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy, SavedVariant, read_study, write_study
from drivaer_app.desk.study_source import StudySource
from drivaer_app.prediction_settings import ModelIdentity
from drivaer_app.report.formats import FORMATS, write_report
from drivaer_app.report.options import ReportOptions
from drivaer_app.results import Result


@pytest.fixture
def study_file(predicted, tmp_path) -> Path:
    """Two meshes with results, the first of them bent, and one that is not predicted yet. The first is the baseline."""
    result = Result.from_json(predicted.result)
    for name in ("one.stl", "two.stl", "three.stl"):
        shutil.copy(predicted.file, tmp_path / name)
    study = Study()
    one, two, _ = study.add(tmp_path / name for name in ("one.stl", "two.stl", "three.stl"))
    bent = study.add_morph(one, "one, longer", {"length": 0.05})
    study.set_conditions(Conditions(speed=40.0, area=2.0))
    cds = {one: 0.0, two: 0.004, bent: -0.004}
    kept = {key: SavedVariant(replace(result, cd=result.cd + shift)) for key, shift in cds.items()}
    write_study(tmp_path / "work.drivaer", SavedStudy(study.state, kept))
    return tmp_path / "work.drivaer"


@pytest.fixture
def source(study_file) -> StudySource:
    return StudySource.of_file(study_file)


def key_of(source: StudySource, name: str) -> str:
    return next(v.key for v in source.state.variants if v.name == name)


def test_a_result_tells_the_same_record_as_the_prediction_that_it_is_of(predicted):
    result = Result.from_json(predicted.result)
    found, expected = result.record(Conditions()), dict(predicted.record)
    assert found.pop("seconds").keys() <= expected.pop("seconds").keys()
    assert found == expected


def test_on_a_given_area_too(sample_file):
    from drivaer_app.predict import predictor_of

    wind = Conditions(speed=50.0, area=2.5)
    predictor = predictor_of(None)
    plain = predictor.predict(sample_file)
    found, expected = Result.of(plain, "").record(wind), predictor.predict(sample_file, wind).record()
    assert {**found, "seconds": None} == {**expected, "seconds": None}


@pytest.mark.parametrize("suffix", [form.suffix for form in FORMATS])
def test_every_format_is_written_and_nothing_is_predicted(source, tmp_path, suffix):
    asked = []

    def call(function, *arguments):
        asked.append(function)
        return function(*arguments)

    report_on_study(tmp_path / f"report{suffix}", source, ReportOptions(draw=False), call=call)
    assert (tmp_path / f"report{suffix}").stat().st_size > 1000
    assert asked == [write_report]


def test_the_numbers_are_the_studys_own_on_its_conditions(source, tmp_path):
    report_on_study(tmp_path / "report.json", source)
    found = json.loads((tmp_path / "report.json").read_text("utf-8"))
    cars = {car["name"]: car for car in found["cars"]}
    assert [car["name"] for car in found["cars"]] == ["one, longer", "one", "two", "three"]
    for variant in source.state.variants[:2]:
        result = source.known[variant.key].result.on(source.state.conditions)
        assert cars[variant.name]["cd"] == pytest.approx(result.cd, abs=1e-5)
        assert cars[variant.name]["frontal_area_m2"] == 2.0 and cars[variant.name]["speed_ms"] == 40.0
        assert cars[variant.name]["mesh_sha256"] == result.checksum
    assert found["baseline"] == "one" and cars["two"]["delta_counts"] > 0
    assert found["model"]["sha256"] == ModelIdentity.of(None).digest and found["batch_started_at"] is None
    assert cars["three"]["status"] == "error" and "not predicted yet" in cars["three"]["error"]
    assert cars["one, longer"]["parameter.length"] == 0.05
    assert "bent from one" in cars["one, longer"]["warnings"][0]


def test_cfd_of_the_same_mesh_stands_among_the_parameters(study_file, source):
    numbers = CfdNumbers(0.3, 0.002, 0.05, -0.02, 0.07, 0.27, 0.03, 2.1, True, 400, 134_000, "coarse", ())
    saved = read_study(study_file)
    kept = {
        key: replace(
            one, cfd=KeptCfd(numbers, study_file.parent, "", one.result.checksum if same else "old", Conditions())
        )
        for (key, one), same in zip(saved.kept.items(), (True, False, True, True), strict=True)
        if one.result
    }
    content = content_of_study(StudySource.of_saved(replace(saved, kept=kept)))
    found = {car.name: car.parameters.get("cfd_cd") for car in content.cars}
    assert found == {"one": pytest.approx(0.3 * 2.1 / 2.0), "two": None, "three": None, "one, longer": found["one"]}


def test_chosen_variants_come_with_the_baseline_and_no_others(source):
    content = content_of_study(source, ReportOptions(keys=(key_of(source, "two"),)))
    assert [car.name for car in content.cars] == ["one", "two"] and content.baseline.name == "one"
    other = content_of_study(source, ReportOptions(keys=(key_of(source, "one"),), baseline="two"))
    assert [car.name for car in other.cars] == ["one", "two"] and other.baseline.name == "two"


def test_what_another_model_predicted_is_no_number_of_this_report(source):
    key = key_of(source, "two")
    known = {**source.known, key: replace(source.known[key], result=replace(source.known[key].result, model="old@1"))}
    content = content_of_study(replace(source, known=known))
    (car,) = (car for car in content.cars if car.name == "two")
    assert car.result is None and "old@1" in car.error and "predict it again" in car.error


def test_results_of_a_model_that_is_gone_are_reported_as_such_and_not_drawn_anew(source, tmp_path):
    known = {
        key: replace(one, result=one.result and replace(one.result, model="old@1")) for key, one in source.known.items()
    }
    asked = []

    def call(function, *arguments):
        asked.append(function)
        return function(*arguments)

    content = report_on_study(tmp_path / "r.html", replace(source, known=known), call=call)
    assert asked == [write_report] and len(content.predicted) == 3
    found = dict(content.provenance)
    assert (
        found["Model"] == "old@1, which is not at hand any more"
        and "card is not at hand" in content.card[0].blocks[0].rows[0][0]
    )
    result = source.known[source.state.variants[0].key].result
    assert content.model.half_width() == pytest.approx((result.cd_high - result.cd_low) / 2)
    assert content.model.difference_law() == result.difference_law
    assert all(row["model_sha256"] is None for row in content.rows)
    nowhere = replace(source, state=replace(source.state, model=str(tmp_path / "no such model")))
    assert len(content_of_study(nowhere).predicted) == 3


def test_a_mesh_saved_again_since_is_reported_and_not_drawn(study_file, sample_file):
    shutil.copy(sample_file, study_file.with_name("two.stl"))
    source = StudySource.of_file(study_file)
    (car,) = (car for car in content_of_study(source).cars if car.name == "two")
    assert "saved again since" in car.warnings[0] and car.result is not None
    variant = source.state.variant(key_of(source, "two"))
    assert draw_variant(source.state.inputs_of(variant), source.known[variant.key].result) is None
    study_file.with_name("two.stl").unlink()
    assert draw_variant(source.state.inputs_of(variant), source.known[variant.key].result) is None


def test_cars_are_drawn_from_memory_or_else_from_their_mesh(study_file, engine):
    from drivaer_app.desk.examine import examine

    source = StudySource.of_file(study_file)
    one, two = (source.state.variant(key_of(source, name)) for name in ("one", "two"))
    drawn = engine.call(examine, one.file, one.reading, None, ()).drawn
    source = replace(source, drawn=lambda key: drawn if key == one.key else None)
    asked = []

    def call(function, *arguments):
        asked.append(function.__name__)
        return function(*arguments)

    options = ReportOptions(keys=(two.key,), details=("one", "two"))
    report_on_study(study_file.with_name("report.html"), source, options, call=call)
    assert asked == ["pictures_of", "draw_variant", "write_report"]
    page = study_file.with_name("report.html").read_text("utf-8")
    assert page.count('alt="Cp of') == 2 and page.count('data-view="view-') == 2
    found = draw_variant(source.state.inputs_of(two), source.known[two.key].result)
    assert found.picture.startswith(b"\x89PNG") and found.thinned and len(found.drag.x) > 100


def test_cancelled_or_failed_it_leaves_the_report_that_was_there(source, tmp_path):
    path = tmp_path / "report.md"
    path.write_text("the old one")

    def cancel(fraction: float, doing: str) -> None:
        if doing.startswith("writing"):
            raise Cancelled

    with pytest.raises(Cancelled):
        report_on_study(path, source, on_progress=cancel)
    (tmp_path / "bad.j2").write_text("{{ no_such_name }}")
    with pytest.raises(DrivAerError, match="no_such_name"):
        report_on_study(path, source, ReportOptions(template=tmp_path / "bad.j2"))
    assert path.read_text() == "the old one"
    assert {file.name for file in tmp_path.iterdir()} >= {"report.md"} and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("r.docx", ReportOptions(), "no format"),
        ("r.drivaer", ReportOptions(), "own format"),
        ("r.pdf", ReportOptions(template=Path("t.j2")), "no use"),
        ("r.md", ReportOptions(brand=Path("none.toml")), "TOML"),
        ("r.md", ReportOptions(baseline="three"), "baseline"),
        ("r.md", ReportOptions(keys=()), "no variant"),
        ("none/r.md", ReportOptions(), "folder"),
    ],
)
def test_what_cannot_be_made_is_one_line(source, tmp_path, name, options, why):
    if not options.keys and options.keys is not None:
        source = replace(source, state=replace(source.state, baseline=None))
    with pytest.raises(DrivAerError) as caught:
        report_on_study(tmp_path / name, source, options)
    assert why in caught.value.line and "\n" not in caught.value.line


def test_the_command_takes_a_study(study_file, capfd):
    from drivaer_app.cli.app import main

    assert read_study(study_file).state.variants
    out = study_file.with_name("told.csv")
    assert main(["report", str(study_file), "-o", str(out)]) == 0
    assert capfd.readouterr().out.strip() == str(out)
    assert "one, longer" in out.read_text("utf-8-sig")
