import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from data.errors import ModelError
from data.mesh import SurfaceSample
from drivaer_app.models import find_model
from gnn.checkpoints import CONFIG, REAL, WEIGHTS, read_model, write_model
from gnn.field_net import FieldNet
from gnn.model_config import Interval, ModelConfig, NetworkConfig
from gnn.novelty import NoveltyReference, profile
from gnn.regdgcnn import RegDGCNN
from gnn.roof_line import N_POINTS
from gnn.surrogate import Surrogate, pick_device
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
    config = ModelConfig(
        name="small",
        trained_on="nothing",
        drag=NetworkConfig("regdgcnn", DRAG, n_points=128, n_clouds=4, mean=(0.3, 0.0), spread=(0.02, 0.1)),
        field=NetworkConfig("fieldnet", FIELD, n_points=256, n_clouds=2, mean=(0.0,) * 4, spread=(1.0,) * 4),
        cd_pressure_offset=0.0,
        interval=Interval(0.01),
    )
    networks = {"drag": RegDGCNN(**DRAG).state_dict(), "field": FieldNet(**FIELD).state_dict()}
    write_model(tmp_path / "small", config, networks, NoveltyReference.fit([vectors]))
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
    model = read_model(folder)
    field = replace(model.config.field, mean=(0.7, 0.001, 0.0, 0.0), spread=(0.0,) * 4)
    surrogate = Surrogate.of_folder(replace(model, config=replace(model.config, field=field)), "cpu")
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


def change(folder, key, value):
    """Set a key, such as drag.n_points, of a model's config.json; None takes it out."""
    config = json.loads((folder / CONFIG).read_text())
    *above, name = key.split(".")
    section = config
    for part in above:
        section = section[part]
    if value is None:
        del section[name]
    else:
        section[name] = value
    (folder / CONFIG).write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("drag.n_points", "many", "drag.n_points = 'many' must be an int"),
        ("drag.n_points", None, "drag.n_points is missing"),
        ("drag.n_point", 3, "unknown key drag.n_point; did you mean n_points"),
        ("drag.mean", [0.3, "x"], "drag.mean[1] = 'x' must be a float"),
        ("drag.mean", [0.3], "does not go with drag.mean and drag.spread"),
        ("drag.network", "pointnet", "there is no network pointnet"),
        ("field.network", "regdgcnn", "field.network = regdgcnn does not go with"),
        ("interval", 0.01, "interval = 0.01 must be a table of keys"),
        ("trained_on", None, "trained_on is missing"),
    ],
)
def test_a_configuration_that_makes_no_sense_names_the_file_and_the_key(folder, key, value, words):
    change(folder, key, value)
    with pytest.raises(ModelError) as caught:
        Surrogate.load(folder, "cpu")
    assert words in caught.value.line and str(folder / CONFIG) in caught.value.line and "\n" not in caught.value.line


def test_weights_of_another_architecture_are_refused(folder):
    change(folder, "drag.architecture.emb_dims", 32)
    with pytest.raises(ModelError, match="do not fit"):
        Surrogate.load(folder, "cpu")


def test_an_architecture_of_a_newer_program_is_refused(folder):
    change(folder, "field.architecture.n_moons", 2)
    with pytest.raises(ModelError, match="n_moons"):
        Surrogate.load(folder, "cpu")


def test_an_unknown_model_names_those_that_there_are():
    with pytest.raises(ModelError, match="there are drivaer"):
        find_model("no-such-model")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_reported():
    with pytest.raises(ModelError, match="--device cpu"):
        pick_device("cuda")
    assert pick_device("auto") == "cpu"


def test_templates_are_stored_with_the_model(folder, sample):
    model = read_model(folder)
    networks = {target: model.part(target) for target in ("drag", "field")}
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
    write_model(folder, model.config, networks, model.novelty(), [template])
    (stored,) = read_model(folder).templates()
    assert np.allclose(stored.places, template.places, atol=2e-3)
    assert Surrogate.load(folder, "cpu").predict(sample, 2.1).registered is not None


def in_format_2(folder):
    """The model as it was written before: scale of the fields among the weights, names of networks nowhere."""
    from safetensors.torch import load_file, save_file

    config = json.loads((folder / CONFIG).read_text())
    field = config["field"]
    scale = {"field.mean": torch.tensor(field.pop("mean")), "field.scale": torch.tensor(field.pop("spread"))}
    save_file({**load_file(folder / WEIGHTS), **scale}, folder / WEIGHTS)
    field["cd_pressure_offset"] = config.pop("cd_pressure_offset")
    for section in (config["drag"], field):
        section |= {"n_cases": 7}
        del section["network"]
    (folder / CONFIG).write_text(json.dumps({**config, "format": 2, "from": {"name": "a", "digest": "b"}}))


def test_a_model_of_the_format_before_answers_as_it_did(folder, sample):
    before = Surrogate.load(folder, "cpu").predict(sample, 2.1)
    in_format_2(folder)
    model = read_model(folder)
    after = Surrogate.of_folder(model, "cpu").predict(sample, 2.1)
    assert model.config.drag.counts == {"n_cases": 7} and model.config.base.name == "a"
    for name in ("cd", "cl", "cd_low", "cd_pressure"):
        assert getattr(after, name) == getattr(before, name)
    assert np.array_equal(after.cp, before.cp) and np.array_equal(after.cf, before.cf)


