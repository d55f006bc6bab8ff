"""A study: the variants that a designer has open, which one is the baseline, and the conditions. Every edit undoes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import DrivAerError
from drivaer_app.conditions import Conditions
from drivaer_app.desk.study_file import SavedStudy, read_study, write_study, written_path
from drivaer_app.desk.study_state import DesignFile, MorphSettings, Pin, StudyState, Variant
from drivaer_app.files import absolute
from drivaer_app.origin import Origin
from drivaer_app.predict import Reading

_LONGEST_HISTORY = 200
_OPENING = "open "


@dataclass
class Study:
    """A study's states, past, present and undone.

    file: the .drivaer file it was opened from or saved to. view: what is on screen; saved, but no edit.
    findings: how many results came that nobody wants to lose, such as a CFD run's; to be saved, but nothing to undo.
    """

    state: StudyState = StudyState()
    file: Path | None = None
    view: dict = field(default_factory=dict)
    findings: int = 0
    _past: list[tuple[str, StudyState]] = field(default_factory=list)
    _undone: list[tuple[str, StudyState]] = field(default_factory=list)
    _saved: StudyState = StudyState()
    _saved_findings: int = 0
    _opened: SavedStudy | None = None

    @classmethod
    def open(cls, path: str | Path) -> Study:
        """The study of a ``.drivaer`` file. Raises DrivAerError for a file that is none, or a newer program's."""
        saved = read_study(path)
        return cls(saved.state, absolute(path), dict(saved.view), _saved=saved.state, _opened=saved)

    def save(self, path: str | Path | None = None) -> None:
        """Write it as a ``.drivaer`` file: to the one that it is from, or to ``path``.

        Results, pictures and CFD runs of the file it is from are kept for the variants that are still what they were.
        Raises DrivAerError where there is no path or it cannot be written.
        """
        target = written_path(self.file if path is None else path)
        was = self._opened or SavedStudy(StudyState())
        kept = {}
        for key, known in was.kept.items():
            before, now = was.state.variant(key), self.state.variant(key)
            if before and now and was.state.inputs_of(before) == self.state.inputs_of(now):
                kept[key] = known
        self._opened = SavedStudy(self.state, kept, dict(self.view))
        write_study(target, self._opened)
        self.file = target
        self.mark_saved()

    @property
    def is_changed(self) -> bool:
        """Whether there is something that its file does not have."""
        return self.state != self._saved or self.findings != self._saved_findings

    @property
    def is_worth_asking(self) -> bool:
        """Whether losing the changes would hurt: more was done than opening files, or a saved study was changed."""
        opened_only = all(what.startswith(_OPENING) for what, _ in self._past)
        is_only_opened = self.file is None and opened_only and self.findings == self._saved_findings
        return self.is_changed and bool(self.state.variants) and not is_only_opened

    @property
    def name(self) -> str:
        return self.file.stem if self.file else "untitled"

    def mark_saved(self, state: StudyState | None = None, findings: int | None = None) -> None:
        """Its file has this state and so many findings; None for what they are now."""
        self._saved = self.state if state is None else state
        self._saved_findings = self.findings if findings is None else findings

    @property
    def undoes(self) -> str | None:
        """What ``undo`` takes back, in words; None where there is nothing."""
        return self._past[-1][0] if self._past else None

    @property
    def redoes(self) -> str | None:
        return self._undone[-1][0] if self._undone else None

    def undo(self) -> None:
        if self._past:
            what, state = self._past.pop()
            self._undone.append((what, self.state))
            self.state = state

    def redo(self) -> None:
        if self._undone:
            what, state = self._undone.pop()
            self._past.append((what, self.state))
            self.state = state

    def add(self, files: Iterable[str | Path], reading: Reading | None = None) -> list[str]:
        """Put mesh files behind the others; one that is there already is not added again. Returns all their keys."""
        return self._add([(file, reading, None) for file in files])

    def add_designs(self, designs: Iterable[DesignFile]) -> list[str]:
        """The same with designs of a catalogue."""
        return self._add([(design.file, design.reading, design.origin) for design in designs])

    def _add(self, given: Iterable[tuple[str | Path, Reading | None, Origin | None]]) -> list[str]:
        there = {(v.file, v.reading): v.key for v in self.state.variants if v.morph is None}
        names = {v.name for v in self.state.variants}
        added: list[Variant] = []
        keys = []
        for file, reading, origin in given:
            known = there.get((absolute(file), reading or Reading()))
            if known is None:
                variant = Variant.of_file(file, _free_name(_name_of(Path(file)), names), reading, origin)
                names.add(variant.name)
                there[variant.file, variant.reading] = known = variant.key
                added.append(variant)
            keys.append(known)
        if added:
            baseline = self.state.baseline or (self.state.variants[0] if self.state.variants else added[0]).key
            what = f"{_OPENING}{added[0].name}" if len(added) == 1 else f"{_OPENING}{len(added)} variants"
            self._edit(what, variants=(*self.state.variants, *added), baseline=baseline)
        return keys

    def add_morph(self, base: str, name: str, values: dict[str, float]) -> str:
        """A variant that is another one bent. Returns its key.

        values: of the handles on the car of the file; of a morph they replace its own.
        """
        source = self._variant(base)
        name = _free_name(name, {v.name for v in self.state.variants})
        morph = MorphSettings(source.morph.base if source.morph else base, tuple(sorted(values.items())))
        variant = Variant(uuid.uuid4().hex[:10], name, source.file, source.reading, morph)
        left = tuple(one for one in self.state.bent if one[0] != base)
        self._edit(f"keep {name}", variants=(*self.state.variants, variant), bent=left)
        return variant.key

    def pin(self, place: Iterable[float]) -> int:
        """Look at a place (3,) m of every car from now on. Returns its number."""
        x, y, z = (float(value) for value in place)
        self._edit(f"pin point {len(self.state.pins) + 1}", pins=(*self.state.pins, Pin((x, y, z))))
        return len(self.state.pins)

    def note(self, number: int, note: str) -> None:
        """What a pinned point is there for."""
        pins = list(self.state.pins)
        if pins[number - 1].note != note:
            pins[number - 1] = replace(pins[number - 1], note=note)
            self._edit(f"note on point {number}", pins=tuple(pins))

    def unpin(self, number: int) -> None:
        """The points behind it move up."""
        pins = tuple(pin for n, pin in enumerate(self.state.pins, 1) if n != number)
        self._edit(f"take point {number} away", pins=pins)

    def bend(self, key: str, values: dict[str, float], what: str) -> None:
        """How a variant rests bent that is not kept yet; no values where it rests as it is. what: for ``undo``."""
        self._variant(key)
        others = tuple(one for one in self.state.bent if one[0] != key)
        bent = (*others, (key, tuple(sorted(values.items())))) if values else others
        if dict(bent) != dict(self.state.bent):
            self._edit(what, bent=bent)

    def remove(self, keys: Iterable[str]) -> None:
        """Take variants out of the study; their files stay. Without the baseline the first one left becomes it."""
        keys = set(keys)
        gone = [v for v in self.state.variants if v.key in keys]
        left = tuple(v for v in self.state.variants if v.key not in keys)
        if not gone:
            return
        baseline = self.state.baseline
        if baseline in keys:
            baseline = left[0].key if left else None
        what = f"remove {gone[0].name}" if len(gone) == 1 else f"remove {len(gone)} variants"
        self._edit(what, variants=left, baseline=baseline)

    def rename(self, key: str, name: str) -> None:
        """Raises DrivAerError for an empty name or one that another variant has."""
        variant, name = self._variant(key), " ".join(name.split())
        if name == variant.name:
            return
        if not name:
            raise DrivAerError("a variant needs a name")
        if any(v.name == name for v in self.state.variants):
            raise DrivAerError(f"another variant is called {name}", fix="choose another name")
        self._replace(f"rename {variant.name}", replace(variant, name=name))

    def set_baseline(self, key: str) -> None:
        if key != self.state.baseline:
            self._edit(f"baseline {self._variant(key).name}", baseline=key)

    def set_reading(self, key: str, reading: Reading) -> None:
        """Read the variant's file in another way. Raises DrivAerError for axes that contradict each other."""
        variant = self._variant(key)
        if "auto" not in (reading.up, reading.forward) and reading.up[-1] == reading.forward[-1]:
            raise DrivAerError(f"the roof ({reading.up}) and the nose ({reading.forward}) cannot lie along one axis")
        if reading != variant.reading:
            self._replace(f"read {variant.name} differently", replace(variant, reading=reading))

    def set_file(self, key: str, file: str | Path) -> None:
        """Where the variant's file is now."""
        variant = self._variant(key)
        if absolute(file) != variant.file:
            self._replace(f"find {variant.name}", replace(variant, file=absolute(file)))

    def set_conditions(self, conditions: Conditions) -> None:
        if conditions != self.state.conditions:
            self._edit("change the conditions", conditions=conditions)

    def set_model(self, model: str | None) -> None:
        """A model's name, or the path of one, which is kept from the root: the study may be opened from elsewhere."""
        if model is not None and (len(Path(model).parts) > 1 or Path(model).suffix):
            model = str(absolute(model))
        if model != self.state.model:
            self._edit("change the model", model=model)

    def _variant(self, key: str) -> Variant:
        variant = self.state.variant(key)
        if variant is None:
            raise KeyError(key)
        return variant

    def _replace(self, what: str, variant: Variant) -> None:
        self._edit(what, variants=tuple(variant if v.key == variant.key else v for v in self.state.variants))

    def _edit(self, what: str, **changes) -> None:
        self._past.append((what, self.state))
        del self._past[:-_LONGEST_HISTORY]
        self._undone.clear()
        self.state = replace(self.state, **changes)


def _name_of(file: Path) -> str:
    return Path(file.stem).stem if file.suffix.lower() == ".gz" else file.stem


def _free_name(name: str, taken: set[str]) -> str:
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
