"""Where a variant comes from: a catalogue's design, with the coefficients that CFD found of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.catalogue.records import Design

_COEFFICIENTS = ("cd", "cd_std", "cl", "clf", "clr")


@dataclass(frozen=True)
class CfdCoefficients:
    """What CFD says of a car; None for what is not told. area: m² that they refer to, None for the car's own.

    source: whose numbers they are, in a few words.
    """

    cd: float | None
    cd_std: float | None
    cl: float | None
    clf: float | None
    clr: float | None
    area: float | None
    source: str

    def on(self, area: float, own_area: float) -> CfdCoefficients:
        """The same on another area. own_area: frontal area of the car, both m²."""
        refers_to = own_area if self.area is None else self.area
        if refers_to == area:
            return self
        values = {name: getattr(self, name) for name in _COEFFICIENTS}
        scaled = {name: None if value is None else value * refers_to / area for name, value in values.items()}
        return replace(self, **scaled, area=area)


@dataclass(frozen=True)
class Origin:
    """Which design a variant is of, and what was published of it when it was opened. catalogue: the SQLite file."""

    catalogue: Path
    design: str
    published: CfdCoefficients

    def to_json(self) -> dict[str, Any]:
        return {"catalogue": str(self.catalogue), "design": self.design, "published": asdict(self.published)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Origin:
        """Raises KeyError or TypeError for what is no stored origin."""
        published = dict(stored["published"])
        if "told_by" in published:  # its name in files saved earlier
            published["source"] = published.pop("told_by")
        return cls(Path(stored["catalogue"]), stored["design"], CfdCoefficients(**published))


def origin_of(catalogue: Catalogue, design: Design) -> Origin:
    """Where a variant that is opened from a catalogue comes from."""
    return Origin(Path(catalogue.path).absolute(), design.id, published_of(design))


def published_of(design: Design) -> CfdCoefficients:
    """The coefficients that the catalogue holds of a design."""
    from data.catalogue.opening import reference_area

    area = reference_area(design)
    source = f"published, {design.label_version}" if design.label_version else "published"
    return CfdCoefficients(*(getattr(design, name) for name in _COEFFICIENTS), area, source)
