import json

import numpy as np
import pytest
import torch

from data.errors import ModelError
from data.mesh import SurfaceSample
from gnn.checkpoints import CONFIG, WEIGHTS, read_model, write_model
from gnn.field_net import FieldNet
from gnn.novelty import NoveltyReference, profile
from gnn.regdgcnn import RegDGCNN
from gnn.roof_line import N_POINTS
from gnn.surrogate import Surrogate, find_model, pick_device
from gnn.template import Template

DRAG = {"k": 6, "conv_channels": [8, 8, 8, 16], "emb_dims": 16, "mlp": [16, 8], "dropout": 0.0, "out_channels": 2}
FIELD = {"width": 16, "k": 4, "thinning": [1, 2]}


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(512, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals * np.array([2.3, 0.9, 0.7], np.float32) + np.array([1.4, 0, 0.7], np.float32)
    return SurfaceSample(points, normals, np.full(512, 0.05, np.float32))


@pytest.fixture
def folder(tmp_path, sample):
    """A model folder with small untrained networks."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    vectors = np.array([profile(sample.points + rng.normal(0, 0.01, 3), sample.normals) for _ in range(40)])
    config = {
        "drag": {"architecture": DRAG, "n_points": 128, "n_clouds": 4, "mean": [0.3, 0.0], "spread": [0.02, 0.1]},
        "field": {"architecture": FIELD, "n_points": 256, "n_clouds": 2, "cd_pressure_offset": 0.0},
        "interval": {"level": 0.9, "half_width": 0.01},
        "trained_on": "nothing",
    }
    drag, field = RegDGCNN(**DRAG), FieldNet(**FIELD)
    write_model(tmp_path / "small", config, drag.state_dict(), field.state_dict(), NoveltyReference.fit([vectors]))
    return tmp_path / "small"


def test_a_model_answers_the_same_after_it_was_stored(folder, sample):
    first, second = (Surrogate.load(folder, "cpu").predict(sample, 2.1) for _ in range(2))
    assert first.cd == second.cd
    assert np.array_equal(first.cp, second.cp)
    assert first.cd_high - first.cd_low == pytest.approx(0.02)
    assert first.cp.shape == (512,) and first.cf.shape == (512, 3)


def test_where_along_x_the_car_stands_does_not_matter(folder, sample):
    moved = SurfaceSample(sample.points + np.array([4.0, 0, 0], np.float32), sample.normals, sample.areas)
    surrogate = Surrogate.load(folder, "cpu")
    assert surrogate.predict(moved, 2.1).cd == pytest.approx(surrogate.predict(sample, 2.1).cd, abs=1e-4)


def test_a_template_that_lacks_a_part_is_named(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "template.0.places": torch.zeros(2, 3, 3)}, folder / WEIGHTS)
    with pytest.raises(ModelError, match="the template's places_mean is missing"):
        Surrogate.load(folder, "cpu")


def test_constant_pressure_gives_no_drag(folder, sample):
    surrogate = Surrogate.load(folder, "cpu")
    surrogate._field.scale[:] = 0.0
    surrogate._field.mean[:] = torch.tensor([0.7, 0.001, 0.0, 0.0])
    both = SurfaceSample(np.repeat(sample.points, 2, axis=0)[:512], _antipodal(sample.normals), sample.areas)
    answer = surrogate.predict(both, 2.0)
    assert answer.cd_pressure == pytest.approx(0.0, abs=1e-5)
    assert answer.cd_friction == pytest.approx(0.001 * 512 * 0.05 / 2.0, rel=1e-4)


def _antipodal(normals):
    pairs = np.repeat(normals, 2, axis=0)[:512]
    pairs[1::2] *= -1
    return pairs


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / WEIGHTS).unlink(), "weights.safetensors is missing"),
        (lambda f: (f / CONFIG).write_text("{"), "damaged"),
        (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:1000]), "damaged"),
        (lambda f: (f / CONFIG).write_text(json.dumps({"format": 99})), "model format 99"),
    ],
)
def test_a_broken_model_folder_is_one_line(folder, damage, words):
    damage(folder)
    with pytest.raises(ModelError, match=words) as caught:
        read_model(folder)
    assert "\n" not in caught.value.line and str(folder) in caught.value.line


def change_architecture(folder, part, **changes):
    config = json.loads((folder / CONFIG).read_text())
    config[part]["architecture"].update(changes)
    (folder / CONFIG).write_text(json.dumps(config))


def test_weights_of_another_architecture_are_refused(folder):
    change_architecture(folder, "drag", emb_dims=32)
    with pytest.raises(ModelError, match="do not fit"):
        Surrogate.load(folder, "cpu")


def test_an_architecture_of_a_newer_program_is_refused(folder):
    change_architecture(folder, "field", n_moons=2)
    with pytest.raises(ModelError, match="n_moons"):
        Surrogate.load(folder, "cpu")


def test_an_unknown_model_names_the_bundled_ones():
    with pytest.raises(ModelError, match="bundled: "):
        find_model("no-such-model")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said():
    with pytest.raises(ModelError, match="--device cpu"):
        pick_device("cuda")
    assert pick_device("auto") == "cpu"


def test_templates_are_stored_with_the_model(folder, sample):
    model = read_model(folder)
    drag, field = model.part("drag"), model.part("field")
    rows = np.random.default_rng(1).normal(size=(3, 40, 3)).astype(np.float32)
    profile_length = len(profile(sample.points, sample.normals))
    template = Template(
        places=rows,
        area_vectors=rows,
        marks=rows[:, ::2],
        marked=np.arange(0, 40, 2),
        fields=np.ones((3, 40, 4), np.float32),
        to_traits=np.ones((3, 2 + 2 * N_POINTS), np.float32),
        anchors=np.zeros((5, 9), np.float32),
        pull=np.zeros((5, 2), np.float32),
        lengths=np.ones((2, 9), np.float32),
        linear=np.ones(2, np.float32),
        from_profile=np.zeros((profile_length, 2), np.float32),
        profile_mean=np.zeros(profile_length, np.float32),
        doubt=np.ones(2, np.float32),
    )
    write_model(folder, model.config, drag, field, model.novelty(), [template])
    (stored,) = read_model(folder).templates()
    assert np.allclose(stored.places, template.places, atol=2e-3)
    assert Surrogate.load(folder, "cpu").predict(sample, 2.1).registered is not None
