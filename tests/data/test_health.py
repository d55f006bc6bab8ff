"""What the health report finds, on shapes whose flaws are known."""

import numpy as np
import pytest
import trimesh

from data.health import HealthReport, check_health


def report(mesh: trimesh.Trimesh) -> HealthReport:
    return check_health(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def raw(vertices, faces) -> trimesh.Trimesh:
    return trimesh.Trimesh(vertices, faces, process=False)


@pytest.fixture
def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=4)


@pytest.fixture
def box() -> trimesh.Trimesh:
    return trimesh.creation.box((4.0, 2.0, 1.0))


def test_a_clean_closed_body_has_nothing_to_warn_of(ball):
    health = report(ball)
    assert health.watertight and health.winding == "outward"
    assert health.n_faces == len(ball.faces) and health.n_vertices == len(ball.vertices) and health.n_bodies == 1
    assert health.warnings == ()


def test_a_hole_is_counted_and_its_edge_measured(box):
    open_end = np.flatnonzero(box.face_normals[:, 0] > 0.5)
    health = report(raw(box.vertices, np.delete(box.faces, open_end, axis=0)))
    assert not health.watertight
    assert health.n_holes == 1
    assert health.open_length == pytest.approx(2 * (2.0 + 1.0))
    assert any("1 hole" in warning for warning in health.warnings)


def test_a_body_wound_inwards_is_called_so_and_reported_not_to_matter(ball):
    health = report(raw(ball.vertices, ball.faces[:, ::-1]))
    assert health.winding == "inward" and health.wrong_fraction == 1.0
    (warning,) = health.warnings
    assert warning == "100 % of the surface is wound inwards; normals were turned outwards, Cd is not affected"


def test_the_share_wound_wrongly_is_measured_by_area(ball):
    faces = ball.faces.copy()
    lower = ball.triangles_center[:, 2] < -0.5  # a quarter of a sphere's area
    faces[lower] = faces[lower, ::-1]
    health = report(raw(ball.vertices, faces))
    assert health.winding == "inconsistent"
    assert health.wrong_fraction == pytest.approx(0.25, abs=0.01)


def test_a_body_inside_another_is_hidden(ball):
    inner = ball.copy()
    inner.apply_scale(0.5)
    health = report(trimesh.util.concatenate([ball, inner]))
    assert health.n_bodies == 2
    assert health.hidden_fraction == pytest.approx(0.2, abs=0.005)
    assert any(warning.startswith("20 % of the surface is hidden") for warning in health.warnings)


def test_overlapping_bodies_hide_what_lies_within_each_other(ball):
    other = ball.copy()
    other.apply_translation([1.0, 0, 0])
    # Of each unit sphere, the cap beyond the plane half-way lies in the other: height 1/2, a quarter of its area.
    assert report(trimesh.util.concatenate([ball, other])).hidden_fraction == pytest.approx(0.25, abs=0.005)


def test_a_sheet_is_seen_from_both_sides():
    sheet = trimesh.creation.box((2.0, 2.0, 1.0))
    sheet = raw(sheet.vertices, sheet.faces[np.abs(sheet.face_normals[:, 2]) > 0.5][:2])
    sheet.vertices = sheet.vertices @ trimesh.transformations.rotation_matrix(0.4, [1, 1, 0])[:3, :3]
    health = report(sheet)
    assert health.sheet_fraction == 1.0 and health.wrong_fraction == 0.0
    assert any("both sides" in warning for warning in health.warnings)


def test_doubled_and_empty_faces_are_counted_and_do_not_open_the_surface(ball):
    extra = [ball.faces[3], ball.faces[8][[1, 2, 0]], ball.faces[9][::-1], [0, 0, 1], [5, 6, 5]]
    health = report(raw(ball.vertices, np.concatenate([ball.faces, extra])))
    assert health.n_duplicate_faces == 3 and health.n_degenerate_faces == 2
    assert health.watertight


def test_a_few_faces_without_area_are_counted_and_not_worth_a_warning(ball):
    def with_empty(n: int) -> HealthReport:
        return report(raw(ball.vertices, np.concatenate([ball.faces, n * [[5, 6, 5]]])))

    few, many = with_empty(2), with_empty(20)  # of 5,120 faces
    assert (few.n_degenerate_faces, few.warnings) == (2, ())
    assert many.warnings == ("20 faces have no area; Cd is not affected",)


def test_edges_of_three_faces_are_not_manifold(box):
    ends = box.faces[0][:2]
    vertices = np.concatenate([box.vertices, [[0.0, 0.0, 3.0]]])
    health = report(raw(vertices, np.concatenate([box.faces, [[*ends, len(vertices) - 1]]])))
    assert health.n_non_manifold_edges == 1 and not health.watertight


def test_a_duct_is_not_hidden():
    """The wall of a pipe as wide as it is half long lies deep, but the flow gets there."""
    pipe = trimesh.creation.annulus(r_min=0.5, r_max=1.0, height=2.0)
    assert report(pipe).hidden_fraction < 0.002
