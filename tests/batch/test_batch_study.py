"""A batch's results in the window: the study that is made of them."""

from __future__ import annotations

from drivaer_app.batch.run import BatchPlan, run
from drivaer_app.batch.store import Store
from drivaer_app.batch.work import PICTURE, work
from drivaer_app.conditions import Conditions
from drivaer_app.desk.study_file import read_study, write_study
from drivaer_app.desk.study_of_batch import study_of_batch
from drivaer_app.prediction_settings import ModelIdentity, PredictionSettings
from drivaer_app.results import Result


def test_a_batch_opens_as_a_study_with_its_results_on_the_measured_area(tmp_path, make_cars):
    files = make_cars(tmp_path / "cars", 2)
    identity = ModelIdentity.of(None)
    settings = PredictionSettings(None, identity.digest, Conditions(speed=40.0, area=2.0))
    plan = BatchPlan.of(files, settings, identity, wants=(PICTURE,), baseline=files[1])
    with Store.create(tmp_path / "r") as store:
        run(plan, store, lambda tasks: ([work(task)] for task in tasks))
        batch = store.batch()
    write_study(tmp_path / "study.drivaer", study_of_batch(batch))
    study = read_study(tmp_path / "study.drivaer")
    assert {variant.file for variant in study.state.variants} == set(files)
    assert study.state.variant(study.state.baseline).file == files[1]
    assert study.state.conditions == settings.conditions
    for variant in study.state.variants:
        kept = study.kept[variant.key]
        car = next(car for car in batch.cars if car.file == variant.file)
        assert isinstance(kept.result, Result) and kept.thumbnail.shape == (108, 192, 3)
        assert abs(kept.result.on(settings.conditions).cd - car.record["cd"]) < 1e-5
        assert kept.result.frontal_area != 2.0 and car.record["frontal_area_m2"] == 2.0
