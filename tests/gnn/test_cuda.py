"""What a GPU answers and learns, against the same on the CPU. Skipped where there is none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import gnn
from factory.cloud_pool import CloudPool
from factory.drag import train_drag_network
from factory.field import train_field_net
from factory.readout import CLOUDS, train_readout
from gnn.field_net import FieldNet
from gnn.knn import knn
from gnn.neighbourhood import Neighbourhood
from gnn.regdgcnn import RegDGCNN
from gnn.smallest import smallest
from gnn.training import loop
from gnn.training.cars import LabelledCloud
from gnn.training.loop import Optimisation, by_step, fit
from gnn.training.losses import Scale
from tests.factory.test_drag_training import LENGTHS, SCALE, SHAPES, TARGETS, fresh

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference" / "regdgcnn"
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is available")


@dataclass(frozen=True)
class Slanted:
    """A body's points, whose pressure and friction are linear in their place."""

    slope: float
    name: str = "slanted"

    def draw(self, n: int, rng: np.random.Generator) -> LabelledCloud:
        normals = rng.normal(size=(n, 3)).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = normals * np.float32([2.0, 1.0, 0.7])
        return LabelledCloud(points, normals, np.column_stack([self.slope * points[:, 0], 0.1 * points]))

    @property
    def face_values(self) -> np.ndarray:
        return self.draw(500, np.random.default_rng(0)).values


@pytest.fixture
def cars() -> torch.Tensor:
    """(3, 1500, 3) points on bodies as long, wide and high as cars."""
    directions = torch.randn(3, 1500, 3, generator=torch.Generator().manual_seed(0))
    return directions / directions.norm(dim=2, keepdim=True) * torch.tensor([2.3, 0.9, 0.7])


@pytest.mark.parametrize("block_bytes", [2**20, 2**24, 2**29])
def test_neighbours_are_those_of_the_cpu_however_many_clouds_a_block_has(cars, monkeypatch, block_bytes):
    monkeypatch.setattr("gnn.knn.GPU_BLOCK_BYTES", block_bytes)
    found, known = knn(cars.cuda(), 20).cpu(), knn(cars, 20)
    assert torch.equal(found.sort(dim=2).values, known.sort(dim=2).values)


@pytest.mark.parametrize(("n", "k"), [(30, 30), (1000, 1), (1500, 28), (5000, 48), (20_000, 48)])
@pytest.mark.parametrize("step", [0.0, 0.5], ids=["all different", "many alike"])
def test_smallest_are_the_first_of_the_sorted(n, k, step):
    values = torch.randn(3, 7, n, generator=torch.Generator().manual_seed(n)).cuda()
    values = (values / step).round() if step else values
    found, places = smallest(values, k)
    assert torch.equal(found.sort(dim=-1).values, values.sort(dim=-1).values[..., :k])
    assert torch.equal(values.gather(-1, places), found)
    assert all(len(set(row)) == k for row in places.flatten(0, 1).tolist())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_largest_of_neighbours_is_that_of_the_gathered_rows_and_hides_no_nan(dtype):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 300, 70, generator=generator).to(dtype).cuda()
    features[1, 3, 5] = torch.nan
    graph = Neighbourhood(torch.randint(300, (2, 300, 20), generator=generator).cuda())
    known = features.flatten(0, 1)[graph.targets].amax(dim=1).view_as(features)
    assert torch.equal(graph.max(features).nan_to_num(99), known.nan_to_num(99)) and known.isnan().any()


def test_without_kernels_the_answer_is_the_same(cars, monkeypatch):
    torch.manual_seed(0)
    network = RegDGCNN(k=16, conv_channels=(32, 64), emb_dims=64, mlp=(32,)).eval().cuda()
    with torch.inference_mode():
        own = network(cars.cuda())
        for module in ("smallest", "neighbourhood"):
            monkeypatch.setattr(f"gnn.{module}.kernels_for", lambda tensor: None)
        assert torch.allclose(network(cars.cuda()), own, atol=1e-6)


def test_networks_answer_as_on_the_cpu(cars):
    torch.manual_seed(0)
    drag = RegDGCNN(k=16, conv_channels=(32, 64), emb_dims=64, mlp=(32,), out_channels=2).eval()
    field = FieldNet(width=32).eval()
    normals = torch.nn.functional.normalize(cars, dim=2)
    with torch.inference_mode():
        own = drag(cars), field(cars, normals)
        theirs = drag.cuda()(cars.cuda()), field.cuda()(cars.cuda(), normals.cuda())
    for here, there in zip(own, theirs, strict=True):
        assert torch.allclose(here, there.cpu(), atol=2e-5)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="../shared/reference/regdgcnn is not here")
@pytest.mark.parametrize(("form", "within"), [("fast", 2e-5), ("published", 1e-3)])
def test_published_network_answers_as_recorded(form, within):
    """The published form leaves near ties to the processor's own rounding: off by 1.3e-4 on an H200."""
    record = np.load(REFERENCE / "drag_io.npz")
    network = gnn.load_published(REFERENCE / "drag.pth").cuda()
    network.form = form
    with torch.inference_mode():
        predicted = network(torch.from_numpy(record["points"]).cuda()).cpu().numpy()
    assert np.abs(predicted - record["output"]).max() < within


