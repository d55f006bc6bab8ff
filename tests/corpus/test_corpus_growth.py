"""Growing a corpus with the real solver: what is kept, skipped, resumed, failed, told, packed and measured."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from data.corpora.case_files import read_case, write_case
from data.corpora.morphed_families import Handles, read_families, read_family, write_family
from data.errors import DrivAerError
from drivaer_app.cfd.read import read_surface
from drivaer_app.cli.app import app
from drivaer_app.corpus.families import FamilySource, known_families, open_family
from drivaer_app.corpus.growth import sources_of
from drivaer_app.corpus.pack import pack
from drivaer_app.corpus.runs import FamilyDesign, ReadyFamily, mesh_fault, run_design
from drivaer_app.corpus.settings import load_settings, settled_settings
from drivaer_app.corpus.status import corpus_status
from drivaer_app.shapes.parameters import STYLES
from tests.cfd.cases import solver_processes
from tests.corpus.conftest import grow, start


@pytest.fixture(scope="module")
def ready(corpus) -> ReadyFamily:
    return ReadyFamily(known_families(corpus, load_settings(corpus))[0])


@pytest.fixture(scope="module")
def case(corpus):
    return read_case(corpus / "cases" / "hatchback_0001.npz")


def test_every_design_of_the_plan_is_there(corpus):
    names = [path.name for path in sorted((corpus / "cases").iterdir())]
    assert names == ["hatchback_0000.npz", "hatchback_0001.npz"]


def test_nothing_of_a_finished_run_stays_behind(corpus):
    assert not any((corpus / "running").iterdir())


def test_the_surface_that_is_read_again_gives_the_drag_back(ready, case):
    _, vectors = ready.surface.faces_on(case.amounts)
    pressure = -2 * (case.face_cp @ vectors[:, 0]) / case.frontal_area
    friction = 2 * (case.face_cf[:, 0] @ np.linalg.norm(vectors, axis=1)) / case.frontal_area
    np.testing.assert_allclose(pressure, case.coefficients["cd_pressure"], atol=2e-3)
    np.testing.assert_allclose(friction, case.coefficients["cd_friction"], atol=5e-4)


def test_faces_are_kept_in_the_solvers_order(ready):
    sampled = read_surface(ready.family.case, 30.0)
    centres, vectors = ready.surface.faces_on(ready.surface.neutral)
    assert np.abs(centres - sampled.centres).max() < 5e-4
    assert np.abs(np.linalg.norm(vectors, axis=1) - sampled.areas).max() < 0.02 * sampled.areas.max()


def test_a_bent_mesh_moves_its_car_as_the_handles_do(ready, case):
    """The solver's car is the one that a designer sees morphed."""
    from drivaer_app.shapes.morph import Morph

    vertices = Morph.of(ready.family.car).vertices(case.parameters)
    whole, _ = ready.surface.mesh_on(case.amounts)
    half = vertices[vertices[:, 1] > -1e-6]
    assert np.abs(half.min(axis=0) - whole[: len(whole) // 2].min(axis=0)).max() < 1e-3
    assert np.abs(half.max(axis=0) - whole[: len(whole) // 2].max(axis=0)).max() < 1e-3
    body = ready.mesh.patches["body"].points
    moved = ready.bent_points(case.amounts)[body] - ready.mesh.points[body]
    expected = Morph.of(ready.family.car).displacement(ready.mesh.points[body], case.parameters, "body")
    # Where tyre and wheelhouse share cells on so coarse a mesh, the wheel leads.
    assert np.median(np.abs(moved - expected)) < 1e-4


def test_ground_and_symmetry_plane_stay_planes(ready, case):
    points = ready.bent_points(case.amounts)
    assert np.abs(points[ready.mesh.patches["ground"].points, 2]).max() < 1e-9
    assert np.abs(points[ready.mesh.patches["symmetry"].points, 1]).max() < 1e-9


def test_a_moderate_design_folds_no_cell(case):
    assert case.meta["non_orthogonality"] < 85


def test_wheels_turn_about_their_moved_axle(ready, case):
    base = ready.family.setup.axle_xs
    expected = base[1] - base[0] + case.parameters["wheelbase"]
    stretched = case.parameters["length"] * (base[1] - base[0]) / np.ptp(ready.family.car.vertices[:, 0])
    assert abs(case.meta["wheelbase"] - expected - stretched) < 5e-3


def test_what_is_finished_is_not_run_again(corpus):
    before = {path: path.stat().st_mtime_ns for path in (corpus / "cases").iterdir()}
    status, printed = grow(corpus, "--count", "2")
    assert status == 0, printed
    assert {path: path.stat().st_mtime_ns for path in (corpus / "cases").iterdir()} == before


def _copy_of(corpus, tmp_path):
    work = tmp_path / "corpus"
    shutil.copytree(corpus, work)
    return work


def test_killed_in_the_middle_it_loses_only_the_design_in_hand(corpus, tmp_path):
    work = _copy_of(corpus, tmp_path)
    control = work / "corpus.json"
    control.write_text(control.read_text().replace('"design_iterations": 6', '"design_iterations": 4000'))
    process = start(work, "--count", "3")
    in_hand = work / "running" / "hatchback_0002"
    _wait_for(lambda: solver_processes(in_hand), process)
    process.kill()
    process.wait()
    for orphan in solver_processes(in_hand):
        os.kill(orphan, signal.SIGKILL)
    _wait_for(lambda: not solver_processes(in_hand))
    control.write_text(control.read_text().replace("4000", "6"))
    status, printed = grow(work, "--count", "3")
    assert status == 0, printed
    assert (work / "cases" / "hatchback_0002.npz").exists() and not in_hand.exists()


def test_told_to_stop_it_takes_its_solver_along(corpus, tmp_path):
    work = _copy_of(corpus, tmp_path)
    control = work / "corpus.json"
    control.write_text(control.read_text().replace('"design_iterations": 6', '"design_iterations": 4000'))
    process = start(work, "--count", "3")
    in_hand = work / "running" / "hatchback_0002"
    _wait_for(lambda: solver_processes(in_hand), process)
    process.send_signal(signal.SIGTERM)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on" in printed
    assert not solver_processes(in_hand)


def _wait_for(what, process=None) -> None:
    for _ in range(600):
        if what():
            return
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_a_design_whose_mesh_folds_is_a_failure_with_its_reason(ready, corpus, tmp_path):
    work = _copy_of(corpus, tmp_path)
    family = known_families(work, load_settings(work))[0]
    modes = np.load(family.folder / "volume_modes.npy")
    np.save(family.folder / "volume_modes.npy", 40 * modes)
    folding = ReadyFamily(family)
    assert run_design(folding, FamilyDesign.of(folding, 4), work) is None
    failure = json.loads((work / "failures" / "hatchback_0004.json").read_text())
    assert "the bent mesh failed" in failure["reason"] and failure["design"] == 4 and failure["values"]


def test_a_mesh_with_cells_inside_out_is_refused():
    printed = (
        " ***Error in face pyramids: 12 faces are incorrectly oriented.\n Mesh non-orthogonality Max: 60 average: 9"
    )
    assert "12 faces" in mesh_fault(printed)


def test_status_counts_and_tells_the_ranges(corpus, tmp_path):
    answer = CliRunner().invoke(app, ["corpus", "status", str(corpus), "--plot", str(tmp_path / "plot.png")])
    assert answer.exit_code == 0, answer.output
    assert "hatchback" in answer.output and "a design takes" in answer.output
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_status_knows_what_is_left(corpus, tmp_path):
    work = _copy_of(corpus, tmp_path)
    (work / "cases" / "hatchback_0001.npz").unlink()
    found = corpus_status(work)
    assert (len(found.cases), found.n_left, found.running) == (1, 1, ())


def test_another_seed_needs_another_folder(corpus):
    with pytest.raises(DrivAerError, match="seed"):
        settled_settings(corpus, seed=3)


@pytest.mark.parametrize("text", ["saloon", "estate:x", "nothing.stl"])
def test_what_is_no_family_is_refused(text):
    with pytest.raises(DrivAerError, match="neither a body style nor a file"):
        FamilySource.parse(text)


def test_packed_it_is_read_without_the_generator(corpus, tmp_path):
    packed = pack(corpus, tmp_path)
    families, cases = read_families(tmp_path)
    assert packed.n_new == len(cases) == 2 and list(families) == ["hatchback"]
    for case in cases:
        grown = read_case(corpus / "cases" / f"{case.name}.npz")
        assert np.array_equal(case.face_cp, grown.face_cp) and np.array_equal(case.face_cf, grown.face_cf)
    assert len(list((tmp_path / "references").iterdir())) == 1
    assert pack(corpus, tmp_path).n_new == 0
    head, *rows = (tmp_path / "index.csv").read_text().splitlines()
    assert head.startswith("name,family,style,design,split,Cd,") and len(rows) == 2


@pytest.mark.parametrize(
    ("metres", "of_ride_height", "is_same"), [(1e-4, 0, True), (4e-3, 0, False), (0, 4e-3, True), (0, 0.1, False)]
)
def test_a_family_that_was_meshed_on_another_machine_may_differ_by_rounding(
    corpus, tmp_path, metres, of_ride_height, is_same
):
    pack(corpus, tmp_path)
    published = tmp_path / "families" / "hatchback.npz"
    family = read_family(published)
    modes = family.cfd_points.modes.copy()
    modes[family.handles.owner == family.handles.names.index("ride_height"), 7] += of_ride_height
    points = replace(family.cfd_points, places=family.cfd_points.places + metres, modes=modes)
    write_family(published, replace(family, cfd_points=points))
    before = published.read_bytes()
    (tmp_path / "cases" / "hatchback_0001.npz").unlink()
    if is_same:
        assert pack(corpus, tmp_path).n_new == 1
    else:
        with pytest.raises(DrivAerError, match="another family"):
            pack(corpus, tmp_path)
    assert published.read_bytes() == before


@pytest.fixture
def published_before(corpus, tmp_path) -> Path:
    """The corpus as it was packed before its families had their last handle."""
    pack(corpus, tmp_path)
    path = tmp_path / "families" / "hatchback.npz"
    family = read_family(path)
    own, last = family.handles, len(family.handles.names) - 1
    kept = own.owner < last
    fewer = Handles(
        own.names[:last], own.units[:last], own.neutral[:last], own.values[:last], own.amounts[:last],
        own.axis[kept], own.owner[kept],
    )  # fmt: skip
    points = [replace(of, modes=of.modes[kept]) for of in (family.surface, family.cfd_points)]
    write_family(path, replace(family, handles=fewer, surface=points[0], cfd_points=points[1]))
    for case_path in (tmp_path / "cases").glob("*.npz"):
        case = read_case(case_path)
        values = {name: case.parameters[name] for name in fewer.names if name in case.parameters}
        meta = {**case.meta, "values": values, "amounts": case.meta["amounts"][: len(fewer.axis)]}
        write_case(case_path, meta, case.face_cp, case.face_cf)
    return tmp_path


def test_a_family_with_a_handle_more_is_packed_beside_its_cases_of_before(corpus, published_before):
    before = {path.name: path.read_bytes() for path in (published_before / "cases").glob("*.npz")}
    assert pack(corpus, published_before).n_new == 2, "the designs differ by the last handle"
    families, cases = read_families(published_before)
    assert [(case.design, case.is_test) for case in cases] == [(0, False), (1, False), (3, False), (4, False)]
    assert all((published_before / "cases" / name).read_bytes() == content for name, content in before.items())
    for case in cases:
        centres, _ = families["hatchback"].faces_on(case.amounts)
        assert len(centres) == len(case.face_cp)
    assert pack(corpus, published_before).n_new == 0


def test_points_stay_on_the_material(ready, case):
    points = ready.surface.material_points(4000)
    for amounts in (ready.surface.neutral, case.amounts):
        at, normals = points.cloud(amounts, np.arange(4000))
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-5)
        vertices, _ = ready.surface.mesh_on(amounts)
        assert (at.min(axis=0) >= vertices.min(axis=0) - 1e-4).all() and (at.max(0) <= vertices.max(0) + 1e-4).all()


def test_both_halves_of_the_car_have_points(ready):
    assert 0.4 < ready.surface.material_points(4000).image.mean() < 0.6


def test_families_that_were_asked_for_are_grown_on_without_being_named_again(corpus):
    assert [source.name for source in sources_of(corpus, None)] == ["hatchback"]


def test_without_a_wish_every_body_style_is_grown(tmp_path):
    sources = sources_of(tmp_path, None)
    assert [source.style for source in sources] == list(STYLES)


def test_a_car_file_is_a_family_also_when_the_file_has_gone(sample_file, tmp_path):
    file = tmp_path / "my car.stl"
    shutil.copyfile(sample_file, file)
    settings = settled_settings(tmp_path)
    source = FamilySource.parse(str(file))
    first = open_family(tmp_path, source, settings)
    file.unlink()
    assert open_family(tmp_path, source, settings).folder == first.folder and first.name == "my_car"


def test_two_cars_of_one_name_are_not_taken_for_each_other(sample_file, tmp_path):
    file = tmp_path / "car.stl"
    shutil.copyfile(sample_file, file)
    settings = settled_settings(tmp_path)
    open_family(tmp_path, FamilySource.parse(str(file)), settings)
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DrivAerError, match="another family of the name"):
        open_family(tmp_path, FamilySource.parse(str(file)), settings)


def test_a_design_that_another_worker_has_just_finished_leaves_no_folder(ready, corpus):
    assert run_design(ready, FamilyDesign.of(ready, 0), corpus) is None
    assert not (corpus / "running" / "hatchback_0000").exists()
