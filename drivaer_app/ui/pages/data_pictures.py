"""Pictures in the table of designs: made in the background, and only of the rows that are on screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QPixmap

from drivaer_app.desk.desk import Desk
from drivaer_app.desk.jobs import CANCELLED, DONE, Job
from drivaer_app.desk.predictions import BACKGROUND
from drivaer_app.pictures.thumbnails import draw, look_up
from drivaer_app.ui.pages.data_table import PICTURE, DesignTable
from drivaer_app.ui.pages.data_work import READING, Work
from drivaer_app.ui.widgets import single_shot

_LOOK_AFTER_MS = 150
_LANE = "engine"
"""Meshes are read where predictions are made, after those."""


class DesignPictures(QObject):
    """What was drawn once is found again in the cache."""

    def __init__(self, desk: Desk, table: DesignTable):
        super().__init__()
        self._desk, self._table = desk, table
        self._work = Work(desk.jobs)
        self._catalogue: Path | None = None
        self._without: set[str] = set()
        """Designs that have no shape to draw."""
        self._drawing: dict[str, Job] = {}
        self._looking = single_shot(self, _LOOK_AFTER_MS, self._look)
        table.seen_changed.connect(self._looking.start)

    def show_catalogue(self, path: Path) -> None:
        """Its designs are in the table from now on; what was made of their files may be other files now."""
        self._catalogue = path
        self._stop(set())
        self._without.clear()
        self._table.rows.pictures.clear()
        self._looking.start()

    def stop(self) -> None:
        self._looking.stop()
        self._stop(set())

    def _look(self) -> None:
        seen = self._table.seen_ids() if self._table.shows_pictures else []
        self._stop(set(seen))
        path, known = self._catalogue, self._table.rows.pictures
        wanted = [i for i in seen if i not in known and i not in self._without and i not in self._drawing]
        if path is None or not wanted:
            return

        def found(job: Job) -> None:
            if job.state == DONE and path == self._catalogue:
                self._take(path, job.result)

        self._work.do("looking for pictures", lambda _: look_up(path, wanted), found, lane=READING, priority=BACKGROUND)

    def _take(self, path: Path, places: dict[str, Path | None]) -> None:
        seen = set(self._table.seen_ids())
        for design, place in places.items():
            if place is None:
                self._without.add(design)
            elif place.is_file():
                self._show(design, place)
            elif design in seen and design not in self._drawing:
                self._draw(path, design, place)

    def _draw(self, path: Path, design: str, place: Path) -> None:
        def drawn(job: Job) -> None:
            self._drawing.pop(design, None)
            if path != self._catalogue or job.state == CANCELLED:
                return
            if job.state == DONE:
                self._show(design, place)
            else:
                self._without.add(design)

        work = lambda _: self._desk.engine.call(draw, path, design, place)  # noqa: E731
        self._drawing[design] = self._work.do(f"drawing {design}", work, drawn, lane=_LANE, priority=BACKGROUND)

    def _show(self, design: str, place: Path) -> None:
        picture = QPixmap(str(place))
        if picture.isNull():
            self._without.add(design)
            return
        how = Qt.TransformationMode.SmoothTransformation
        self._table.rows.show_picture(design, picture.scaled(PICTURE, Qt.AspectRatioMode.KeepAspectRatio, how))

    def _stop(self, seen: set[str]) -> None:
        """Nobody waits for those that are out of sight."""
        for design, job in list(self._drawing.items()):
            if design not in seen:
                job.cancel()