@pytest.mark.parametrize("target", ["drag", "field"])
def test_a_model_with_one_network_of_the_format_before_answers_as_it_did(folder, sample, target, tmp_path):
    from safetensors.torch import load_file, save_file

    whole = read_model(folder)
    section = whole.config.networks[target]
    write_model(tmp_path / "one", ModelConfig("one", "nothing", **{target: section}), {target: whole.part(target)})
    before = Surrogate.load(tmp_path / "one", "cpu").predict(sample, 2.1)
    stored = load_file(tmp_path / "one" / WEIGHTS)
    tensors = {name.replace(f"{target}.", "lone."): value for name, value in stored.items()}
    if target == "field":
        tensors |= {"lone.mean": torch.tensor(section.mean), "lone.scale": torch.tensor(section.spread)}
    save_file(tensors, tmp_path / "one" / WEIGHTS)
    recipe = {"model": target, "network": section.network, "n_points": section.n_points, "draws": section.n_clouds}
    old = {"format": 2, "name": "one", "trained_on": "nothing", "recipe": {**recipe, "centred": True}}
    scale = {"mean": list(section.mean), "spread": list(section.spread)}
    (tmp_path / "one" / CONFIG).write_text(json.dumps({**old, "lone": {"architecture": section.architecture}, **scale}))
    after = Surrogate.load(tmp_path / "one", "cpu").predict(sample, 2.1)
    assert after.cd == before.cd and (before.cp is None or np.array_equal(after.cp, before.cp))


def test_what_a_model_has_not_is_none_or_reported(folder, sample, tmp_path):
    whole = read_model(folder)
    config = ModelConfig("alone", "nothing", drag=whole.config.drag)
    write_model(tmp_path / "alone", config, {"drag": whole.part("drag")})
    alone = Surrogate.load(tmp_path / "alone", "cpu")
    answer, of_whole = (model.predict(sample, 2.1) for model in (alone, Surrogate.load(folder, "cpu")))
    assert answer.cd == pytest.approx(of_whole.cd, abs=1e-3)  # which looks at it in a size of its own choice
    assert (answer.cp, answer.novelty, answer.cd_low, answer.cd_pressure) == (None, None, None, None)
    assert "no interval, no fields" in answer.warnings[0]
    with pytest.raises(ModelError, match="has no field network"):
        read_model(tmp_path / "alone").network("field")


@pytest.fixture
def of_two_truths(folder, sample):
    """The same with a second head: Cd of the real car is 0.03 less than CFD gives."""
    model = read_model(folder)
    network = RegDGCNN(**DRAG, discrepancy=True)
    network.load_state_dict(model.part("drag"), strict=False)
    torch.nn.init.zeros_(network.discrepancy[-1].weight)
    network.discrepancy[-1].bias.data = torch.tensor([-0.03 / 0.02, 0.0])
    section = replace(
        model.config.drag,
        architecture={**DRAG, "discrepancy": True},
        mean=(0.3, 0.0, 0.3),
        spread=(0.02, 0.1, 0.02),
    )
    widths = {"interval": Interval(0.015, bluff=0.06), "interval_rans": Interval(0.01)}
    networks = {"drag": network.state_dict(), "field": model.part("field")}
    write_model(folder, replace(model.config, drag=section, **widths), networks, model.novelty())
    return folder


def test_a_model_of_two_truths_tells_them_apart(of_two_truths, sample):
    answer = Surrogate.load(of_two_truths, "cpu").predict(sample, 2.1)
    assert answer.cd == pytest.approx(answer.cd_rans - 0.03, abs=1e-6)
    assert answer.compared == answer.cd_rans
    assert answer.cd_high - answer.cd_low == pytest.approx(0.03)
    assert answer.cd_rans_high - answer.cd_rans_low == pytest.approx(0.02)


def test_what_was_learnt_under_another_licence_lies_in_a_folder_of_its_own(of_two_truths):
    from safetensors.torch import load_file, save_file

    ours, others = (load_file(folder / WEIGHTS) for folder in (of_two_truths, of_two_truths / REAL))
    assert all(name.startswith("drag.discrepancy.") for name in others)
    assert not any("discrepancy" in name for name in ours)
    before = read_model(of_two_truths).digest
    changed = {name: tensor + 1 if tensor.is_floating_point() else tensor for name, tensor in others.items()}
    save_file(changed, of_two_truths / REAL / WEIGHTS)
    assert read_model(of_two_truths).digest != before


def test_a_bluff_body_has_an_interval_of_its_own(of_two_truths, sample):
    config = read_model(of_two_truths).config
    config = replace(config, novelty=tuple(replace(cloud, limit=1e6) for cloud in config.novelty))
    (of_two_truths / CONFIG).write_text(json.dumps(replace(config, bluff_cloud=0).document()))
    answer = Surrogate.load(of_two_truths, "cpu").predict(sample, 2.1)
    assert answer.is_bluff
    assert answer.cd_high - answer.cd_low == pytest.approx(0.12)
    assert any("bluff body" in warning for warning in answer.warnings)


def test_what_is_like_nothing_known_is_no_bluff_body(of_two_truths, sample):
    config = read_model(of_two_truths).config
    (of_two_truths / CONFIG).write_text(json.dumps(replace(config, bluff_cloud=0).document()))
    tall = replace(sample, points=sample.points * np.float32([1, 1, 2]))
    answer = Surrogate.load(of_two_truths, "cpu").predict(tall, 2.1)
    assert answer.novelty > 1
    assert not answer.is_bluff
