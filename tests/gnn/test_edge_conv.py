"""The fast form of EdgeConv against the published one."""

import pytest
import torch

from gnn.edge_conv import ConvNorm, EdgeConv, edge_statistics, two_layer_edge_conv
from gnn.knn import knn
from gnn.neighbourhood import Neighbourhood


def cloud_and_graph(dtype=torch.float64):
    points = torch.randn(2, 60, 5, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return points, knn(points, 7)


def lived_in(layer: torch.nn.Module) -> torch.nn.Module:
    """The layer in float64 with normalisations as after a life: scales of both signs, statistics not 0 and 1."""
    random = torch.Generator().manual_seed(1)
    for module in layer.double().modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.normal_(generator=random)
            module.running_var.uniform_(0.5, 2.0, generator=random)
    return layer


def run(function, layers, form: str, *, training: bool):
    """Output, gradients of all parameters and of the points, and buffers after one pass in a form."""
    layers = [layer.train(training) for layer in layers]
    points, graph = cloud_and_graph()
    points.requires_grad_()
    out = function(points, graph, form)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=out.dtype)
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    gradients = torch.autograd.grad((out * weights).sum(), [points, *parameters])
    return [out, *gradients, *(buffer.clone() for layer in layers for buffer in layer.buffers())]


def single():
    torch.manual_seed(5)
    layer = lived_in(EdgeConv(5, 8))
    return layer, [layer]


def double():
    torch.manual_seed(5)
    layers = [lived_in(EdgeConv(5, 8)), lived_in(ConvNorm(8, 6, dims=2))]
    return lambda points, graph, form: two_layer_edge_conv(*layers, points, graph, form), layers


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
@pytest.mark.parametrize("build", [single, double])
def test_forms_agree_in_value_gradient_and_statistics(build, training):
    fast, published = (run(*build(), form, training=training) for form in ("fast", "published"))
    assert len(fast) == len(published)
    for ours, theirs in zip(fast, published, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_negative_scales_take_the_minimum_before_them():
    """With a negative scale the published maximum is over the other end of the neighbours' values."""
    layer, _ = single()
    assert (layer[1].weight < 0).any() and (layer[1].weight > 0).any()
    points, graph = cloud_and_graph()
    layer.eval()
    right = layer(points, graph, "published")
    layer[1].weight.data.abs_()
    assert not torch.allclose(layer(points, graph, "fast"), right)


def test_two_layers_do_not_depend_on_the_blocks(monkeypatch):
    function, layers = double()
    for layer in layers:
        layer.eval()
    points, graph = cloud_and_graph()
    whole = function(points, graph, "fast")
    monkeypatch.setattr("gnn.edge_conv._BLOCK_EDGES", 50)
    torch.testing.assert_close(function(points, graph, "fast"), whole, rtol=1e-12, atol=1e-12)


def test_edge_statistics_survive_a_large_common_offset():
    """Mean and variance are of ``centre + neighbour``; what cancels between the two must not take the digits along."""
    points, graph = cloud_and_graph(torch.float32)
    centre, neighbour = points + 100, points.flip(2) - 100
    mean, variance = edge_statistics(centre, neighbour, Neighbourhood(graph))
    batch = torch.arange(len(points))[:, None, None]
    edges = (centre[:, :, None] + neighbour[batch, graph]).double().flatten(0, 2)
    torch.testing.assert_close(mean.double(), edges.mean(dim=0), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(variance.double(), edges.var(dim=0, unbiased=False), rtol=1e-4, atol=1e-4)


def test_blocked_reductions_match_the_fused_kernel(monkeypatch):
    """What runs where there is no fused kernel (a GPU), run here on the CPU, gradients too."""
    from gnn import neighbourhood

    points, graph = cloud_and_graph()
    points.requires_grad_()
    network = Neighbourhood(graph)
    monkeypatch.setattr(neighbourhood, "BLOCK_BYTES", 8 * 5 * 7 * 11)
    rows = points.flatten(0, 1)
    for fused, blocked in (
        (network.max, neighbourhood._MaxOfNeighbours),
        (network.sum, neighbourhood._SumOfNeighbours),
    ):
        ours, theirs = blocked.apply(rows, network.targets).view_as(points), fused(points)
        torch.testing.assert_close(ours, theirs)
        weights = torch.arange(ours.numel(), dtype=ours.dtype).view_as(ours)
        gradients = [torch.autograd.grad((out * weights).sum(), points, retain_graph=True)[0] for out in (ours, theirs)]
        torch.testing.assert_close(*gradients)
