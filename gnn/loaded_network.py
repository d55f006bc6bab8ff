"""A network on its device: from a sample's points to clouds, its call, and the scale of its output."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from data.errors import ModelError
from gnn.input_frame import CENTRE_Z, InputFrame
from gnn.model_config import NetworkConfig
from gnn.networks import NETWORKS

_END_POINTS = 128


class LoadedNetwork:
    """One of a model's networks.

    It sees ``n_clouds`` clouds of a sample's points, one after another: runs of an even sample are even samples
    themselves. Where the sample has too few points they come again.
    """

    def __init__(self, network: nn.Module, config: NetworkConfig, device: str):
        self.config, self.device, self.spec = config, device, NETWORKS[config.network]
        self.network = network.to(device)

    @property
    def n_parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def points_seen(self, points: np.ndarray, frame: InputFrame) -> np.ndarray:
        """Points (N, 3) m of the car frame as this network sees them."""
        return frame.to_network(points) if self.config.centred else points

    def rows_seen(self, n: int) -> np.ndarray:
        """(n_seen,) which of n points of a sample are looked at."""
        return np.arange(self.config.n_seen) % n

    @torch.inference_mode()
    def coefficients(self, points: np.ndarray, normals: np.ndarray, n_clouds: int | None = None) -> np.ndarray:
        """(n,) of a car, Cd first: the mean over several clouds that share no point.

        points (N, 3) as the network sees them. n_clouds: of the first so many clouds only.
        """
        standard = self._standard(points, normals, n_clouds or self.config.n_clouds).double().mean(dim=0).cpu().numpy()
        return standard * self.config.spread + self.config.mean

    @torch.inference_mode()
    def values(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(n_seen, columns) float32 Cp, and Cf where the network gives it, at the points that are looked at."""
        mean, spread = (torch.tensor(v, device=self.device) for v in (self.config.mean, self.config.spread))
        standard = self._standard(points, normals, self.config.n_clouds)
        return (standard * spread + mean).flatten(0, 1).float().cpu().numpy()

    @torch.inference_mode()
    def features(self, points: np.ndarray) -> np.ndarray:
        """(f,) pooled features of a car. Raises ModelError for a network that has none."""
        if self.spec.features is None:
            raise ModelError(f"the network {self.spec.name} has no features of a whole car", fix="give another model")
        clouds = self._clouds(points, self.config.n_clouds)
        return self.spec.features(self.network, clouds).mean(dim=0).cpu().numpy()

    def gradient(self, points: np.ndarray, normals: np.ndarray, frame: InputFrame | None = None) -> np.ndarray:
        """(n, 3) d(first output)/dx, 1/m, at the n of points (N, 3) m, car frame, that fill whole clouds."""
        size = self.config.n_points
        n = len(points) // size * size
        moving = self._tensor(points[:n]).requires_grad_()
        frame = frame or InputFrame.of(points)
        seen = _centred(moving, frame) if self.config.centred else moving
        clouds, facing = (rows.view(-1, size, 3) for rows in (seen, self._tensor(normals[:n])))
        first = self.spec.call(self.network, clouds, facing)[:, 0].mean() * self.config.spread[0]
        (gradient,) = torch.autograd.grad(first, moving)
        return gradient.cpu().numpy()

    def _standard(self, points: np.ndarray, normals: np.ndarray, n_clouds: int) -> Tensor:
        return self.spec.call(self.network, self._clouds(points, n_clouds), self._clouds(normals, n_clouds))

    def _clouds(self, rows: np.ndarray, n_clouds: int) -> Tensor:
        n = n_clouds * self.config.n_points
        used = rows[:n] if len(rows) >= n else rows[np.arange(n) % len(rows)]
        return self._tensor(used).view(n_clouds, -1, 3)

    def _tensor(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows, np.float32)).to(self.device)


def _centred(moving: Tensor, frame: InputFrame) -> Tensor:
    """Points (N, 3) m of the car frame in network coordinates, as `InputFrame.to_network` does, with its derivative."""
    enlarged = moving * frame.scale
    x = enlarged[:, 0]
    # The middle is that of two points; their share of the slope is spread over the car's two ends, as a push's is.
    ends = (x.topk(min(_END_POINTS, len(x)), largest=side).values.mean() for side in (True, False))
    middle = 0.5 * torch.stack([end - end.detach() for end in ends]).sum() + frame.x_middle
    return enlarged - torch.stack([middle, x.new_tensor(0.0), x.new_tensor(CENTRE_Z)])
