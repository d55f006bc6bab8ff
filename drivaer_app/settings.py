"""What the program remembers between sessions: recent files, the window's layout, preferences."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from data.errors import DrivAerError
from data.replacing import replacing

_log = logging.getLogger(__name__)
_N_RECENT = 12
THEMES = ("system", "light", "dark")


@dataclass
class Settings:
    """Plain values; ``load`` and ``save`` keep them in one JSON file.

    recent: files, folders and studies, latest first. theme: system, light or dark. memory_mb: for meshes and fields
    that are not on screen. layout: the window's own, opaque here. brand: the TOML of the last report, or empty.
    vehicle: the car on the road, as energy.Vehicle. presets: values of morph handles by name.
    """

    recent: list[str] = field(default_factory=list)
    theme: str = "system"
    memory_mb: int = 1024
    layout: dict[str, str] = field(default_factory=dict)
    brand: str = ""
    vehicle: dict[str, Any] = field(default_factory=dict)
    presets: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None = None) -> Settings:
        """A file that is absent gives the defaults; one that is damaged too, and is kept aside for whoever wants it."""
        file = file or settings_file()
        try:
            stored = json.loads(file.read_text("utf-8"))
            if not isinstance(stored, dict):
                raise TypeError("not an object")
            settings = cls(**{f.name: stored[f.name] for f in fields(cls) if f.name in stored})
            settings._check()
            return settings
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning("the settings in %s cannot be used (%s); starting with the defaults", file, error)
            if file.is_file():
                file.replace(file.with_suffix(".damaged"))
        return cls()

    def save(self, file: Path | None = None) -> None:
        """A disk that is full or read-only loses the settings, not the session."""
        file = file or settings_file()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as unfinished:
                unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        except (OSError, DrivAerError) as error:
            _log.warning("the settings were not saved: %s", error)

    def opened(self, path: str | Path) -> None:
        """Put a path at the head of the recent ones."""
        path = str(path)
        self.recent = [path, *(other for other in self.recent if other != path)][:_N_RECENT]

    def _check(self) -> None:
        if self.theme not in THEMES or not isinstance(self.memory_mb, int) or self.memory_mb < 64:
            raise ValueError("a value is out of its range")
        if (
            not all(isinstance(path, str) for path in self.recent)
            or not isinstance(self.layout, dict)
            or not isinstance(self.brand, str)
            or not isinstance(self.vehicle, dict)
            or not isinstance(self.presets, dict)
            or not all(isinstance(values, dict) for values in self.presets.values())
        ):
            raise TypeError("a value is of the wrong kind")


def settings_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("drivaer", appauthor=False) / "settings.json"
