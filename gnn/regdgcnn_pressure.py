"""RegDGCNN for surface pressure, as published with DrivAerNet++ (Elrefaie et al. 2024, arXiv:2406.09624).

A small network first turns the cloud by a learned 3x3 matrix; three EdgeConv layers follow, a global maximum of their
features is handed back to every point, and point-wise layers give one value a point.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnn.edge_conv import SLOPE, ConvNorm, EdgeConv, Form, check_form, two_layer_edge_conv
from gnn.knn import knn
from gnn.network_spec import FIELD, NetworkSpec
from gnn.regdgcnn import DEFAULT_K, add_numbered


class TransformNet(nn.Module):
    """A 3x3 matrix for each cloud, learned from its edges; the identity before training."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = EdgeConv(3, 64)
        self.conv2 = ConvNorm(64, 128, dims=2)
        self.conv3 = ConvNorm(128, 1024, dims=1)
        # Published aliases of the layers' normalisations. There "bn3" is assigned twice and ends as linear1's.
        self.bn1, self.bn2, self.bn3 = self.conv1[1], self.conv2[1], nn.BatchNorm1d(512)
        self.linear1 = nn.Linear(1024, 512, bias=False)
        self.linear2 = nn.Linear(512, 256, bias=False)
        self.bn4 = nn.BatchNorm1d(256)
        self.transform = nn.Linear(256, 9)
        nn.init.zeros_(self.transform.weight)
        nn.init.eye_(self.transform.bias.data.view(3, 3))

    def forward(self, points: Tensor, indices: Tensor, form: Form) -> Tensor:
        """(B, N, 3) points and their (B, N, k) neighbours to (B, 3, 3)."""
        x = two_layer_edge_conv(self.conv1, self.conv2, points, indices, form)
        x = self.conv3(x.transpose(1, 2)).amax(dim=2)
        x = F.leaky_relu(self.bn3(self.linear1(x)), SLOPE)
        x = F.leaky_relu(self.bn4(self.linear2(x)), SLOPE)
        return self.transform(x).view(-1, 3, 3)


class RegDGCNNPressure(nn.Module):
    """Surface pressure at the points of a cloud.

    Args:
        k: neighbours a point has in each graph, itself included.
        emb_dims: width of the layer before the global maximum.
        dropout: probability in the point-wise layers, while training.
        form: ``fast`` or ``published``: the same function of the same weights (see `gnn.edge_conv`); an attribute
            that may be changed at any time.
    """

    conv1: EdgeConv
    conv2: ConvNorm
    conv3: EdgeConv
    conv4: ConvNorm
    conv5: EdgeConv
    conv6: ConvNorm
    conv8: ConvNorm
    conv9: ConvNorm
    conv10: ConvNorm

    def __init__(self, k: int = DEFAULT_K, emb_dims: int = 1024, dropout: float = 0.4, form: Form = "fast"):
        super().__init__()
        check_form(form)
        self.k, self.form, self.dropout = k, form, dropout
        self.transform_net = TransformNet()
        label = ConvNorm(16, 64, dims=1)  # unused: it embeds a class label that the published network never gets
        add_numbered(
            self,
            [
                EdgeConv(3, 64),
                ConvNorm(64, 64, dims=2),
                EdgeConv(64, 64),
                ConvNorm(64, 64, dims=2),
                EdgeConv(64, 64),
                ConvNorm(3 * 64, emb_dims, dims=1),
                label,
                ConvNorm(emb_dims + 3 * 64, 256, dims=1),
                ConvNorm(256, 256, dims=1),
                ConvNorm(256, 128, dims=1),
            ],
        )
        self.conv11 = nn.Conv1d(128, 1, kernel_size=1, bias=False)

    def forward(self, points: Tensor) -> Tensor:
        """(B, N, 3) points to (B, 1, N) pressures.

        Raises:
            ValueError: fewer points than k.
        """
        turned = points @ self.transform_net(points, knn(points, self.k), self.form)
        x1 = two_layer_edge_conv(self.conv1, self.conv2, turned, knn(turned, self.k), self.form)
        x2 = two_layer_edge_conv(self.conv3, self.conv4, x1, knn(x1, self.k), self.form)
        x3 = self.conv5(x2, knn(x2, self.k), self.form)
        local = torch.cat((x1, x2, x3), dim=2).transpose(1, 2)
        x = self._with_global(self.conv6(local).amax(dim=2), local)
        for layer in (self.conv9, self.conv10):
            x = layer(F.dropout(x, self.dropout, self.training))
        return self.conv11(x)

    def _with_global(self, of_cloud: Tensor, local: Tensor) -> Tensor:
        """``conv8`` of every point's (B, 192, N) features joined to its cloud's (B, emb_dims): (B, 256, N)."""
        if self.form == "published":
            return self.conv8(torch.cat((of_cloud[:, :, None].expand(-1, -1, local.shape[2]), local), dim=1))
        layers: Any = self.conv8
        conv, norm, activation = layers
        for_cloud, for_point = conv.weight.split((of_cloud.shape[1], local.shape[1]), dim=1)
        x = F.conv1d(local, for_point) + F.linear(of_cloud, for_cloud[:, :, 0])[:, :, None]
        return activation(norm(x))


def _call(network: RegDGCNNPressure, points: Tensor, normals: Tensor) -> Tensor:
    return network(points).transpose(1, 2)


SPEC = NetworkSpec("regdgcnn-pressure", RegDGCNNPressure, FIELD, _call, has_unused_weights=True)
