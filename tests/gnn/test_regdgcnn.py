"""The drag network as a whole."""

import pytest
import torch

from gnn.regdgcnn import RegDGCNN


def small(**changes) -> RegDGCNN:
    torch.manual_seed(0)
    settings = {"k": 8, "conv_channels": (12, 16), "emb_dims": 20, "mlp": (10, 6), "dropout": 0.0} | changes
    network = RegDGCNN(**settings)
    for parameter in network.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter)
    return network


def cloud(n_clouds=3, n_points=90, channels=3, dtype=torch.float32) -> torch.Tensor:
    return torch.randn(n_clouds, n_points, channels, generator=torch.Generator().manual_seed(1), dtype=dtype)


def trained_step(form: str) -> dict[str, torch.Tensor]:
    """Output, gradients and running statistics of one training pass."""
    network = small(form=form).train()
    out = network(cloud())
    out.square().sum().backward()
    gradients = {f"gradient of {name}": parameter.grad for name, parameter in network.named_parameters()}
    return {"output": out.detach(), **gradients, **dict(network.named_buffers())}


def test_training_step_is_the_published_one():
    fast, published = trained_step("fast"), trained_step("published")
    assert fast.keys() == published.keys()
    for name, value in published.items():
        torch.testing.assert_close(
            fast[name], value, rtol=1e-4, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_forms_predict_the_same_from_one_state_dict():
    network, other = small().eval(), small(form="published").eval()
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network(cloud()), other(cloud()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("channels", "outputs"), [(3, 1), (6, 2)])
def test_shapes_follow_the_settings(channels, outputs):
    network = small(in_channels=channels, out_channels=outputs).eval()
    with torch.no_grad():
        assert network(cloud(channels=channels)).shape == (3, outputs)
        assert network.features(cloud(channels=channels)).shape == (3, 2 * 20)


def test_order_of_the_points_does_not_matter():
    network = small().double().eval()
    points = cloud(dtype=torch.float64)
    shuffled = points[:, torch.randperm(90, generator=torch.Generator().manual_seed(4))]
    with torch.no_grad():
        torch.testing.assert_close(network(points), network(shuffled))


def test_same_cloud_gives_the_same_answer_bit_for_bit():
    network = small(k=40).eval()
    points = cloud(n_clouds=1, n_points=2200)
    with torch.no_grad():
        assert torch.equal(network(points), network(points))


def test_large_cloud_is_predicted_as_by_the_published_form():
    """2,200 points: here the k-NN prunes."""
    points = cloud(n_clouds=1, n_points=2200)
    fast, published = small(k=40).eval(), small(k=40, form="published").eval()
    with torch.no_grad():
        torch.testing.assert_close(fast(points), published(points), rtol=1e-4, atol=1e-4)


def test_fewer_points_than_neighbours_is_a_clear_error():
    with pytest.raises(ValueError, match="k = 8 neighbours asked of a cloud of 5 points"):
        small().eval()(cloud(n_points=5))


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match="quick"):
        small(form="quick")


def test_a_second_head_changes_nothing_before_it_has_learnt():
    plain, both = small(out_channels=2).eval(), small(out_channels=2, discrepancy=True).eval()
    both.load_state_dict(plain.state_dict(), strict=False)
    torch.nn.init.zeros_(both.discrepancy[-1].bias)
    torch.testing.assert_close(both(cloud())[:, :2], plain(cloud()))


def test_a_second_head_adds_to_what_the_first_was_taught_and_tells_that_last():
    network = small(out_channels=2, discrepancy=True).eval()
    torch.nn.init.normal_(network.discrepancy[-1].weight)
    features = network.features(cloud())
    answer, simulated = network(cloud()), network.simulated(features)
    torch.testing.assert_close(answer[:, :2], simulated + network.discrepancy(features))
    assert torch.equal(answer[:, 2], simulated[:, 0])
    assert not torch.allclose(answer[:, 0], answer[:, 2])
