"""A designer's desk without its window: a study, its predictions in the background, what is in focus.

Whatever the window does it does through this; a script can do the same:

    desk = Desk()
    keys = desk.open(["variants/"])
    desk.wait()
    print({v.name: desk.result(v.key).cd for v in desk.study.state.variants})
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.errors import DrivAerError, MeshError
from data.formats import find_meshes
from drivaer_app.autosave import Autosave
from drivaer_app.compare import PressureDifference, pressure_difference
from drivaer_app.drag_along import DragAlong
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.engine import Engine
from drivaer_app.examine import Examined, examine, warm_up
from drivaer_app.jobs import CANCELLED, Job, Jobs
from drivaer_app.memory import Memory
from drivaer_app.morphing import Morphing, values_of
from drivaer_app.results import Difference, Result
from drivaer_app.study import Recipe, Study, StudyState, Variant, absolute
from drivaer_app.study_file import SUFFIX, SavedStudy, SavedVariant, find_moved, read_study, write_study
from drivaer_app.watch import Watch

_log = logging.getLogger(__name__)

WAITING, WORKING, DONE, FAILED, MISSING = "waiting", "working", "done", "failed", "missing"

_FOCUS, _COMPARED, _NEIGHBOUR, _BACKGROUND = 0, 1, 2, 10


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of a recipe. status: waiting, working, done, failed or missing.

    result: of the file as it is, or as the study was saved. previous: of the file before it was saved again.
    error: why there is no result, one line. thumbnail: (h, w, 3) uint8. doing: the present step. changed: the file was
    saved again while it was open.
    """

    status: str = WAITING
    result: Result | None = None
    previous: Result | None = None
    drag: DragAlong | None = None
    thumbnail: np.ndarray | None = None
    error: str = ""
    doing: str = ""
    fraction: float = 0.0
    changed: bool = False


@dataclass(frozen=True)
class Event:
    """Something that a face shows.

    kind: ``study`` (any edit), ``standing`` (key's), ``drawn`` (key's mesh is there), ``difference`` (of key), ``job``,
    ``bent`` (there is more to know of key in ``morphing``),
    ``watched`` (key's file was saved again), ``appeared`` (a mesh in a watched folder, its path in text), ``note``.
    """

    kind: str
    key: str = ""
    text: str = ""
    job: Job | None = None


