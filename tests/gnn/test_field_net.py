import pytest
import torch

from gnn.field_net import FieldNet, nearest
from gnn.loaded_network import LoadedNetwork
from gnn.model_config import NetworkConfig


@pytest.fixture
def cloud():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(2, 256, 3, generator=generator)
    return points, torch.nn.functional.normalize(torch.randn(2, 256, 3, generator=generator), dim=-1)


def test_nearest_agrees_with_brute_force(cloud):
    points, _ = cloud
    found = nearest(points, points[:, :64], 8).sort(dim=-1).values
    distance = torch.cdist(points, points[:, :64])
    assert torch.equal(found, distance.topk(8, largest=False).indices.sort(dim=-1).values)


def test_each_cloud_of_a_batch_is_answered_by_itself(cloud):
    points, normals = cloud
    net = FieldNet(width=32, k=6).eval()
    with torch.inference_mode():
        together = net(points, normals)
        alone = net(points[1:], normals[1:])
    torch.testing.assert_close(together[1:], alone)


def test_output_is_scaled_to_its_own_units(cloud):
    points, normals = (rows.reshape(-1, 3).numpy() for rows in cloud)
    config = NetworkConfig("fieldnet", {"width": 32, "k": 6}, 256, 2, mean=(1.0, 2.0, 3.0, 4.0), spread=(0.0,) * 4)
    values = LoadedNetwork(FieldNet(**config.architecture).eval(), config, "cpu").values(points, normals)
    assert values.shape == (512, 4) and (values == [1.0, 2.0, 3.0, 4.0]).all()


def test_a_dent_far_away_changes_a_point_through_the_whole_car_code(cloud):
    points, normals = cloud
    net = FieldNet(width=32, k=6).eval()
    dented = points.clone()
    far = (points[0] - points[0, 0]).norm(dim=-1).argmax()
    dented[0, far] += 0.5
    with torch.inference_mode():
        assert not torch.equal(net(points, normals)[0, 0], net(dented, normals)[0, 0])
