"""A catalogue's designs as torch_geometric data.

from drivaer import DesignDataset, DesignGraphs
from torch_geometric.loader import DataLoader

train = DesignGraphs(DesignDataset("FOLDER", 5000, split="train"))
for batch in DataLoader(train, batch_size=8, shuffle=True):
    batch.pos, batch.y, batch.batch              # (8 * 5000, 3) m, (8, 1), which point is of which design
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from data.dataset import DesignDataset
from data.extras import needs

needs("train")
from torch_geometric.data import Data, Dataset  # noqa: E402


class DesignGraphs(Dataset):
    """A ``torch_geometric.data.Dataset`` over designs whose points are prepared; transforms or layers build graphs.

    Each design is a ``Data``: pos (N, 3) m, y (1, targets), design (its id), and normal (N, 3), cp (N,) where they are
    kept. transform: called with each ``Data``, such as ``torch_geometric.transforms.KNNGraph(k=20)``.
    """

    def __init__(self, designs: DesignDataset, transform: Callable[[Data], Data] | None = None):
        super().__init__(root=None, transform=transform)
        self.source = designs

    def len(self) -> int:
        return len(self.source)

    def get(self, idx: int) -> Data:
        item = self.source[idx]
        data = Data(
            pos=torch.from_numpy(item["points"]),
            y=torch.tensor([[item[name] for name in self.source.targets]]),
            design=item["design"],
        )
        if "normals" in item:
            data.normal = torch.from_numpy(item["normals"])
        if "cp" in item:
            data.cp = torch.from_numpy(item["cp"])
        return data
