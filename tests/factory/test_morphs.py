"""Training on the corpus handed over, in small: skipped where it is absent."""

import dataclasses
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.corpora.case_files import read_cases
from data.corpora.morphed_families import read_families
from data.errors import DrivAerError
from data.nearest import NO_FACE
from factory import steps
from factory.assemble import Corpus, novelty_reference
from factory.field import train_field_net
from factory.labels import DesignFeatures
from factory.morph_generator import MorphGenerator, UnmorphedFaces
from factory.morphs import MorphCar, MorphClouds, MorphDesign, random_designs
from factory.template_fit import fit_templates
from factory.work import StepOptions
from gnn.checkpoints import read_model
from gnn.evaluation import relative_l2
from gnn.novelty import profile
from gnn.template import register
from gnn.training.cars import FamilyCar, FamilyClouds
from gnn.training.clouds import SAMPLE_POINTS, labels
from gnn.training.loop import Optimisation
from gnn.training.losses import Scale, field_loss, stacked

SHARED = Path(__file__).resolve().parents[3] / "shared"
PROCEDURAL = Path(__file__).resolve().parents[2] / "resources" / "corpus" / "procedural_cars"
needs_corpus = pytest.mark.skipif(not (SHARED / "corpus").exists(), reason="needs ../shared/corpus")


@pytest.fixture(scope="module")
def clouds():
    generator = MorphGenerator(SHARED / "corpus", SHARED / "geometry/drivaer_fastback")
    return MorphClouds(generator, pool=2048)


@pytest.fixture(scope="module")
def cases():
    return read_cases(SHARED / "corpus")


@needs_corpus
def test_material_points_lie_on_the_designs_own_surface(clouds, cases):
    import open3d as o3d

    case = next(c for c in cases if c.style == "estate")
    vertices, faces = clouds.generator.mesh(case.parameters, case.underbody)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32)))
    pool = clouds._pools[case.style, case.underbody]
    points, normals = pool.cloud(clouds.generator, case.parameters, np.arange(len(pool)))
    assert scene.compute_distance(o3d.core.Tensor(points)).numpy().max() < 1e-4
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1.0, abs=1e-5)


@needs_corpus
def test_pressure_labels_give_the_cases_own_drag_back(clouds, cases):
    """Points carry the CFD faces' values: their integral is the case's pressure drag but for sampling and edges."""
    from data.sampling import sample_surface

    case = next(c for c in cases if c.name == "0000")
    vertices, faces = clouds.generator.mesh(case.parameters, case.underbody)
    area = sample_surface(vertices, faces, 2048).areas.sum() / 2048
    drags = []
    for seed in range(4):
        cloud = clouds.draw(MorphDesign.of(case), 2048, np.random.default_rng(seed))
        known = cloud.cfd_face != NO_FACE
        cp = labels(case, cloud)[known, 0]
        n = cloud.normals[known].astype(float)
        drags.append(-((cp - cp.mean()) * (n[:, 0] - n[:, 0].mean())).sum() * area / case.frontal_area)
    assert np.mean(drags) == pytest.approx(case.coefficients["cd_pressure"], rel=0.15)


@needs_corpus
def test_mirrored_clouds_have_mirrored_friction(clouds, cases):
    case = cases[0]
    cloud = clouds.draw(MorphDesign.of(case), 1024, np.random.default_rng(0))
    other = dataclasses.replace(cloud, points=cloud.points * np.array([1, -1, 1], np.float32))
    one, two = labels(case, cloud), labels(case, other)
    known = np.isfinite(one[:, 0]) & (np.abs(cloud.points[:, 1]) > 1e-6)
    np.testing.assert_array_equal(one[known][:, [0, 1, 3]], two[known][:, [0, 1, 3]])
    np.testing.assert_array_equal(one[known, 2], -two[known, 2])


@needs_corpus
def test_random_designs_lie_in_the_corpus_range_and_in_all_styles(clouds):
    designs = random_designs(clouds.generator, 200, seed=3)
    assert {d.style for d in designs} == {"fastback", "estate", "notchback"}
    assert {d.underbody for d in designs} == {"detailed", "smooth"}
    rows = DesignFeatures(clouds.generator).parameters(designs)
    assert np.abs(rows[:, :18]).max() <= 1.0
    assert random_designs(clouds.generator, 200, seed=3) == designs


@needs_corpus
def test_each_familys_cloud_is_of_as_many_designs_as_asked_for(clouds, cases):
    families, family_cases = read_families(PROCEDURAL)
    of_one = [case for case in family_cases if case.family == family_cases[0].family][:2]
    own = FamilyClouds(families[of_one[0].family], pool=SAMPLE_POINTS)
    corpus = Corpus(cases, clouds, [FamilyCar(case, own) for case in of_one])
    few, more = (novelty_reference(corpus, n=12, n_family=n).clouds[1] for n in (4, 12))
    assert len(few.spread) <= 2 < len(more.spread)  # half of the designs span a cloud


