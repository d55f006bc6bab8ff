"""RegDGCNN, the drag network of DrivAerNet (Elrefaie, Dai, Ahmed 2024, arXiv:2403.08055).

The state dict has the published key layout. Clouds are point-major (B, N, C) throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.edge_conv import SLOPE, ConvNorm, EdgeConv, Form, check_form
from gnn.knn import knn
from gnn.network_spec import DRAG, NetworkSpec

DEFAULT_K = 40


def add_numbered(network: nn.Module, convs: Sequence[ConvNorm]) -> None:
    """Add layers as ``conv1`` ... and, as published, their normalisations a second time as ``bn1`` ..."""
    for number, conv in enumerate(convs, 1):
        network.add_module(f"bn{number}", conv[1])
    for number, conv in enumerate(convs, 1):
        network.add_module(f"conv{number}", conv)


class RegDGCNN(nn.Module):
    """Drag (or any few numbers) of a car from its surface points.

    Args:
        k: neighbours a point has in each layer's graph, itself included.
        conv_channels: width of each EdgeConv layer; the graph of each is built on the features that enter it.
        emb_dims: width of the point-wise layer before pooling.
        mlp: widths of the hidden layers after pooling.
        in_channels: 3 for points, 6 for points and normals.
        dropout: probability in the hidden layers, while training.
        out_channels: numbers predicted.
        discrepancy: whether a second head, as wide as the first, adds to the numbers what reality differs by from the
            simulations that the first head was taught (Kennedy and O'Hagan, Biometrika 87, 2000). Then the first
            number as simulated comes last, besides.
        form: ``fast`` or ``published``: the same function of the same weights (see `gnn.edge_conv`); an attribute
            that may be changed at any time. So is ``careful``, whether neighbours are (see `gnn.knn.knn`).

    With the defaults the state dict has the published network's keys and shapes. As there, a layer's batch
    normalisation appears under two names (``bn1`` and ``conv1.1``) that are one module.
    """

    def __init__(
        self,
        k: int = DEFAULT_K,
        conv_channels: Sequence[int] = (256, 512, 512, 1024),
        emb_dims: int = 512,
        mlp: Sequence[int] = (128, 64, 32, 16),
        in_channels: int = 3,
        dropout: float = 0.4,
        out_channels: int = 1,
        form: Form = "fast",
        discrepancy: bool = False,
    ):
        super().__init__()
        check_form(form)
        self.k, self.form, self.careful, self.dropout = k, form, True, dropout
        self.n_edge_convs, self.n_hidden = len(conv_channels), len(mlp)
        convs = [EdgeConv(before, after) for before, after in pairwise((in_channels, *conv_channels))]
        add_numbered(self, [*convs, ConvNorm(sum(conv_channels), emb_dims, dims=1)])
        widths = (2 * emb_dims, *mlp)
        for number, (before, after) in enumerate(pairwise(widths), 1):
            self.add_module(f"linear{number}", nn.Linear(before, after, bias=number > 1))
            self.add_module(f"bn{number + self.n_edge_convs + 1}", nn.BatchNorm1d(after))
        self.add_module(f"linear{len(mlp) + 1}", nn.Linear(widths[-1], out_channels))
        self.discrepancy = _perceptron(widths, out_channels) if discrepancy else None

    def forward(self, points: Tensor) -> Tensor:
        """(B, N, in_channels) points to (B, out_channels), or with a discrepancy (B, out_channels + 1)."""
        return self.head(self.features(points))

    def features(self, points: Tensor) -> Tensor:
        """(B, N, in_channels) to (B, 2 * emb_dims): maximum and mean over the points of the last layer's features.

        Raises:
            ValueError: fewer points than k.
        """
        x, layers = points, []
        for number in range(1, self.n_edge_convs + 1):
            x = self.get_submodule(f"conv{number}")(x, knn(x, self.k, self.careful), self.form)
            layers.append(x)
        last: Any = self.get_submodule(f"conv{self.n_edge_convs + 1}")
        if self.form == "published":
            x = last(torch.cat(layers, dim=2).transpose(1, 2)).transpose(1, 2)
        else:
            x = last.of_layers(layers)
        return torch.cat((x.amax(dim=1), x.mean(dim=1)), dim=1)

    def head(self, features: Tensor) -> Tensor:
        """(B, 2 * emb_dims) pooled features to what ``forward`` gives."""
        simulated = self.simulated(features)
        if self.discrepancy is None:
            return simulated
        return torch.cat((simulated + self.discrepancy(features), simulated[:, :1]), dim=1)

    def simulated(self, features: Tensor) -> Tensor:
        """(B, 2 * emb_dims) pooled features to (B, out_channels), without the discrepancy."""
        x = features
        for number in range(1, self.n_hidden + 1):
            x = self.get_submodule(f"linear{number}")(x)
            x = self.get_submodule(f"bn{number + self.n_edge_convs + 1}")(x)
            x = F.dropout(F.leaky_relu(x, SLOPE), self.dropout, self.training)
        return self.get_submodule(f"linear{self.n_hidden + 1}")(x)


def _perceptron(widths: Sequence[int], out_channels: int) -> nn.Sequential:
    """Layers as RegDGCNN has them after pooling. The last begins at zero: nothing changes before it has learnt."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.LeakyReLU(SLOPE)]
    last = nn.Linear(widths[-1], out_channels)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


def _plain(network: RegDGCNN) -> nn.Module:
    from gnn.exportable import PlainRegDGCNN

    return PlainRegDGCNN(network)


SPEC = NetworkSpec("regdgcnn", RegDGCNN, DRAG, plain=_plain, features=RegDGCNN.features)
