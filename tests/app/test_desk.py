"""The desk without its window: open, predict in the background, come back after edits, errors in their place."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest

from data.control import Cancelled
from drivaer_app.desk.autosave import Autosave
from drivaer_app.desk.desk import Desk
from drivaer_app.desk.examine import examine
from drivaer_app.desk.predictions import DONE, FAILED, MISSING, WAITING
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import read_study
from drivaer_app.engine import Engine
from drivaer_app.predict import Reading

PATIENCE = 120.0


@pytest.fixture
def desk(engine):
    desk = Desk(engine=engine)
    yield desk
    desk.close()


@pytest.fixture
def folder(tmp_path, sample_file):
    """Two cars and a file that is no mesh."""
    shutil.copy(sample_file, tmp_path / "fastback.stl")
    shutil.copy(sample_file.with_name("estate.stl"), tmp_path / "estate.stl")
    (tmp_path / "broken.stl").write_text("solid nothing")
    return tmp_path


def key_of(desk: Desk, name: str) -> str:
    return next(v.key for v in desk.study.state.variants if v.name == name)


def test_a_folder_is_predicted_and_an_error_stands_on_its_own_variant(desk, folder):
    desk.open([folder])
    assert desk.wait(PATIENCE)
    broken = desk.prediction(key_of(desk, "broken"))
    assert broken.status == FAILED and "broken.stl" in broken.error
    for name in ("estate", "fastback"):
        prediction = desk.prediction(key_of(desk, name))
        assert prediction.status == DONE and 0.2 < prediction.result.cd < 0.5
        assert prediction.thumbnail.std() > 5


def test_what_is_in_focus_comes_first(desk, folder):
    order = []
    desk.jobs._on_change = lambda job: order.append(job.title) if job.state == "done" else None
    keys = desk.open([folder / "fastback.stl", folder / "broken.stl", folder / "estate.stl"])
    desk.focus([keys[2]])
    assert desk.wait(PATIENCE)
    assert order.index("predicting estate") <= 1  # one may have been running already
    assert desk.drawn(keys[2]) is not None


def test_an_edit_that_is_undone_finds_its_result_at_once(desk, folder):
    (key,) = desk.open([folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    before = desk.result(key)
    desk.edit(lambda study: study.set_reading(key, Reading(unit="cm")))
    assert desk.result(key) is None or desk.result(key).unit == "cm"
    desk.edit(Study.undo)
    assert desk.result(key) == before


def test_the_difference_to_the_baseline_is_in_counts(desk, folder):
    base, other = desk.open([folder / "estate.stl", folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    assert desk.difference(base) is None
    assert desk.difference(other).counts == pytest.approx((desk.result(other).cd - desk.result(base).cd) * 1000)


def test_memory_stays_within_its_limit_and_what_left_comes_back(engine, folder):
    desk = Desk(engine=engine, memory_mb=64)
    desk.cache.limit = 3_000_000  # one of the sample cars
    keys = desk.open([folder / "estate.stl", folder / "fastback.stl"])
    for key in (*keys, keys[0]):
        desk.focus([key])
        assert desk.wait(PATIENCE)
        assert desk.drawn(key) is not None
        assert desk.cache.n_bytes <= desk.cache.limit
    desk.close()


def test_a_mesh_that_is_saved_again_is_read_again_and_the_old_value_kept(desk, folder):
    (key,) = desk.open([folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    before = desk.result(key)
    desk.watch(interval=0.05)
    shutil.copy(folder / "estate.stl", folder / "fastback.stl")
    end = time.monotonic() + PATIENCE
    while desk.prediction(key).previous is None and time.monotonic() < end:
        time.sleep(0.02)
    prediction = desk.prediction(key)
    assert prediction.changed and prediction.previous == before and prediction.result.cd != before.cd


def test_a_saved_study_opens_with_its_numbers_and_says_what_is_missing(engine, desk, folder):
    desk.open([folder / "estate.stl", folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    numbers = [desk.result(v.key) for v in desk.study.state.variants]
    desk.save(folder / "work.drivaer")
    assert not desk.study.is_changed
    (folder / "moved").mkdir()
    (folder / "estate.stl").rename(folder / "moved" / "estate.stl")
    again = Desk(engine=engine)
    again.open([folder / "work.drivaer"])
    assert again.wait(PATIENCE)
    keys = [v.key for v in again.study.state.variants]
    assert [again.result(key) for key in keys] == numbers
    assert [again.prediction(key).status for key in keys] == [MISSING, DONE]
    assert again.find_moved(folder) == [keys[0]]
    assert again.prediction(keys[0]).status == DONE
    again.close()


def test_another_model_predicts_every_variant_anew_and_undo_finds_the_first_ones_results(desk, folder, tiny_model):
    keys = desk.open([folder / "fastback.stl", folder / "estate.stl"])
    assert desk.wait(PATIENCE)
    before = [desk.result(key) for key in keys]
    desk.edit(lambda study: study.set_model(str(tiny_model)))
    assert desk.wait(PATIENCE)
    after = [desk.result(key) for key in keys]
    assert all(result.model.startswith("tiny@") for result in after)
    assert all(new.cd != old.cd for new, old in zip(after, before, strict=True))
    desk.undo()
    assert [desk.result(key) for key in keys] == before


def test_a_saved_study_opens_with_its_model(engine, desk, folder, tiny_model):
    desk.edit(lambda study: study.set_model(str(tiny_model)))
    (key,) = desk.open([folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    desk.save(folder / "work.drivaer")
    again = Desk(engine=engine)
    again.open([folder / "work.drivaer"])
    assert again.study.state.model == str(tiny_model) and again.result(key) == desk.result(key)
    again.retry(key)
    assert again.wait(PATIENCE)
    assert again.result(key).model.startswith("tiny@")
    again.close()


def test_a_model_that_is_not_there_is_reported_on_the_variant_and_the_one_before_comes_back(desk, folder):
    (key,) = desk.open([folder / "fastback.stl"])
    assert desk.wait(PATIENCE)
    desk.edit(lambda study: study.set_model("no-such-model"))
    assert desk.wait(PATIENCE)
    assert desk.prediction(key).status == FAILED and "no such model" in desk.prediction(key).error
    desk.undo()
    assert desk.prediction(key).status == DONE


def test_a_cancelled_prediction_leaves_the_variant_waiting_and_can_be_had_later(desk, folder):
    (key,) = desk.open([folder / "fastback.stl"])
    desk.jobs.cancel_all()
    assert desk.wait(PATIENCE)
    if desk.prediction(key).status == WAITING:  # else it was done before it could be cancelled
        desk.focus([key])
        assert desk.wait(PATIENCE)
    assert desk.prediction(key).status == DONE


def test_a_crash_of_the_process_that_predicts_is_reported_and_the_next_try_works(folder):
    desk = Desk()
    (key,) = desk.open([folder / "fastback.stl"])
    end = time.monotonic() + PATIENCE
    while not (desk.prediction(key).doing and desk.engine._process) and time.monotonic() < end:
        time.sleep(0.005)
    desk.engine._process.kill()
    assert desk.wait(PATIENCE)
    assert desk.prediction(key).status == FAILED and "ended unexpectedly" in desk.prediction(key).error
    desk.retry(key)
    assert desk.wait(PATIENCE)
    assert desk.prediction(key).status == DONE
    desk.close()


def test_a_call_that_is_given_up_does_not_stand_in_the_way_of_a_large_one(engine, sample_file):
    def give_up(fraction: float, doing: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Engine.call(engine, examine, sample_file, Reading(), report=give_up)  # its answer is megabytes
    assert engine.call(np.sum, np.ones(1_000_000)) == 1_000_000


@pytest.fixture
def in_hand(desk, folder):
    """A desk with one car taken by its handles."""
    (key,) = desk.open([folder / "fastback.stl"])
    desk.focus([key])
    assert desk.wait(PATIENCE)
    desk.take_hold(key)
    assert desk.wait(PATIENCE)
    assert desk.morphing.now.error == ""
    return desk


BENT = {"boat_tail": 4.0, "roof_height": 0.03}


def test_a_car_in_hand_bends_with_its_pressure_and_its_drag_follows(in_hand):
    before = in_hand.morphing.now.drawn
    in_hand.morphing.bend(BENT, exact=False)
    assert in_hand.wait(PATIENCE)
    now = in_hand.morphing.now
    assert (now.bent.points - before.points)[:, 2].max() == pytest.approx(0.03, abs=0.003)
    assert now.bent.cp is before.cp
    assert now.result is None and abs(now.cd - in_hand.result(now.key).cd) > 1e-4
    in_hand.morphing.bend({}, exact=True)
    assert in_hand.wait(PATIENCE)
    assert in_hand.morphing.now.bent is None and in_hand.morphing.now.cd is None


def test_the_quick_estimate_is_near_the_prediction(in_hand):
    in_hand.morphing.bend(BENT, exact=False)
    assert in_hand.wait(PATIENCE)
    quick = in_hand.morphing.now.cd
    in_hand.morphing.bend(BENT, exact=True)
    assert in_hand.wait(PATIENCE)
    assert quick == pytest.approx(in_hand.morphing.now.result.cd, abs=0.003)


def test_of_many_values_the_newest_are_the_last_word(in_hand):
    for i in range(30):
        in_hand.morphing.bend({"boat_tail": i / 10}, exact=False)
    in_hand.morphing.bend(BENT, exact=True)
    assert in_hand.wait(PATIENCE)
    now = in_hand.morphing.now
    assert now.bent_values == now.cd_values == BENT and now.result is not None


def test_what_is_kept_is_predicted_as_it_was_on_the_handles(in_hand):
    in_hand.morphing.bend(BENT, exact=True)
    assert in_hand.wait(PATIENCE)
    bent = in_hand.morphing.now
    key = in_hand.keep_bent()
    in_hand.focus([key])
    assert in_hand.wait(PATIENCE)
    assert in_hand.study.state.variant(key).name == "fastback, boat tail +4°, roof height +30 mm"
    assert in_hand.result(key).cd == pytest.approx(bent.result.cd, abs=1e-6)
    assert in_hand.drawn(key).points.max(axis=0) == pytest.approx(bent.bent.points.max(axis=0), abs=1e-4)
    in_hand.undo()
    assert len(in_hand.study.state.variants) == 1
    in_hand.redo()
    assert in_hand.result(key) is not None


def test_a_kept_variant_is_bent_on_from_where_it_is(in_hand):
    in_hand.morphing.bend(BENT, exact=False)
    key = in_hand.keep_bent()
    in_hand.focus([key])
    assert in_hand.wait(PATIENCE)
    in_hand.take_hold(key)
    assert in_hand.wait(PATIENCE)
    assert in_hand.morphing.now.values == BENT
    in_hand.morphing.bend({**BENT, "roof_height": 0.05}, exact=False)
    assert in_hand.wait(PATIENCE)
    now = in_hand.morphing.now
    assert (now.bent.points - now.drawn.points)[:, 2].max() == pytest.approx(0.02, abs=0.002)
    base = in_hand.study.state.variants[0].key
    again = in_hand.keep_bent()
    assert in_hand.study.state.variant(again).morph.base == base


def test_a_kept_variant_is_saved_with_its_values_and_predicted_again_when_opened(engine, in_hand, folder):
    in_hand.morphing.bend(BENT, exact=False)
    key = in_hand.keep_bent()
    assert in_hand.wait(PATIENCE)
    in_hand.save(folder / "work.drivaer")
    again = Desk(engine=engine)
    again.open([folder / "work.drivaer"])
    assert dict(again.study.state.variant(key).morph.values) == BENT
    assert again.result(key) == in_hand.result(key)
    again.retry(key)
    assert again.wait(PATIENCE)
    assert again.prediction(key).status == DONE and again.drawn(key) is not None
    again.close()


def test_a_car_whose_handles_cannot_be_had_says_why(desk, folder):
    (key,) = desk.open([folder / "fastback.stl"])
    desk.focus([key])
    assert desk.wait(PATIENCE)
    (folder / "fastback.stl").unlink()
    desk.take_hold(key)
    assert desk.wait(PATIENCE)
    assert desk.morphing.now.handles == {} and "fastback.stl" in desk.morphing.now.error


def test_what_is_half_bent_is_autosaved_and_comes_back_after_a_crash(engine, in_hand, tmp_path):
    autosave = Autosave(tmp_path / "autosave")
    in_hand.autosave = autosave
    in_hand.morphing.bend(BENT, exact=False)
    assert in_hand.wait(PATIENCE)
    in_hand.autosave_now()
    again = Desk(engine=engine)
    again.restore(read_study(autosave.file), None)
    (variant,) = again.study.state.variants
    assert again.morphing.half_bent == {variant.key: BENT}
    again.focus([variant.key])
    assert again.wait(PATIENCE)
    again.take_hold(variant.key)
    assert again.wait(PATIENCE)
    assert again.morphing.now.values == BENT and again.morphing.now.result is not None
    again.close()


def test_a_folder_of_500_variants_opens_and_memory_stays_bounded(engine, sample_file, tmp_path):
    first = shutil.copy(sample_file, tmp_path / "car_000.stl")
    for number in range(1, 500):
        os.link(first, tmp_path / f"car_{number:03}.stl")
    desk = Desk(engine=engine, memory_mb=64)
    desk.cache.limit = 6_000_000  # two of these cars
    keys = desk.open([tmp_path])
    assert len(keys) == 500
    for number in (0, 499, 250):
        desk.focus([keys[number]], keys[number - 1 : number])
        end = time.monotonic() + PATIENCE
        while desk.drawn(keys[number]) is None and time.monotonic() < end:
            time.sleep(0.01)
        assert desk.drawn(keys[number]) is not None  # what is looked at does not wait for the other 499
        assert desk.cache.n_bytes <= desk.cache.limit
    desk.close()
