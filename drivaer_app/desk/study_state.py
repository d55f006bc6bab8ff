"""What a study is at one moment: its variants, which one is the baseline, the conditions and the model."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from drivaer_app.conditions import Conditions
from drivaer_app.files import absolute
from drivaer_app.origin import Origin
from drivaer_app.predict import Reading


@dataclass(frozen=True)
class MorphSettings:
    """A shape made from another variant. base: that variant's key. values: (name, value) of each handle."""

    base: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ResultInputs:
    """What a result depends on: variants with equal inputs share it, and undoing an edit finds the earlier one."""

    file: Path
    morph: MorphSettings | None
    reading: Reading
    model: str | None


@dataclass(frozen=True)
class Variant:
    """One mesh of the study. key: never changes. file: absolute; a morph has the file of the shape that it bends.

    origin: the catalogue's design that it is, with the CFD of that.
    """

    key: str
    name: str
    file: Path
    reading: Reading = Reading()
    morph: MorphSettings | None = None
    origin: Origin | None = None

    @classmethod
    def of_file(
        cls, file: str | Path, name: str, reading: Reading | None = None, origin: Origin | None = None
    ) -> Variant:
        return cls(uuid.uuid4().hex[:10], name, absolute(file), reading or Reading(), origin=origin)


@dataclass(frozen=True)
class DesignFile:
    """A catalogue's design, ready to be put into a study: its mesh's file and how that is to be read."""

    file: Path
    reading: Reading
    origin: Origin


@dataclass(frozen=True)
class Pin:
    """A place that is looked at on every car. place: m, car frame; on each car the nearest point of its surface."""

    place: tuple[float, float, float]
    note: str = ""


@dataclass(frozen=True)
class StudyState:
    """One moment of a study. baseline: a variant's key or None. model: as in Predictor, None for the bundled one.

    pins: numbered from 1. bent: a variant's key and the values of its handles, of those that rest bent and are not kept
    as variants.
    """

    variants: tuple[Variant, ...] = ()
    baseline: str | None = None
    conditions: Conditions = Conditions()
    model: str | None = None
    pins: tuple[Pin, ...] = ()
    bent: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()

    def variant(self, key: str | None) -> Variant | None:
        return self._by_key.get(key)

    def keys_of(self, inputs: ResultInputs) -> tuple[str, ...]:
        """The variants that a result belongs to."""
        return self._by_inputs.get(inputs, ())

    def inputs_of(self, variant: Variant) -> ResultInputs:
        return ResultInputs(variant.file, variant.morph, variant.reading, self.model)

    @cached_property
    def _by_key(self) -> dict[str | None, Variant]:
        return {v.key: v for v in self.variants}

    @cached_property
    def _by_inputs(self) -> dict[ResultInputs, tuple[str, ...]]:
        found: dict[ResultInputs, tuple[str, ...]] = {}
        for variant in self.variants:
            inputs = self.inputs_of(variant)
            found[inputs] = (*found.get(inputs, ()), variant.key)
        return found
