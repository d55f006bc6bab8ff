"""From a mesh to a case file with the real solver: results, stopping, going on, failing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.corpora.case_files import read_case
from data.errors import DrivAerError
from drivaer_app.cfd import logs
from drivaer_app.cfd.run import MESHING, SOLVE, CaseState, Runner, RunStopped
from drivaer_app.cfd.setup import set_up, write_case, write_interval
from drivaer_app.cfd.simulate import end_of_run, simulate
from drivaer_app.cfd.written import drop_half_written, last_written
from factory.morphs import read_morph_cases
from tests.cfd.cases import TINY, copy_of, solver_processes

ROOT = Path(__file__).resolve().parents[2]


def test_forces_are_those_that_the_surface_integrates_to(solved):
    assert solved.cd == pytest.approx(solved.cd_pressure + solved.cd_friction, rel=0.01)


def test_friction_pulls_the_car_downstream(solved):
    assert 0 < solved.cd_friction < solved.cd_pressure


def test_a_short_run_says_that_it_has_not_settled(solved):
    assert not solved.settled
    assert "not settled" in solved.warnings[0]


def test_the_case_file_is_one_that_the_corpus_reads(solved):
    case = read_case(solved.files["case"])
    assert case.design is None
    assert case.coefficients["cd"] == solved.cd
    assert case.frontal_area == solved.setup.car.frontal_area
    assert case.face_cp == pytest.approx(solved.surface.believable_cp, abs=2e-3)


def test_the_case_files_points_lie_on_the_car_with_a_face_beside_them(solved):
    with np.load(solved.files["case"]) as case:
        points = case["points"] * 1e-4 + case["offset"]
        centres = case["face_centers"] * 1e-4 + case["offset"]
        normals, facing = case["normals"] / 127.0, case["face_normals"] / 127.0
        face = case["point_face"].astype(int)
    known = face != 65535
    assert known.mean() > 0.7
    assert np.linalg.norm(points[known] - centres[face[known]], axis=1).max() < 1.5 * solved.setup.surface_cell + 1e-3
    assert ((normals[known] * facing[face[known]]).sum(axis=1) > 0.25).all()
    assert (points[:, 1] >= -1e-4).all()  # half a domain, half a car


def test_the_case_file_says_how_it_was_made(solved):
    with np.load(solved.files["case"]) as case:
        meta = json.loads(str(case["meta"]))
    assert meta["conditions"]["rotating"] == ["frontWheels", "rearWheels"]
    assert meta["provenance"]["solver"].startswith("OpenFOAM")
    assert meta["provenance"]["iterations"] == TINY.iterations
    assert meta["cells"] == solved.mesh.n_cells


def test_a_corpus_of_drivaers_refuses_another_car(solved, tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "own.npz").write_bytes(solved.files["case"].read_bytes())
    with pytest.raises(DrivAerError, match="no case of a morphed DrivAer"):
        read_morph_cases(tmp_path)


def test_other_programs_read_the_surface(solved):
    import pyvista

    surface = pyvista.read(solved.files["vtp"])
    assert surface.n_cells == len(solved.surface)
    assert np.asarray(surface["Cp"]) == pytest.approx(solved.surface.cp, abs=1e-5)
    assert surface["Cf"].shape == (surface.n_cells, 3)
    area = surface.compute_cell_sizes(length=False, volume=False)["Area"]
    assert np.asarray(area).sum() == pytest.approx(solved.surface.areas.sum(), rel=0.01)


def test_a_finished_case_is_read_and_not_run_again(solved, car):
    seen = []
    again = simulate(car, solved.folder, preset=TINY, on_progress=seen.append)
    assert seen == []
    assert again.cd == solved.cd


def test_a_folder_keeps_to_its_car(solved, car):
    moved = replace(car, as_given=car.as_given * 1.01)
    with pytest.raises(DrivAerError, match="holds the case of another car"):
        simulate(moved, solved.folder, preset=TINY)


def test_a_folder_with_other_things_is_left_alone(openfoam, car, tmp_path):
    (tmp_path / "thesis.txt").write_text("all my work")
    with pytest.raises(DrivAerError, match=r"holds other things \(thesis.txt\)"):
        simulate(car, tmp_path, preset=TINY)


def test_only_one_run_works_in_a_folder(solved, car):
    from drivaer_app.cfd.run import claimed

    with claimed(solved.folder), pytest.raises(DrivAerError, match="another simulation is running"):
        simulate(car, solved.folder, preset=TINY)


def test_a_run_that_is_cancelled_stops_its_solver_and_goes_on_later(solved, car, tmp_path):
    folder, cancel = copy_of(solved, tmp_path), threading.Event()

    def stop_while_solving(progress):
        if progress.step == SOLVE.words and progress.iteration >= 2:
            cancel.set()

    with pytest.raises(RunStopped, match="the same command goes on"):
        simulate(car, folder, preset=TINY, iterations=400, on_progress=stop_while_solving, cancel=cancel)
    assert solver_processes(folder) == []
    reached = int(logs.read_coefficients(folder).iteration[-1])
    assert 2 <= reached < 400
    last = 10 * (reached // 10 + 5)
    done = simulate(car, folder, preset=TINY, iterations=last)
    assert done.iterations == last
    assert done.cd == pytest.approx(done.cd_pressure + done.cd_friction, rel=0.01)
    assert (np.diff(done.history.iteration) == 1).all()


def test_a_stopped_run_whose_target_is_sooner_than_it_got_still_has_its_means(solved, car, tmp_path):
    folder, cancel = copy_of(solved, tmp_path), threading.Event()

    def stop_once_written(progress):
        if last_written(folder) >= 40:
            cancel.set()

    with pytest.raises(RunStopped):
        simulate(car, folder, preset=TINY, iterations=400, on_progress=stop_once_written, cancel=cancel)
    written = last_written(folder)
    done = simulate(car, folder, preset=TINY, iterations=20)
    assert written + TINY.window <= done.iterations < written + TINY.window + 10
    assert done.cd == pytest.approx(done.cd_pressure + done.cd_friction, rel=0.01)


def test_asking_for_less_time_and_again_never_moves_the_end_further_away(tmp_path):
    state = CaseState("", "", 1, target=400)

    def is_written(iteration: int) -> None:
        (tmp_path / str(iteration)).mkdir()
        for name in ("U", "p", "k", "omega", "nut", "phi"):
            (tmp_path / str(iteration) / name).touch()

    is_written(100)
    state.target = end_of_run(tmp_path, state, TINY, 20)
    assert state.target == 110  # sooner, and with a window for its means
    is_written(109)
    assert end_of_run(tmp_path, state, TINY, 20) == state.target
    assert end_of_run(tmp_path, state, TINY, 200) == 200


def test_an_iteration_that_was_half_written_is_not_gone_on_from(solved, car, tmp_path):
    folder = copy_of(solved, tmp_path, with_solution=True)
    (folder / "15").mkdir()
    (folder / "15" / "U").write_bytes((folder / "10" / "U").read_bytes()[:1000])
    assert last_written(folder) == 10
    longer = simulate(car, folder, preset=TINY, iterations=20)
    assert longer.iterations == 20
    assert longer.history.cd[: len(solved.history)] == pytest.approx(solved.history.cd)


def test_what_only_some_processes_have_written_is_not_gone_on_from(tmp_path):
    for process, times in enumerate([("0", "20", "40"), ("0", "20")]):
        for time in times:
            place = tmp_path / f"processor{process}" / time
            place.mkdir(parents=True)
            for name in ("U", "p", "k", "omega", "nut", "phi"):
                (place / name).touch()
    drop_half_written(tmp_path)
    assert {path.name for path in (tmp_path / "processor0").iterdir()} == {"0", "20"}
    assert last_written(tmp_path) == 20


def test_a_mesher_that_was_stopped_begins_the_mesh_anew(solved, car, tmp_path):
    folder, cancel = copy_of(solved, tmp_path), threading.Event()
    state = CaseState.load(folder)
    state.done = [step.name for step in MESHING[:2]]  # snappyHexMesh had already written over blockMesh's mesh
    state.save(folder)
    cancel.set()
    with pytest.raises(RunStopped):
        simulate(car, folder, preset=TINY, cancel=cancel)
    assert simulate(car, folder, preset=TINY).mesh.n_cells == solved.mesh.n_cells


def test_a_killed_solver_is_one_line_with_its_log_and_goes_on_later(solved, car, tmp_path):
    folder = copy_of(solved, tmp_path)

    def kill(progress):
        if progress.step == SOLVE.words and progress.iteration >= 1:
            for process in solver_processes(folder):
                os.kill(process, signal.SIGKILL)

    with pytest.raises(DrivAerError, match="simpleFoam was killed by SIGKILL") as failed:
        simulate(car, folder, preset=TINY, iterations=400, on_progress=kill)
    assert failed.value.file == folder / "log.simpleFoam"
    assert failed.value.line.count("\n") == 0
    last = 10 * (int(logs.read_coefficients(folder).iteration[-1]) // 10 + 5)
    assert simulate(car, folder, preset=TINY, iterations=last).iterations == last


@pytest.mark.parametrize("iterations", [7, 40, 50, 300, 330])
def test_the_last_iteration_is_written(iterations):
    assert iterations % write_interval(iterations) == 0
    assert write_interval(iterations) <= 40


def test_a_finished_case_takes_more_iterations(solved, car, tmp_path):
    folder = copy_of(solved, tmp_path, with_solution=True)
    longer = simulate(car, folder, preset=TINY, iterations=20)
    assert longer.iterations == 20
    assert longer.cd == pytest.approx(longer.cd_pressure + longer.cd_friction, rel=0.01)  # of the new window
    assert longer.history.cd[: len(solved.history)] == pytest.approx(solved.history.cd)


def test_two_processes_solve_the_same_flow_as_one(solved, car, tmp_path):
    from drivaer_app.cfd.find import mpirun

    if mpirun() is None:
        pytest.skip("needs an mpirun that works")
    folder = copy_of(solved, tmp_path, processes=2)
    both = simulate(car, folder, preset=TINY)
    assert both.history.cd[-1] == pytest.approx(solved.history.cd[-1], rel=0.02)
    assert not list(folder.glob("processor*"))


def test_a_broken_dictionary_is_reported_in_openfoams_words(openfoam, car, tmp_path):
    write_case(set_up(car, TINY), tmp_path, 10, 1)
    path = tmp_path / "system" / "blockMeshDict"
    path.write_text(path.read_text().replace("vertices", "corners"))
    state = CaseState("x", openfoam.name, 1, done=[MESHING[0].name])
    runner = Runner(tmp_path, openfoam, state, lambda progress: None, threading.Event())
    with pytest.raises(DrivAerError, match="blockMesh stopped: .*vertices") as failed:
        runner.run()
    assert failed.value.file == tmp_path / "log.blockMesh"
    assert CaseState.load(tmp_path).done == [MESHING[0].name]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("car.stl",), 2, "--output"),
        (("no.stl", "-o", "case"), 1, "no.stl"),
        (("car.stl", "-o", "case", "--preset", "corse"), 2, "Did you mean coarse?"),
        (("car.stl", "-o", "case", "--speed", "0"), 2, "--speed must be a positive number"),
    ],
)
def test_a_mistake_is_one_line(arguments, status, message, tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "simulate", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_failure_is_an_object_where_json_is_wanted(tmp_path):
    command = [sys.executable, str(ROOT / "main.py"), "simulate", "no.stl", "-o", "case", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    record = json.loads(done.stdout)
    assert (done.returncode, record["status"]) == (1, "error")
    assert "no.stl" in record["error"] and record["error"] in done.stderr
