"""What OpenFOAM's logs say, as a user is told it."""

from __future__ import annotations

import math

import pytest

from drivaer_app.cfd.logs import faces_of_patches, failure, read_coefficients, read_mesh_report, read_residuals

SOLVING = """
Time = 7

smoothSolver:  Solving for Ux, Initial residual = 0.0031, Final residual = 0.0002, No Iterations 2
GAMG:  Solving for p, Initial residual = 0.012, Final residual = 0.0005, No Iterations 3
GAMG:  Solving for p, Initial residual = 0.009, Final residual = 0.0004, No Iterations 3
ExecutionTime = 3.2 s  ClockTime = 4 s

Time = 8

smoothSolver:  Solving for Ux, Initial residual = 0.0029, Final residual = 0.0002, No Iterations 2
"""


def test_an_iteration_counts_once_it_is_whole():
    (state,) = read_residuals(SOLVING)
    assert state.iteration == 7
    assert state.residuals == {"Ux": 0.0031, "p": 0.012}


def test_nothing_is_read_from_a_log_that_has_not_begun():
    assert read_residuals("Create mesh for time = 0\n") == []


def test_a_residual_that_is_no_number_is_a_divergence():
    (state,) = read_residuals(SOLVING.replace("0.012", "nan"))
    assert state.diverged


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("#1  Foam::sigFpe::sigHandler(int) at ??:?\n", -8, "diverged"),
        ("Solving for p, Initial residual = nan, Final", 1, "diverged"),
        ("--> FOAM FATAL ERROR:\nerror in IOstream\n std::ostream: No space left on device\n", 1, "the disk is full"),
        ("--> FOAM FATAL IO ERROR:\nEntry 'div(phi,U)' not found\n\n    From function lookup\n", 1, "div(phi,U)"),
        ("--> FOAM FATAL ERROR :\nMaximum number of cells reached\n\n    From x\n", 1, "Maximum number of cells"),
        ("all is well\n", -9, "killed by SIGKILL"),
        ("all is well\n", 137, "killed by SIGKILL"),
        ("", -11, "crashed (SIGSEGV)"),
        ("the last line\n\n", 3, "status 3: the last line"),
        ("", 3, "its log is empty"),
    ],
)
def test_why_a_program_ended_is_one_line_with_its_log(text, status, message, tmp_path):
    log = tmp_path / "log.simpleFoam"
    log.write_text(text)
    error = failure("simpleFoam", status, log)
    assert message in error.what
    assert error.file == log
    assert error.fix
    assert "\n" not in error.line


def write_coefficients(case, start, head, *rows):
    path = case / "postProcessing" / "forceCoeffs" / str(start) / "coefficient.dat"
    path.parent.mkdir(parents=True)
    path.write_text(
        "# Force coefficients\n# " + "\t".join(head) + "\n" + "".join("\t".join(row) + "\n" for row in rows)
    )


V1912 = ("Time", "Cd", "Cs", "Cl", "CmRoll", "Cl(f)", "Cl(r)")
V2312 = ("Time", "Cd", "Cd(f)", "Cd(r)", "Cl", "Cl(f)", "Cl(r)")


@pytest.mark.parametrize("head", [V1912, V2312])
def test_coefficients_are_found_by_name(head, tmp_path):
    values = dict.fromkeys(head, "9.0") | {"Time": "1", "Cd": "0.3", "Cl": "0.1", "Cl(f)": "0.04", "Cl(r)": "0.06"}
    write_coefficients(tmp_path, 0, head, [values[name] for name in head])
    found = read_coefficients(tmp_path)
    assert (found.cd[0], found.cl[0], found.clf[0], found.clr[0]) == (0.3, 0.1, 0.04, 0.06)


def test_a_resumed_run_replaces_what_it_did_again(tmp_path):
    write_coefficients(tmp_path, 0, V1912, *([str(i), "0.5", "0", "0", "0", "0", "0"] for i in range(1, 6)))
    write_coefficients(tmp_path, 3, V1912, *([str(i), "0.3", "0", "0", "0", "0", "0"] for i in range(4, 8)))
    found = read_coefficients(tmp_path)
    assert found.iteration.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert found.cd.tolist() == [0.5] * 3 + [0.3] * 4


def test_what_a_stopped_run_did_beyond_the_next_ones_end_is_not_part_of_it(tmp_path):
    write_coefficients(tmp_path, 0, V1912, *([str(i), "0.5", "0", "0", "0", "0", "0"] for i in range(1, 9)))
    write_coefficients(tmp_path, 3, V1912, *([str(i), "0.3", "0", "0", "0", "0", "0"] for i in range(4, 6)))
    found = read_coefficients(tmp_path)
    assert found.iteration.tolist() == [1, 2, 3, 4, 5]
    assert found.cd.tolist() == [0.5] * 3 + [0.3] * 2


def test_a_row_that_is_being_written_waits(tmp_path):
    write_coefficients(tmp_path, 0, V1912, ["1", "0.5", "0", "0", "0", "0", "0"])
    path = next(tmp_path.rglob("coefficient.dat"))
    path.write_text(path.read_text() + "2\t0.3\t0\t0\t0\t0\t0")
    assert read_coefficients(tmp_path).iteration.tolist() == [1]


def test_no_coefficients_yet(tmp_path):
    found = read_coefficients(tmp_path)
    assert len(found) == 0 and not found.diverged


def test_a_drag_beyond_reason_is_a_divergence(tmp_path):
    write_coefficients(tmp_path, 0, V1912, ["1", "4e7", "0", "0", "0", "0", "0"])
    assert read_coefficients(tmp_path).diverged


CHECKED = """
Mesh stats
    points:           177000
    cells:            143545
Checking geometry...
    Mesh non-orthogonality Max: 64.3 average: 9.8
 ***Max skewness = 7.1, 3 highly skew faces detected which may impair the quality of the results
Failed 1 mesh checks.
"""


def test_a_skewed_mesh_is_reported_but_used():
    report = read_mesh_report(CHECKED)
    assert report.n_cells == 143545
    assert report.non_orthogonality == 64.3
    assert report.skewness == 7.1
    assert "highly skew" in report.failed[0]
    assert report.unusable == ""


def test_a_mesh_with_cells_inside_out_is_not():
    report = read_mesh_report(CHECKED + " ***Zero or negative cell volume detected.  Minimum negative volume: -1e-9\n")
    assert "negative" in report.unusable


def test_an_empty_report_has_no_cells():
    report = read_mesh_report("")
    assert report.n_cells == 0 and math.isnan(report.skewness)


def test_patches_of_a_mesh_have_their_faces(tmp_path):
    patches = "{ type wall; nFaces 12; startFace 40; }"
    (tmp_path / "boundary").write_text(
        f"FoamFile {{ class x; }}\n2\n(\n inlet {{ type patch; nFaces 3; }} body {patches})"
    )
    assert faces_of_patches(tmp_path / "boundary") == {"inlet": 3, "body": 12}
    assert faces_of_patches(tmp_path / "nothing") == {}
