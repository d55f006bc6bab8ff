"""What became of one file of ``drivaer predict``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivaer_app.predict import Prediction


@dataclass(frozen=True, eq=False)
class FileOutcome:
    """A prediction and the time that its outputs took, or one line that says why there is none."""

    file: Path
    prediction: Prediction | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""

    def record(self) -> dict[str, Any]:
        """The file's JSON object."""
        if self.prediction is None:
            return {"file": str(self.file), "status": "error", "error": self.error}
        return {"file": str(self.file), "status": "ok", **self.prediction.record(self.seconds)}
