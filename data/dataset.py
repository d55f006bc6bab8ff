"""Designs as training reads them: clouds out of the point store with their targets, by number.

from drivaer import DesignDataset
from torch.utils.data import DataLoader

train = DesignDataset("FOLDER", 5000, split="train")          # after: drivaer data prepare FOLDER --points 5000
test = DesignDataset("FOLDER", 5000, where="split = 'test' and style = 'estate'")
for batch in DataLoader(train, batch_size=8, shuffle=True, num_workers=2):
    batch["points"], batch["cd"], batch["design"]    # (8, 5000, 3) m, (8,), names
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DrivAerError
from data.point_store import PointSettings, PointStore

if TYPE_CHECKING:
    import numpy as np


class DesignDataset:
    """A map-style dataset over a catalogue: what ``torch.utils.data.DataLoader`` and any loop can take.

    Args:
        catalogue: the catalogue's file or the folder that it lies in.
        settings: which points, or how many of them; ``data prepare`` must have been run with the same.
        split: train, val or test. where: a condition as of ``data list``; both may be given.
        targets: columns of the catalogue, numbers; designs that lack one are left out.
        n_points: fewer than the settings' are the first ones of each cloud, which are even over the surface too.
        store: folder of the point stores, where they do not lie beside the catalogue.
        allow_unprepared: leave out designs without points instead of refusing.

    Raises DrivAerError where no design is left, or some have no points of the mesh that the catalogue knows.
    """

    def __init__(
        self,
        catalogue: str | Path,
        settings: PointSettings | int,
        *,
        split: str | None = None,
        where: str | None = None,
        targets: Sequence[str] = ("cd",),
        n_points: int | None = None,
        store: str | Path | None = None,
        allow_unprepared: bool = False,
    ):
        from data.catalogue import open_catalogue
        from data.catalogue.prepare import fresh_designs, store_folder
        from data.catalogue.query import condition_of, named_columns, rows

        settings = PointSettings(settings) if isinstance(settings, int) else settings
        self.n_points = settings.n_points if n_points is None else n_points
        with open_catalogue(catalogue, read_only=True) as opened:
            columns = named_columns(opened, ["id", "split", *targets])
            self.targets = tuple(column.name for column in columns[2:])
            found = rows(opened, columns, condition_of(opened, where))
            chosen = {
                row[0]: row[2:]
                for row in found
                if split in (None, row[1]) and all(value is not None for value in row[2:])
            }
            self.store = PointStore(store or store_folder(opened), settings)
            fresh = fresh_designs(opened, self.store, list(chosen))
        if len(fresh) < len(chosen) and not allow_unprepared:
            fix = f"run 'data prepare --points {settings.n_points}', or allow_unprepared=True to leave them out"
            what = f"{len(chosen) - len(fresh)} of {len(chosen)} designs have no points of their mesh as it is now"
            raise DrivAerError(what, file=self.store.path, fix=fix)
        if not fresh:
            raise DrivAerError(
                "no design is left of that choice", file=Path(catalogue), fix="see 'data list' and 'data split'"
            )
        self.designs: tuple[str, ...] = tuple(fresh)
        self._values = [tuple(float(value) for value in chosen[design]) for design in fresh]

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One design: points (n, 3) float32 m, normals and cp where they are kept, each target float32, its id."""
        import numpy as np

        design = self.designs[index]
        cloud = self.store.cloud(design, self.n_points)
        item: dict[str, Any] = {"points": np.array(cloud.points)}
        if cloud.normals is not None:
            item["normals"] = cloud.normals.astype(np.float32)
        if cloud.cp is not None:
            item["cp"] = np.array(cloud.cp)
        item |= {name: np.float32(value) for name, value in zip(self.targets, self._values[index], strict=True)}
        return {**item, "design": design}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))

    def target(self, name: str) -> np.ndarray:
        """(len,) float64: one target of all designs."""
        import numpy as np

        return np.array([values[self.targets.index(name)] for values in self._values])
