"""The options of one step and its work folder, where each trained network is a model folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from data.errors import DrivAerError
from gnn.checkpoints import CONFIG, ModelFolder, read_model, write_model
from gnn.model_config import ModelConfig, NetworkConfig


@dataclass(frozen=True)
class StepOptions:
    """folder: for checkpoints and for what the steps make. start: a model to begin from. steps, rate: of a training.

    device: where it learns. batch: clouds a step. parts: models to take the mean of. keep_fits, out: of ``assemble``.
    published: folders with AhmedML's and DrivAerML's tables.
    """

    folder: Path
    start: Path | None = None
    steps: int = 3000
    rate: float = 2e-3
    device: str = "cpu"
    batch: int | None = None
    parts: tuple[Path, ...] = ()
    published: tuple[Path, ...] = ()
    keep_fits: bool = False
    out: Path = Path("resources/models/drivaer")

    def checkpoint(self, step: str) -> Path:
        """From which a killed step goes on."""
        return self.folder / f"{step}.ckpt"

    def put(self, step: str, target: str, config: NetworkConfig, network: nn.Module) -> None:
        """Keep what a step made."""
        whole = ModelConfig(step, "cases of the factory's corpus", "python -m factory", **{target: config})
        write_model(self.folder / step, whole, {target: network.state_dict()})

    def newest(self, target: str, *steps: str) -> ModelFolder:
        """The model that has the network for a target: what the first of the steps made that was run, else the start.

        Raises DrivAerError where there is neither.
        """
        made = next((self.folder / step for step in steps if (self.folder / step / CONFIG).exists()), self.start)
        if made is None:
            fix = f"run the step {steps[-1]}, or give a model with --start"
            raise DrivAerError(f"has no {target} network", file=self.folder, fix=fix)
        model = read_model(made)
        model.section(target)  # raises where it has none
        return model
