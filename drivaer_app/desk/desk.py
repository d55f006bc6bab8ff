"""A designer's desk without its window: a study, its predictions in the background, what is in focus.

Whatever the window does it does through this; a script can do the same:

    desk = Desk()
    keys = desk.open(["variants/"])
    desk.wait()
    print({v.name: desk.result(v.key).cd for v in desk.study.state.variants})
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from data.errors import DrivAerError
from data.formats import find_meshes
from data.units import METRES
from drivaer_app.compare import Difference
from drivaer_app.desk.autosave import Autosave
from drivaer_app.desk.cfd_kept import cfd_of
from drivaer_app.desk.events import Event, Notify
from drivaer_app.desk.examine import warm_up
from drivaer_app.desk.exporting import export_fields, export_mesh
from drivaer_app.desk.jobs import FAILED as JOB_FAILED
from drivaer_app.desk.jobs import Job, Jobs
from drivaer_app.desk.layers import PARTS, DisplayLayers
from drivaer_app.desk.lru_cache import LruCache
from drivaer_app.desk.morphing import Morphing, changed_in_words, values_of
from drivaer_app.desk.predictions import DONE, FAILED, FOCUS, MISSING, WAITING, Predictions, PredictionState
from drivaer_app.desk.reporting import Reporting
from drivaer_app.desk.study import Study
from drivaer_app.desk.study_file import SavedStudy, SavedVariant, find_moved, read_study, write_study, written_path
from drivaer_app.desk.study_source import StudySource
from drivaer_app.desk.study_state import DesignFile, ResultInputs, StudyState
from drivaer_app.desk.verification import Verifications
from drivaer_app.desk.watch import Watch
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.engine import Engine
from drivaer_app.files import STUDY_SUFFIX, absolute
from drivaer_app.origin import CfdCoefficients
from drivaer_app.predict import Reading
from drivaer_app.results import Result
from drivaer_app.shapes.drag_by_region import RegionDrag

_BENT = "bent"  # in a study's view


class Desk:
    """notify: called with every Event, from any thread. memory_mb: for meshes and fields that are not in focus."""

    def __init__(
        self,
        notify: Notify = lambda event: None,
        *,
        engine: Engine | None = None,
        memory_mb: int = 1024,
        autosave: Autosave | None = None,
    ):
        self.study = Study()
        self.jobs = Jobs(lambda job: self._notify(Event("job", job=job)))
        self.engine = engine or Engine()
        self.cache = LruCache(memory_mb << 20)
        self.autosave = autosave
        self._readings: dict[ResultInputs, Reading] = {}
        self.predictions = Predictions(self.engine, self.jobs, self.cache, lambda: self.study.state, notify)
        self.morphing = Morphing(self.engine, self.jobs, lambda key: self._notify(Event("bent", key)))
        self.verifications = Verifications(
            self.jobs, lambda: self.study.state, notify, self._found, self._found_reading
        )
        self.reporting = Reporting(self.jobs, self.report_source)
        self.layers = DisplayLayers(self.engine, self.jobs, self.cache, lambda: self.study.state, self._case_of, notify)
        self._own_engine = engine is None
        self._notify = notify
        self._watch = Watch(self._files_changed)
        self._watched_folders: tuple[Path, ...] = ()
        self._autosaved: tuple[StudyState, dict, int, dict] | None = None

    # Opening, saving

    def warm_up(self) -> None:
        """Load libraries and the model while nothing else is asked for."""

        def work(job: Job) -> None:
            self.engine.call(warm_up, self.study.state.model, report=job.report)

        self.jobs.submit("loading the model", work)

    def open(self, paths: Iterable[str | Path]) -> list[str]:
        """Meshes, folders of meshes, or one study. Returns the keys of the variants, in order.

        Raises DrivAerError for a folder without meshes and for a study that cannot be read.
        """
        paths = [Path(path) for path in paths]
        studies = [path for path in paths if path.suffix.lower() == STUDY_SUFFIX]
        if studies:
            self.open_study(studies[0])
            return [v.key for v in self.study.state.variants]
        files = [file for path in paths for file in (find_meshes(path) if path.is_dir() else [path])]
        folders = [absolute(path) for path in paths if path.is_dir()]
        self._watched_folders = tuple(dict.fromkeys([*self._watched_folders, *folders]))
        keys = self.study.add(files)
        self._after_edit()
        return keys

    def open_designs(self, designs: Iterable[DesignFile]) -> list[str]:
        """Designs of a catalogue, with their CFD beside their predictions. Returns the keys of the variants."""
        keys = self.study.add_designs(designs)
        self._after_edit()
        return keys

    def open_study(self, path: str | Path) -> None:
        """Put another study in the place of the present one. Raises DrivAerError."""
        self.restore(read_study(path), absolute(path))
        self.study.mark_saved()

    def restore(self, saved: SavedStudy, file: Path | None) -> None:
        """The same from memory. file: where it is saved to from now on."""
        self.predictions.forget_jobs()
        self.morphing.forget()
        self._watched_folders = ()
        self.study = Study(saved.state, file, dict(saved.view))
        for variant in saved.state.variants:
            kept = saved.kept.get(variant.key, SavedVariant())
            done = WAITING if kept.result is None else DONE
            prediction = PredictionState(done, kept.result, kept.previous, None, kept.thumbnail)
            self.predictions.remember(saved.state.inputs_of(variant), prediction)
            if kept.cfd is not None:
                self.verifications.take_up(saved.state.inputs_of(variant), kept.cfd)
        self._take_up(self.study.view.pop(_BENT, None))
        self._after_edit()
        self.jobs.submit("checking the files", self._check_files, lane="files")

    def new(self) -> None:
        """An empty study."""
        self.predictions.forget_jobs()
        self.morphing.forget()
        self.study = Study()
        self._watched_folders = ()
        self._after_edit()

    def save(self, path: str | Path | None = None) -> None:
        """Write the study. Blocks; a face does it in ``jobs``. Raises DrivAerError."""
        target = written_path(self.study.file if path is None else path)
        findings, saved = self.study.findings, self.saved()
        write_study(target, saved)
        self.study.file = target
        self.study.mark_saved(saved.state, findings)
        if self.autosave:
            self.autosave.clear()
        self._notify(Event("study"))

    def saved(self) -> SavedStudy:
        """The study as it would be written now."""
        state = self.study.state
        kept = {}
        for variant in state.variants:
            s = self.prediction(variant.key)
            cfd = self.verifications.kept(state.inputs_of(variant))
            kept[variant.key] = SavedVariant(s.result, s.previous, s.thumbnail, cfd)
        bent = self.morphing.half_bent
        view = {**self.study.view, _BENT: bent} if bent else dict(self.study.view)
        return SavedStudy(state, kept, view, self.study.file)

    def autosave_now(self) -> None:
        """Keep the study aside where it has changed since the last time. Blocks."""
        now = self.study.state, self.morphing.half_bent, self.study.findings, dict(self.study.view)
        if self.autosave and (self.study.is_changed or now[1]) and self._autosaved != now:
            self.autosave.write(self.saved())
            self._autosaved = now

    def find_moved(self, folder: str | Path) -> list[str]:
        """Look below a folder for the files that are missing; returns the keys of those found."""
        missing = {v.key: v.file for v in self.study.state.variants if self.prediction(v.key).status == MISSING}
        sums = {key: s.result.checksum for key in missing if (s := self.prediction(key)).result}
        found = find_moved(missing, sums, folder)
        for key, file in found.items():
            old, before = self.prediction(key), self._inputs_of(key)
            self.study.set_file(key, file)
            self.verifications.moved(before, self._inputs_of(key))
            self.verifications.check(self._inputs_of(key))
            self.predictions.put(self._inputs_of(key), replace(old, status=DONE if old.result else WAITING, error=""))
        if found:
            self._after_edit()
        return list(found)

    # Edits

    def edit(self, change: Callable[[Study], object]) -> None:
        """Any of Study's edits: ``desk.edit(lambda study: study.rename(key, "low nose"))``."""
        change(self.study)
        self._after_edit()

    def undo(self) -> None:
        """Of anything: edits of the study and handles alike."""
        self._walk(Study.undo)

    def redo(self) -> None:
        self._walk(Study.redo)

    def _walk(self, step: Callable[[Study], object]) -> None:
        before = dict(self.study.state.bent)
        self.edit(step)
        after = dict(self.study.state.bent)
        for key in {*before, *after}:
            variant = self.study.state.variant(key)
            if variant is not None and before.get(key) != after.get(key):
                self.morphing.put(key, self.study.state.inputs_of(variant), dict(after[key]) if key in after else None)

    def settle_baseline(self) -> None:
        """Where the baseline's file cannot be read, the first variant that can takes its place: nothing to undo."""
        state = self.study.state
        if state.baseline is None or self.prediction(state.baseline).status not in (FAILED, MISSING):
            return
        if self.prediction(state.baseline).result is None:
            others = (v.key for v in state.variants if self.prediction(v.key).result is not None)
            if (key := next(others, None)) is not None:
                self.study.state = replace(state, baseline=key)
                self._notify(Event("study"))

    # What is known

    def prediction(self, key: str) -> PredictionState:
        variant = self.study.state.variant(key)
        if variant is None:
            return PredictionState()
        return self.predictions.of(self.study.state.inputs_of(variant))

    def result(self, key: str | None) -> Result | None:
        """On the study's conditions."""
        result = self.prediction(key).result if key else None
        return None if result is None else result.on(self.study.state.conditions)

    def difference(self, key: str) -> Difference | None:
        """To the baseline; None where either is not known yet, and for the baseline itself."""
        baseline = self.study.state.baseline
        mine, its = self.result(key), self.result(baseline)
        return None if key == baseline or mine is None or its is None else Difference.of(mine, its)

    def cfd_is_outdated(self, key: str) -> bool:
        """Whether the variant's mesh has changed since its CFD was run."""
        inputs, result = self._inputs_of(key), self.prediction(key).result
        kept = self.verifications.kept(inputs) if inputs else None
        return kept is not None and result is not None and kept.mesh != result.checksum

    def report_source(self) -> StudySource:
        """The study at this moment, as reports are made of it."""
        state = self.study.state
        known = {variant.key: self.prediction(variant.key) for variant in state.variants}
        cfd = {variant.key: found for variant in state.variants if (found := self.cfd(variant.key))}
        return StudySource(state, known, self.drawn, cfd, self.study.file)

    def cfd(self, key: str | None) -> CfdCoefficients | None:
        """What CFD says of a variant: a run of its mesh as it is, or what was published of the design that it is.

        On the study's reference area, or each on the car's own.
        """
        variant = self.study.state.variant(key)
        if variant is None:
            return None
        kept = self.verifications.kept(self.study.state.inputs_of(variant))
        return cfd_of(self.prediction(key).result, kept, variant.origin, self.study.state.conditions)

    def region_drag(self, key: str) -> dict[str, float] | None:
        """Cd by region on the study's reference area, from the fields, adding up to their Cd; None before it is known.

        Has it worked out where nobody has yet; ``layer`` events of ``parts`` tell when it is there.
        """
        result = self.result(key)
        if result is None or result.cd_pressure is None:
            return None
        self.layers.want(PARTS, key)
        parts: RegionDrag | None = self.layers.get(PARTS, key)
        return None if parts is None else parts.shares(result.cd_pressure + result.cd_friction, result.frontal_area)

    def drawn(self, key: str) -> DrawnCar | None:
        """The mesh with its fields where it is in memory."""
        inputs = self._inputs_of(key)
        return None if inputs is None else self.cache.get(inputs)

    # Work

    def focus(self, keys: Iterable[str], neighbours: Iterable[str] = ()) -> None:
        """These are on screen: they come first and stay in memory; then their neighbours."""
        self.predictions.focus(keys, neighbours)

    def verify(self, key: str, preset: str, iterations: int | None = None, *, anew: bool = False) -> None:
        """Start the CFD run of a variant under the study's conditions, or go on with one that was broken off.

        anew: not that one, but another from the start. Raises DrivAerError.
        """
        result = self.prediction(key).result
        if result is None:
            raise DrivAerError("the variant is not predicted yet", fix="wait for its prediction, then verify it")
        self.verifications.start(key, preset, self.study.state.conditions, result.checksum, iterations, anew=anew)

    def look_for_begun(self, key: str) -> None:
        """Whether a CFD run of the variant was begun in another session and can be gone on with; in the background."""
        result = self.prediction(key).result
        if result is not None and self.verifications.of(key) is None:
            look = self.verifications.look_for_begun
            self.jobs.submit("looking for earlier runs", lambda _: look(key, result.checksum), lane="files")

    def export_mesh(self, key: str, target: str | Path) -> Job:
        """Write a variant as STL, OBJ or PLY, in its file's unit and axes: as it is in hand, where it is bent."""
        return self._export(key, Path(target), lambda r, values, path: (export_mesh, r.file, r.reading, values, path))

    def export_fields(self, key: str, target: str | Path) -> Job:
        """Write a variant's Cp and Cf in the format of the suffix; the same shape as ``export_mesh`` writes."""
        return self._export(
            key, Path(target), lambda r, values, path: (export_fields, r.file, r.reading, r.model, values, path)
        )

    def _export(self, key: str, target: Path, asked: Callable[..., tuple]) -> Job:
        inputs, now = self._inputs_of(key), self.morphing.now
        if inputs is None:
            raise KeyError(key)
        in_hand = now is not None and now.key == key and now.is_bent
        values = tuple(sorted(now.changes.items())) if in_hand else values_of(inputs)
        work = asked(inputs, values, absolute(target))

        def done(job: Job) -> None:
            failed = job.state == JOB_FAILED
            text = job.error.line if failed else f"Wrote {target.name}"
            if not failed and job.result:
                text += f": {job.result} faces are turned over; values nearer to neutral keep them sound"
            self._notify(Event("note", text=text, is_passing=not failed and not job.result))

        title = f"writing {target.name}"
        return self.jobs.submit(title, lambda job: self.engine.call(*work), priority=FOCUS, on_end=done)

    def take_hold(self, key: str) -> None:
        """Make a variant ready to be bent in ``morphing``; does nothing before its mesh is in memory."""
        inputs, drawn = self._inputs_of(key), self.drawn(key)
        if inputs is not None and drawn is not None:
            self.morphing.hold(key, inputs, drawn)

    def bend(self, values: Mapping[str, float], *, exact: bool) -> None:
        """Bend what is held, as ``morphing.bend``; once the handles rest, that is an edit which undoes."""
        self.morphing.bend(values, exact=exact)
        now = self.morphing.now
        variant = now and self.study.state.variant(now.key)
        if not exact or not variant:
            return
        rests = dict(now.changes) if now.changes != dict(now.own) else {}
        before = dict(dict(self.study.state.bent).get(now.key, tuple(now.own.items())))
        what = f"{changed_in_words(now, before)} of {variant.name}"
        self.edit(lambda study: study.bend(variant.key, rests, what))

    def keep_bent(self) -> str | None:
        """What is bent becomes a variant of its own; returns its key, or None where nothing is bent."""
        bending = self.morphing.now
        variant = bending and self.study.state.variant(bending.key)
        if not variant or not bending.is_bent:
            return None
        base = self.study.state.variant(variant.morph.base) if variant.morph else variant
        name = f"{(base or variant).name}, {bending.in_words}"
        key = self.study.add_morph(variant.key, name, bending.changes)
        self.morphing.bend(bending.own, exact=False)
        self._after_edit()
        return key

    def retry(self, key: str) -> None:
        """Read and predict again: after an error, or because somebody asks."""
        if variant := self.study.state.variant(key):
            self.predictions.retry(variant)

    def wait(self, timeout: float = 600.0) -> bool:
        """Until nothing is left to do; for scripts. Returns whether it is so."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not self.jobs.active:
                self.settle_baseline()
                return True
            time.sleep(0.02)
        return False

    def watch(self, interval: float = 1.0) -> None:
        """From now on, look for files of the study that are saved again, and for new meshes in the folders opened."""
        self._watch.interval = interval
        self._watch_files()
        self._watch.start()

    def take_in(self, file: str | Path) -> list[str]:
        """A mesh that came into a watched folder joins the study."""
        keys = self.study.add([file])
        self._after_edit()
        return keys

    def close(self) -> None:
        """End all work. The autosaved copy goes: closing is no crash."""
        self._watch.close()
        self.verifications.close()
        self.jobs.close()
        self.reporting.close()
        if self._own_engine:
            self.engine.close()
        if self.autosave:
            self.autosave.close()

    # Inside

    def _inputs_of(self, key: str) -> ResultInputs | None:
        variant = self.study.state.variant(key)
        return None if variant is None else self.study.state.inputs_of(variant)

    def _case_of(self, inputs: ResultInputs) -> Path | None:
        result = self.predictions.of(inputs).result
        return self.verifications.case_of(inputs, result.checksum if result else None)

    def _found_reading(self, inputs: ResultInputs) -> Reading | None:
        """How a file was found to read, by whichever model was asked: another has not answered yet."""
        whichever, result = replace(inputs, model=None), self.predictions.of(inputs).result
        if result and result.unit in METRES:
            self._readings[whichever] = Reading(result.unit, result.up, result.forward)
        return self._readings.get(whichever)

    def _found(self) -> None:
        """A CFD run came to its end: the study has something that its file does not have."""
        self.study.findings += 1
        self._notify(Event("study"))

    def _take_up(self, bent: object) -> None:
        """Variants that were half bent when the study was written; what is no such thing is passed over."""
        taken = []
        for key, values in bent.items() if isinstance(bent, dict) else ():
            variant = self.study.state.variant(key)
            if variant and isinstance(values, dict) and all(isinstance(v, int | float) for v in values.values()):
                self.morphing.left[key, self.study.state.inputs_of(variant)] = dict(values)
                taken.append((key, tuple(sorted(values.items()))))
        self.study.state = replace(self.study.state, bent=tuple(taken))

    def _after_edit(self) -> None:
        """Predict what is new, look at the right files, tell everybody."""
        self.predictions.want_all()
        self.settle_baseline()
        self._watch_files()
        self._notify(Event("study"))

    def _check_files(self, job: Job) -> None:
        """Which files of a study that was opened are gone, and which have another content than when it was saved."""
        from drivaer_app.files import checksum_of

        variants = self.study.state.variants
        for number, variant in enumerate(variants):
            job.report(number / len(variants), variant.name)
            result = self.prediction(variant.key).result
            self.verifications.check(self.study.state.inputs_of(variant))
            if not variant.file.exists():
                self.predictions.is_missing(variant)
            elif result is not None and checksum_of(variant.file) != result.checksum:
                self.predictions.read_again(variant)

    def _watch_files(self) -> None:
        self._watch.files([v.file for v in self.study.state.variants], self._watched_folders)

    def _files_changed(self, files: list[Path]) -> None:
        """Called by the watch: read again what changed, and take in what is new in a watched folder."""
        open_files = {v.file for v in self.study.state.variants}
        for variant in self.study.state.variants:
            if variant.file in files:
                self.predictions.read_again(variant)
        for file in files:
            if file not in open_files and file.parent in self._watched_folders:
                self._notify(Event("appeared", text=str(file)))
