"""``config.json`` of a model folder as dataclasses, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from data.errors import ModelError
from gnn.difference import DifferenceLaw
from gnn.typed import from_mapping

FORMAT = 3
CONFIG = "config.json"
DRAG, FIELD = "drag", "field"
"""The two targets that a network may have: coefficients of a car, and values at its surface's points."""
COEFFICIENTS = ("cd", "cl", "cd_rans")
"""What a drag network gives, as many of them as it has: of the real car, and last Cd as our own CFD would give it. With
two or less it knows one kind of truth only, that which it was trained on."""
_FIX = "update drivaer, or train the model again"


@dataclass(frozen=True)
class NetworkConfig:
    """One of a model's networks.

    network: its name in gnn.networks. architecture: its keyword arguments.
    n_points: of a cloud that it sees. n_clouds: clouds of a car that are looked at; coefficients are their mean.
    centred: whether it sees network coordinates (gnn.input_frame), else metres in the car frame.
    mean, spread (n,): of the targets that it was trained on, coefficients or columns of Cp and Cf. Its output times
    spread plus mean is in their units.
    counts: of the cases and designs that it was trained on, for the card.
    """

    network: str
    architecture: dict[str, Any]
    n_points: int
    n_clouds: int
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    centred: bool = True
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def n_seen(self) -> int:
        """Points of a sample that are looked at."""
        return self.n_clouds * self.n_points


@dataclass(frozen=True)
class Widths:
    """Half widths in Cd: of cars that the model's template fits, and of all others (None: the same)."""

    half_width: float
    off_template: float | None = None

    def of(self, on_template: bool) -> float:
        return self.half_width if on_template or self.off_template is None else self.off_template


@dataclass(frozen=True)
class Interval(Widths):
    """Of Cd, at a level such as 0.9. coverage: share of held-out designs within it, each left out of calibration.

    bluff: half width for bluff bodies, which are no cars; None where the model has learnt nothing of them.
    """

    level: float = 0.9
    coverage: float | None = None
    bluff: float | None = None


@dataclass(frozen=True)
class CloudNumbers:
    """Of gnn.novelty.ProfileCloud, whose arrays are among the tensors."""

    rest: float
    limit: float


@dataclass(frozen=True)
class ModelName:
    """A model that another was trained on from."""

    name: str
    digest: str


@dataclass(frozen=True)
class ModelConfig:
    """What a model is besides its tensors.

    trained_on: a phrase. made_by: the command. base: the model it was trained on from. licences: of published corpora
    that it was trained on. recipe: how it was trained, where it was by a recipe (gnn.training.recipe).
    drag, field: its networks. cd_pressure_offset: what the field's integral is short of, Cd, where no template fits;
    None where the fields are not to be integrated.
    interval: of Cd. interval_rans: of Cd as our own CFD would give it, where that is told apart. answers_apart: see
    gnn.prediction. difference, difference_off_template: of differences between two cars that the template fits, and all
    others. novelty: one for each cloud of gnn.novelty.NoveltyReference. bluff_cloud: the one of bluff bodies, Ahmed's.
    """

    name: str
    trained_on: str
    made_by: str = ""
    base: ModelName | None = None
    licences: tuple[str, ...] = ()
    recipe: dict[str, Any] | None = None
    drag: NetworkConfig | None = None
    field: NetworkConfig | None = None
    cd_pressure_offset: float | None = None
    interval: Interval | None = None
    interval_rans: Interval | None = None
    answers_apart: Widths | None = None
    difference: DifferenceLaw | None = None
    difference_off_template: DifferenceLaw | None = None
    novelty: tuple[CloudNumbers, ...] = ()
    bluff_cloud: int | None = None

    @classmethod
    def read(cls, folder: Path) -> ModelConfig:
        """Of a model folder. Raises ModelError that names the file and the key."""
        file = folder / CONFIG
        try:
            document = json.loads(file.read_text("utf-8"))
        except OSError as error:
            fix = "give a folder made by training"
            raise ModelError(f"not a model folder: {CONFIG} is missing", file=folder, fix=fix) from error
        except ValueError as error:
            raise ModelError(f"the model is damaged ({error})", file=file, fix="copy or train it again") from error
        return cls.of_document(document, file)

    @classmethod
    def of_document(cls, document: Mapping[str, Any], file: Path | None = None) -> ModelConfig:
        """Of a parsed ``config.json``, of this format or the one before. Raises ModelError that names the key."""
        if not isinstance(document, Mapping):
            raise ModelError("the model is damaged (no table of keys)", file=file, fix="copy or train it again")
        if document.get("format") == 2:
            document = _of_format_2(document)
        if document.get("format") != FORMAT:
            raise ModelError(f"model format {document.get('format')} is not {FORMAT}", file=file, fix="update drivaer")
        given = {key: value for key, value in document.items() if key != "format"}
        return from_mapping(cls, given, file=file, error=ModelError, fix=_FIX)

    def document(self) -> dict[str, Any]:
        """For ``config.json``; what is as by default is left out."""
        return {"format": FORMAT, **_document(self)}

    @property
    def networks(self) -> dict[str, NetworkConfig]:
        """Those that there are, by target."""
        return {target: own for target, own in ((DRAG, self.drag), (FIELD, self.field)) if own is not None}

    @property
    def gives(self) -> str:
        """What it predicts, in a few words."""
        if self.drag and self.field:
            return "drag and fields"
        return ", ".join(f"{target} ({own.network})" for target, own in self.networks.items())

    def difference_law(self, on_template: bool = True) -> DifferenceLaw | None:
        """How certain a difference between two cars is; None where the model was not calibrated for differences."""
        return (None if on_template else self.difference_off_template) or self.difference


