"""All that a prediction depends on besides its mesh: the same settings and the same mesh give the same result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data.errors import ModelError
from drivaer_app.conditions import Conditions
from drivaer_app.predict import Reading

if TYPE_CHECKING:
    from gnn.difference import DifferenceLaw
    from gnn.model_config import ModelConfig


@dataclass(frozen=True)
class ModelIdentity:
    """A model as a store keeps it: reports can still tell about it when the model itself has moved on.

    digest: SHA-256 of its weights and configuration. card: its own words, Markdown. config: None for a published .pth.
    signature: what its results call it (``Result.model``); empty where only a store remembers the model.
    """

    name: str
    digest: str
    card: str
    config: ModelConfig | None
    signature: str = ""

    @classmethod
    def of(cls, model: str | None) -> ModelIdentity:
        """Of a model's name, a model folder or a ``.pth``, without loading it. Raises ModelError."""
        from drivaer_app.model_card import model_card
        from drivaer_app.models import find_model
        from gnn.checkpoints import weight_files
        from gnn.model_config import CONFIG, ModelConfig

        path = find_model(model)
        weights = weight_files(path) if path.is_dir() else [path]
        digest, of_weights = hashlib.sha256(), hashlib.sha256()
        try:
            if path.is_dir():
                digest.update((file := path / CONFIG).read_bytes())
            for file in weights:
                content = file.read_bytes()
                digest.update(content)
                of_weights.update(content)
        except OSError as error:
            raise ModelError(f"cannot be read ({error.strerror})", file=file, fix="check the name") from error
        config = ModelConfig.read(path) if path.is_dir() else None
        signature = f"{path.name}@{of_weights.hexdigest()[:12]}" if path.is_dir() else path.name
        return cls(path.name, digest.hexdigest(), model_card(model), config, signature)

    @property
    def in_words(self) -> str:
        """Its name with the checksum, as far as that is known."""
        return f"{self.name}, SHA-256 {self.digest}" if self.digest else f"{self.name}, which is not at hand any more"

    def half_width(self, on_template: bool = True) -> float | None:
        """Of the 90 % interval of one Cd, of cars that the model's template fits or of all others."""
        return self.config.interval.of(on_template) if self.config and self.config.interval else None

    def difference_law(self, on_template: bool = True) -> DifferenceLaw | None:
        """How certain a difference between two such Cd is; None where the model was not calibrated for it."""
        return self.config.difference_law(on_template) if self.config else None

    @property
    def trained_on(self) -> str:
        return self.config.trained_on if self.config else "see the card"


@dataclass(frozen=True)
class PredictionSettings:
    """model: as the user named it, or None. model_digest: of ModelIdentity. device: auto, cpu or cuda, as asked."""

    model: str | None
    model_digest: str
    conditions: Conditions = Conditions()
    reading: Reading = Reading()
    device: str = "auto"

    @property
    def key(self) -> str:
        """A name for all that a result depends on besides the mesh; where the model lies is not part of it."""
        reading = {name: getattr(self.reading, name) for name in ("unit", "up", "forward")} | self.reading.chosen()
        parts = {**asdict(self), "reading": reading, "model": None}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> PredictionSettings:
        """What ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return cls(
            stored["model"],
            stored["model_digest"],
            Conditions(**stored["conditions"]),
            Reading(**stored["reading"]),
            stored["device"],
        )