@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_those_of_the_cpu(cars, training):
    """In double precision: three cars' batch statistics make much of the last digits of a float."""
    torch.manual_seed(0)
    network = RegDGCNN(k=8, conv_channels=(16, 16), emb_dims=32, mlp=(16,), dropout=0.0).double().train(training)
    gradients = []
    for device in ("cpu", "cuda"):
        network.to(device).zero_grad()
        network(cars.double().to(device)).square().mean().backward()
        gradients.append([p.grad.cpu().clone() for p in network.parameters()])
    for here, there in zip(*gradients, strict=True):
        assert torch.allclose(here, there, rtol=1e-6, atol=1e-8 * here.abs().max())


def test_drag_network_learns_from_a_pool_and_goes_on_after_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    pool = CloudPool.of(SHAPES, "cuda", held=256)

    def taught(name: str, steps: int, of: int = 80) -> RegDGCNN:
        how = Optimisation(of, rate=5e-3, warm_up=5, average=0.9)

        def stop(step: int, loss: float) -> None:
            if step == steps and steps < of:
                raise KeyboardInterrupt

        return train_drag_network(
            fresh(), SHAPES, TARGETS, SCALE, how, tmp_path / name, n_points=64, pool=pool, report=stop
        )

    network = taught("whole", 80)
    with pytest.raises(KeyboardInterrupt):
        taught("stopped", 50)
    again = taught("stopped", 80)
    clouds = pool.draw(np.arange(len(SHAPES)), 64, np.random.default_rng(5))
    with torch.inference_mode():
        predicted, said_again = (
            net(clouds).cpu().numpy() * TARGETS.std(axis=0) + TARGETS.mean(axis=0) for net in (network, again)
        )
    assert np.abs(predicted - TARGETS).mean() < 0.5 * np.abs(TARGETS - TARGETS.mean(axis=0)).mean()
    # There sums over neighbours are added up in no fixed order: the same steps end near each other, not in one place.
    assert np.abs(predicted - said_again).mean() < 0.1 * np.ptp(LENGTHS)


def test_field_net_learns_from_a_pool(tmp_path):
    """Cp is how far forward a point lies, and friction its place: a few hundred steps tell them from nothing."""
    cars, how = [Slanted(0.5), Slanted(0.6)], Optimisation(300, rate=5e-3, warm_up=10, average=0.9)
    pool, scale = CloudPool.of_fields(cars, "cuda", held=2048), Scale.of_fields(cars, columns=4)
    fresh_net = FieldNet(width=24, k=6)
    network = train_field_net(fresh_net, cars, scale, how, tmp_path / "field.ckpt", n_points=256, pool=pool)
    points, normals, values = pool.draw(np.array([0, 1]), 256, np.random.default_rng(5)).split((3, 3, 4), dim=2)
    with torch.inference_mode():
        errors = (network(points, normals) - scale.standardised(values)).square().mean(dim=(0, 1))
    assert (errors < 0.1 * scale.standardised(values).var(dim=(0, 1))).all()


def test_a_training_goes_on_where_another_device_left_it(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)

    def draw(step: int) -> tuple[torch.Tensor]:
        return (torch.randn(16, 4, generator=torch.Generator().manual_seed(step)),)

    def loss(network, x):
        return (network(x) - x.sum(dim=1, keepdim=True)).square().mean()

    def learn(name: str, device: str, stop: int | None = None) -> torch.nn.Module:
        def on_step(step: int, _: float) -> None:
            if step == stop:
                raise KeyboardInterrupt

        torch.manual_seed(1)
        network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).to(device)
        return fit(network, by_step(draw), loss, Optimisation(60, warm_up=5), tmp_path / name, report=on_step).network

    whole = learn("whole", "cpu")
    for device, stop in (("cpu", 20), ("cuda", 40)):
        with pytest.raises(KeyboardInterrupt):
            learn("moved", device, stop)
    moved = learn("moved", "cpu")
    for here, there in zip(whole.parameters(), moved.parameters(), strict=True):
        assert torch.allclose(here, there, atol=2e-3)  # products on the GPU were rounded to ten bits


def test_neighbours_that_are_not_settled_are_the_same_but_for_near_ties(cars):
    found, known = (knn(cars.cuda(), 20, careful=careful).sort(dim=2).values for careful in (False, True))
    assert (found == known).float().mean() > 0.99


def test_readout_learns_on_the_gpu(tmp_path):
    torch.manual_seed(1)
    network = RegDGCNN(k=4, conv_channels=(8, 8), emb_dims=16, mlp=(16,), dropout=0.0, out_channels=2).eval().cuda()
    features = torch.randn(40, CLOUDS, 32, generator=torch.Generator().manual_seed(0)).cuda()
    targets = features.mean(dim=1)[:, :2].cpu().numpy()
    train_readout(network, features, targets, tmp_path / "readout.ckpt", steps=400)
    with torch.inference_mode():
        predicted = network.head(features.mean(dim=1)).cpu().numpy()
    assert np.abs(predicted - targets).mean() < 0.5 * np.abs(targets).mean()