def _document(value: Any) -> Any:
    """Dataclasses as mappings, without the fields that are as by default."""
    if isinstance(value, tuple):
        return [_document(item) for item in value]
    if not is_dataclass(value):
        return value
    given = {f: getattr(value, f.name) for f in fields(value)}
    return {f.name: _document(own) for f, own in given.items() if own != _default(f)}


def _default(of: Field) -> Any:
    return of.default if of.default_factory is MISSING else of.default_factory()


_KEYS_SINCE_2 = {"elsewhere": "off_template", "difference_elsewhere": "difference_off_template"}


def _of_format_2(old: Mapping[str, Any]) -> dict[str, Any]:
    """The same in format 3. Mean and spread of a FieldNet stood among its tensors: gnn.checkpoints puts them in."""
    kept = ("name", "trained_on", "made_by", "licences", "recipe", "interval", "answers_apart", "novelty")
    new: dict[str, Any] = {"format": FORMAT, "name": "", "trained_on": "unknown"}
    new |= {
        _KEYS_SINCE_2.get(key, key): old[key] for key in (*kept, "difference", "difference_elsewhere") if key in old
    }
    for key in ("interval", "answers_apart"):
        if key in new:
            new[key] = {_KEYS_SINCE_2.get(name, name): width for name, width in new[key].items()}
    if "from" in old:
        new["base"] = old["from"]
    if "recipe" in old:
        new[old["recipe"].get("model", DRAG)] = _of_recipe(old)
        return new
    for target, network in ((DRAG, "regdgcnn"), (FIELD, "fieldnet")):
        section = old.get(target, {})
        counts = {key: n for key, n in section.items() if key.startswith("n_") and key not in ("n_points", "n_clouds")}
        own = {key: n for key, n in section.items() if key not in (*counts, "cd_pressure_offset")}
        new[target] = {"network": network, "mean": [], "spread": [], **own, "counts": counts}
    new["cd_pressure_offset"] = old.get(FIELD, {}).get("cd_pressure_offset", 0.0)
    return new


def _of_recipe(old: Mapping[str, Any]) -> dict[str, Any]:
    """The one network of a model that was trained by a recipe."""
    recipe = old["recipe"]
    scaling = {} if recipe.get("network") == "fieldnet" else old
    return {
        "network": recipe.get("network"),
        "architecture": old.get("lone", {}).get("architecture", {}),
        "n_points": recipe.get("n_points"),
        "n_clouds": recipe.get("draws"),
        "centred": recipe.get("centred"),
        "mean": scaling.get("mean", []),
        "spread": scaling.get("spread", []),
    }