class Desk:
    """notify: called with every Event, from any thread. memory_mb: for meshes and fields that are not in focus."""

    def __init__(
        self,
        notify: Callable[[Event], None] = lambda event: None,
        *,
        engine: Engine | None = None,
        memory_mb: int = 1024,
        autosave: Autosave | None = None,
    ):
        self.study = Study()
        self.jobs = Jobs(lambda job: self._notify(Event("job", job=job)))
        self.engine = engine or Engine()
        self.memory = Memory(memory_mb << 20)
        self.autosave = autosave
        self.focused: tuple[str, ...] = ()
        self.morphing = Morphing(self.engine, self.jobs, lambda key: self._notify(Event("bent", key)))
        self._own_engine = engine is None
        self._notify = notify
        self._lock = threading.RLock()
        self._standings: dict[Recipe, Standing] = {}
        self._examining: dict[Recipe, Job] = {}
        self._watch = Watch(self._files_changed)
        self._watched_folders: tuple[Path, ...] = ()
        self._autosaved: StudyState | None = None

    # Opening, saving

    def warm_up(self) -> None:
        """Load libraries and the model while nothing else is asked for."""
        self.jobs.submit("loading the model", lambda job: self._call(job, warm_up, self.study.state.model))

    def open(self, paths: Iterable[str | Path]) -> list[str]:
        """Meshes, folders of meshes, or one study. Returns the keys of the variants, in order.

        Raises DrivAerError for a folder without meshes and for a study that cannot be read.
        """
        paths = [Path(path) for path in paths]
        studies = [path for path in paths if path.suffix.lower() == SUFFIX]
        if studies:
            self.open_study(studies[0])
            return [v.key for v in self.study.state.variants]
        files = [file for path in paths for file in (find_meshes(path) if path.is_dir() else [path])]
        folders = [absolute(path) for path in paths if path.is_dir()]
        self._watched_folders = tuple(dict.fromkeys([*self._watched_folders, *folders]))
        keys = self.study.add(files)
        self._after_edit()
        return keys

    def open_study(self, path: str | Path) -> None:
        """Put another study in the place of the present one. Raises DrivAerError."""
        self.restore(read_study(path), absolute(path))
        self.study.mark_saved()

    def restore(self, saved: SavedStudy, file: Path | None) -> None:
        """The same from memory. file: where it is saved to from now on."""
        self._forget_jobs()
        self._watched_folders = ()
        self.study = Study(saved.state, file, dict(saved.view))
        with self._lock:
            for variant in saved.state.variants:
                kept = saved.kept.get(variant.key, SavedVariant())
                done = WAITING if kept.result is None else DONE
                recipe = saved.state.recipe(variant)
                self._standings[recipe] = Standing(done, kept.result, kept.previous, None, kept.thumbnail)
        self._after_edit()
        self.jobs.submit("checking the files", self._check_files, lane="files")

    def new(self) -> None:
        """An empty study."""
        self._forget_jobs()
        self.study = Study()
        self._watched_folders = ()
        self._after_edit()

    def save(self, path: str | Path | None = None) -> None:
        """Write the study. Blocks; a face does it in ``jobs``. Raises DrivAerError."""
        target = self.study.file if path is None else absolute(path)
        if target is None:
            raise DrivAerError("the study has no file yet", fix="save it under a name")
        if target.suffix.lower() != SUFFIX:
            target = target.with_name(target.name + SUFFIX)
        saved = self.saved()
        write_study(target, saved)
        self.study.file = target
        self.study.mark_saved(saved.state)
        if self.autosave:
            self.autosave.clear()
        self._notify(Event("study"))

    def saved(self) -> SavedStudy:
        """The study as it would be written now."""
        state = self.study.state
        kept = {}
        for variant in state.variants:
            s = self.standing(variant.key)
            kept[variant.key] = SavedVariant(s.result, s.previous, s.thumbnail)
        return SavedStudy(state, kept, dict(self.study.view), self.study.file)

    def autosave_now(self) -> None:
        """Keep the study aside where it has changed since the last time. Blocks."""
        if self.autosave and self.study.is_changed and self._autosaved is not self.study.state:
            saved = self.saved()
            self.autosave.write(saved)
            self._autosaved = saved.state

    def find_moved(self, folder: str | Path) -> list[str]:
        """Look below a folder for the files that are missing; returns the keys of those found."""
        missing = {v.key: v.file for v in self.study.state.variants if self.standing(v.key).status == MISSING}
        sums = {key: s.result.checksum for key in missing if (s := self.standing(key)).result}
        found = find_moved(missing, sums, folder)
        for key, file in found.items():
            old = self.standing(key)
            self.study.set_file(key, file)
            self._put(self._recipe(key), replace(old, status=DONE if old.result else WAITING, error=""))
        if found:
            self._after_edit()
        return list(found)

    # Edits

    def edit(self, change: Callable[[Study], object]) -> None:
        """Any of Study's edits: ``desk.edit(lambda study: study.rename(key, "low nose"))``."""
        change(self.study)
        self._after_edit()

    def undo(self) -> None:
        self.edit(Study.undo)

    def redo(self) -> None:
        self.edit(Study.redo)

    # What is known

    def standing(self, key: str) -> Standing:
        variant = self.study.state.variant(key)
        if variant is None:
            return Standing()
        with self._lock:
            return self._standings.get(self.study.state.recipe(variant), Standing())

    def result(self, key: str | None) -> Result | None:
        """On the study's conditions."""
        result = self.standing(key).result if key else None
        return None if result is None else result.on(self.study.state.conditions)

    def difference(self, key: str) -> Difference | None:
        """To the baseline; None where either is not known yet, and for the baseline itself."""
        baseline = self.study.state.baseline
        mine, its = self.result(key), self.result(baseline)
        return None if key == baseline or mine is None or its is None else Difference.of(mine, its)

    def drawn(self, key: str) -> DrawnCar | None:
        """The mesh with its fields where it is in memory."""
        recipe = self._recipe(key)
        return None if recipe is None else self.memory.get(recipe)

    def pressure_difference(self, key: str, other: str) -> PressureDifference | None:
        """Cp of one minus that of the other where it was worked out; ``work_out_difference`` does."""
        return self.memory.get(("difference", self._recipe(key), self._recipe(other)))

    # Work

    def focus(self, keys: Iterable[str], neighbours: Iterable[str] = ()) -> None:
        """These are on screen: they come first and stay in memory; then their neighbours."""
        self.focused = tuple(keys)
        near = list(neighbours)
        held = [recipe for key in [*self.focused, *near] if (recipe := self._recipe(key))]
        self.memory.hold(held)
        for recipe, job in list(self._examining.items()):
            if recipe not in held:
                self.jobs.prioritise(job, _BACKGROUND)
        for priority, keys in ((_FOCUS, self.focused), (_NEIGHBOUR, near)):
            for key in keys:
                self._want(key, priority, drawn=True)

    def work_out_difference(self, key: str, other: str) -> None:
        """In the background: where the pressure differs. An Event says when it is there."""
        a, b = self.drawn(key), self.drawn(other)
        name = ("difference", self._recipe(key), self._recipe(other))
        if a is None or b is None or not (a.has_fields and b.has_fields) or name in self.memory:
            return

        def work(job: Job) -> None:
            found = self.engine.call(pressure_difference, a, b)
            self.memory.put(name, found, found.n_bytes)
            self._notify(Event("difference", key))

        self.jobs.submit("comparing the pressure", work, priority=_COMPARED)

    def take_hold(self, key: str) -> None:
        """Make a variant ready to be bent in ``morphing``; does nothing before its mesh is in memory."""
        recipe, drawn = self._recipe(key), self.drawn(key)
        if recipe is not None and drawn is not None:
            self.morphing.hold(key, recipe, drawn)

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
        recipe = self._recipe(key)
        if recipe:
            old = self.standing(key)
            self._put(recipe, replace(old, status=WAITING, error=""))
            self.memory.forget(recipe)
            self._want(key, _FOCUS, drawn=True)

    def wait(self, timeout: float = 600.0) -> bool:
        """Until nothing is left to do; for scripts. Returns whether it is so."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not self.jobs.active:
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
        self.jobs.close()
        if self._own_engine:
            self.engine.close()
        if self.autosave:
            self.autosave.close()

    # Inside

    def _recipe(self, key: str) -> Recipe | None:
        variant = self.study.state.variant(key)
        return None if variant is None else self.study.state.recipe(variant)

    def _after_edit(self) -> None:
        """Predict what is new, drop what nobody wants any more, look at the right files."""
        state = self.study.state
        recipes = {state.recipe(v) for v in state.variants}
        for recipe, job in list(self._examining.items()):
            if recipe not in recipes:
                job.cancel()
        for number, variant in enumerate(state.variants):
            self._want(variant.key, _BACKGROUND + number, drawn=False)
        for key in self.focused:
            self._want(key, _FOCUS, drawn=True)
        self._watch_files()
        self._notify(Event("study"))

    def _want(self, key: str, priority: int, *, drawn: bool) -> None:
        """See to it that a variant's result is, or will be, there; with ``drawn`` its mesh as well."""
        recipe = self._recipe(key)
        standing = self.standing(key)
        if recipe is None or standing.status in (FAILED, MISSING):
            return
        there = recipe in self.memory
        if there if drawn else standing.result is not None and standing.status == DONE:
            if there and drawn:
                self._notify(Event("drawn", key))
            return
        with self._lock:
            job = self._examining.get(recipe)
            if job is not None and not job.is_cancelled:
                if priority < job.priority:
                    self.jobs.prioritise(job, priority)
                return
            variant = self.study.state.variant(key)
            self._examining[recipe] = self.jobs.submit(
                f"predicting {variant.name}",
                lambda job: self._examine(job, recipe),
                priority=priority,
                on_end=lambda job: self._examined(job, recipe),
            )

    def _examine(self, job: Job, recipe: Recipe) -> Examined:
        self._put(recipe, replace(self._standing_of(recipe), status=WORKING, error="", doing="reading"))
        return self._call(job, examine, recipe.file, recipe.reading, recipe.model, values_of(recipe), recipe=recipe)

    def _call(self, job: Job, function: Callable, *arguments, recipe: Recipe | None = None):
        def report(fraction: float, doing: str) -> None:
            job.report(fraction, doing)
            if recipe:
                self._put(recipe, replace(self._standing_of(recipe), doing=doing, fraction=fraction))

        return self.engine.call(function, *arguments, report=report)

    def _examined(self, job: Job, recipe: Recipe) -> None:
        with self._lock:
            if self._examining.get(recipe) is job:
                del self._examining[recipe]
        old = self._standing_of(recipe)
        if job.state == CANCELLED:
            self._put(recipe, replace(old, status=DONE if old.result else WAITING, doing=""))
            return
        if job.error is not None:
            if isinstance(job.error, MeshError) and not recipe.file.exists():
                self._put(recipe, _missing(old, recipe.file))
            else:
                self._put(recipe, replace(old, status=FAILED, error=job.error.line, doing=""))
            return
        done: Examined = job.result
        job.result = None  # the job list must not keep meshes alive
        previous = old.previous
        if old.result is not None and old.result.checksum != done.result.checksum:
            previous = old.result
        wanted = any(self._recipe(key) == recipe for key in self.focused)
        self.memory.put(recipe, done.drawn, done.drawn.n_bytes, displace=wanted or job.priority <= _NEIGHBOUR)
        self._put(recipe, Standing(DONE, done.result, previous, done.drag, done.thumbnail, changed=old.changed))
        for key in self.study.state.keys_of(recipe):
            self._notify(Event("drawn", key))

    def _standing_of(self, recipe: Recipe) -> Standing:
        with self._lock:
            return self._standings.get(recipe, Standing())

    def _put(self, recipe: Recipe, standing: Standing) -> None:
        with self._lock:
            self._standings[recipe] = standing
        for key in self.study.state.keys_of(recipe):
            self._notify(Event("standing", key))

    def _forget_jobs(self) -> None:
        for job in list(self._examining.values()):
            job.cancel()
        self.focused = ()

    def _check_files(self, job: Job) -> None:
        """Which files of a study that was opened are gone, and which have another content than when it was saved."""
        from drivaer_app.examine import checksum_of

        variants = self.study.state.variants
        for number, variant in enumerate(variants):
            job.report(number / len(variants), variant.name)
            standing, recipe = self.standing(variant.key), self.study.state.recipe(variant)
            if not variant.file.exists():
                self._put(recipe, _missing(standing, variant.file))
            elif standing.result is not None and checksum_of(variant.file) != standing.result.checksum:
                self._reread(variant)

    def _watch_files(self) -> None:
        self._watch.files([v.file for v in self.study.state.variants], self._watched_folders)

    def _files_changed(self, files: list[Path]) -> None:
        """Called by the watch: read again what changed, and take in what is new in a watched folder."""
        open_files = {v.file for v in self.study.state.variants}
        for variant in self.study.state.variants:
            if variant.file in files:
                self._reread(variant)
        for file in files:
            if file not in open_files and file.parent in self._watched_folders:
                self._notify(Event("appeared", text=str(file)))

    def _reread(self, variant: Variant) -> None:
        recipe = self.study.state.recipe(variant)
        self.memory.forget(recipe)
        old = self._standing_of(recipe)
        self._put(recipe, replace(old, status=WAITING, error="", changed=True))
        self._notify(Event("watched", variant.key))
        focused = variant.key in self.focused
        self._want(variant.key, _FOCUS if focused else _NEIGHBOUR, drawn=True)


def _missing(standing: Standing, file: Path) -> Standing:
    return replace(standing, status=MISSING, error=f"{file}: is not there any more", doing="")