@needs_corpus
def test_a_few_steps_teach_the_field_network_more_than_the_mean(clouds, cases, tmp_path):
    from gnn.field_net import FieldNet

    torch.manual_seed(0)
    net = FieldNet(width=24, k=6, thinning=(1, 4))
    cars = [MorphCar(case, clouds) for case in cases[:4]]
    scale = Scale.of_fields(cars, columns=4)
    how = Optimisation(40, rate=5e-3, warm_up=5, average=0.8)
    trained = train_field_net(net, cars, scale, how, tmp_path / "field.ckpt", n_points=512, batch=1)

    def error(seed: int) -> float:
        points, normals, values = stacked([cars[seed % 4].draw(512, np.random.default_rng(seed))])
        return field_loss(trained(points, normals), scale.standardised(values)).item()

    with torch.inference_mode():
        after = np.mean([error(seed) for seed in range(1000, 1008)])
    assert after < 0.75


@needs_corpus
def test_cfd_faces_stay_where_they_are_on_the_unmorphed_car(clouds):
    faces = UnmorphedFaces.of(clouds.generator, "smooth")
    centres, areas = faces.on(clouds.generator, clouds.generator.neutral("fastback"))
    assert np.abs(centres - faces.centres).max() < 1e-9
    assert areas == pytest.approx(faces.areas[:, None] * faces.normals, abs=1e-7)


@needs_corpus
def test_cfd_faces_of_a_case_lie_where_its_own_file_has_them(clouds, cases):
    case = next(c for c in cases if c.style == "notchback")
    centres, _ = UnmorphedFaces.of(clouds.generator, case.underbody).on(clouds.generator, case.parameters)
    with np.load(SHARED / "corpus" / "cases" / f"{case.name}.npz") as file:
        own = file["face_centers"] * 1e-4 + file["offset"]
    assert np.quantile(np.linalg.norm(centres - own, axis=1), 0.99) < 0.01


@needs_corpus
def test_templates_know_the_pressure_of_a_case_better_than_the_mean_does(clouds, cases):
    held_out = next(c for c in cases if c.is_test and c.style == "fastback" and c.underbody == "detailed")
    train = [c for c in cases if not c.is_test]
    templates = fit_templates(train, clouds, n_designs=160)
    cloud = clouds.draw(MorphDesign.of(held_out), clouds.pool, np.random.default_rng(1))
    registered = register(templates, cloud.points, cloud.normals, profile(cloud.points, cloud.normals))
    values, weight = registered.at(cloud.points, cloud.normals)
    known = (cloud.cfd_face != NO_FACE) & (weight > 0.5)
    true = labels(held_out, cloud)[known, 0]
    mean = np.mean([labels(c, cloud)[known, 0] for c in train if c.underbody == "detailed"], axis=0)
    even = np.ones(known.sum())
    assert known.mean() > 0.7
    assert relative_l2(values[known, 0], true, even) < 0.9 * relative_l2(mean, true, even)


@needs_corpus
def test_the_steps_leave_networks_that_the_next_ones_begin_from(clouds, cases, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "N_DESIGNS", {"morphs": 40})
    monkeypatch.setattr(steps, "N_READ", 20)
    corpus = Corpus(cases[:24], clouds)
    first = StepOptions(tmp_path / "first", steps=2, rate=1e-3, batch=2)
    steps.train_drag(first, corpus)
    steps.train_field(first, corpus)
    second = replace(first, folder=tmp_path / "second", start=tmp_path / "first" / "drag")
    steps.train_drag(second, corpus)
    models = [read_model(tmp_path / name / "drag") for name in ("first", "second")]
    assert models[0].config.drag.mean == models[1].config.drag.mean  # the targets keep their scale
    assert models[0].digest != models[1].digest
    mean = StepOptions(tmp_path / "mean", parts=(models[0].path, models[1].path), steps=2)
    steps.average(mean, corpus)
    weight = [model.tensors["drag.linear1.weight"] for model in (*models, read_model(tmp_path / "mean" / "drag"))]
    assert torch.allclose((weight[0] + weight[1]) / 2, weight[2], atol=1e-7)
    steps.train_last_layers(mean, corpus)
    counts = read_model(tmp_path / "mean" / "readout").config.drag.counts
    assert counts["n_read_designs"] == 20 + len(corpus.train) and counts["n_cases"] == len(corpus.train)
    assert mean.newest("drag", "readout", "drag").path == tmp_path / "mean" / "readout"
    with pytest.raises(DrivAerError, match="run the step field"):
        mean.newest("field", "field")
