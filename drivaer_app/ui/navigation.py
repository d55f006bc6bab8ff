"""How the mouse moves the camera: turns about a centre that is chosen, zooms to the cursor, pans along with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleUser
from vtkmodules.vtkRenderingCore import vtkCamera, vtkRenderer

_TURN_DEG = 200.0
"""For a drag over the whole height of the window."""
_ZOOM_A_STEP = 1.2
_ZOOM_A_WINDOW = 8.0  # a drag with the right button over the window's height
_STEEPEST_DEG = 89.5
"""Straight down the roof would turn about itself."""
_NEAREST = 0.02  # m between the eye and what it looks at
_FARTHEST = 500.0

Depth = Callable[[int, int], tuple[vtkRenderer | None, np.ndarray | None]]
"""The renderer under a display point, and the place (3,) m of the car's surface there, or None."""


class Navigation(vtkInteractorStyleUser):
    """Drag turns, Shift-drag and middle-drag pan, right-drag and wheel zoom. The car's roof stays up.

    VTK's own styles turn about the focal point and zoom to the middle.
    place_at: what lies under the cursor. changed: called after each movement.
    """

    def __init__(self, camera: vtkCamera, place_at: Depth, changed: Callable[[], None]):
        super().__init__()
        self.centre = np.zeros(3)
        """What is turned about, (3,) m."""
        self._camera, self._place_at, self._changed = camera, place_at, changed
        self._doing: Callable[[int, int, int, int], None] | None = None
        self._grip = np.zeros(3)
        self._zoomed: tuple[tuple[int, ...], np.ndarray] = ((), self._grip)
        self._renderer: vtkRenderer | None = None
        for event, begin in (
            ("LeftButtonPressEvent", self._left),
            ("MiddleButtonPressEvent", lambda: self._begin(self._pan)),
            ("RightButtonPressEvent", lambda: self._begin(self._zoom_by_drag)),
            ("MouseMoveEvent", self._move),
        ):
            self.AddObserver(event, lambda *_, begin=begin: begin())
        for button in ("Left", "Middle", "Right"):
            self.AddObserver(f"{button}ButtonReleaseEvent", lambda *_: self._end())

    @property
    def is_moving(self) -> bool:
        return self._doing is not None

    def zoom_at(self, x: int, y: int, steps: float) -> None:
        """What lies at a display point stays there. steps: of the wheel, nearer above 0."""
        if self._zoomed[0] != (x, y, self._camera.GetMTime()):  # else it lies there still: no need to draw and look
            renderer, place = self._place_at(x, y)
            if renderer is None:
                return
            self._zoomed = (), self._on_focal_plane(renderer, x, y) if place is None else place
        place = self._zoomed[1]
        self._zoom_towards(place, _ZOOM_A_STEP**steps)
        self._zoomed = (x, y, self._camera.GetMTime()), place

    # Beginning and ending

    def _left(self) -> None:
        self._begin(self._pan if self.GetInteractor().GetShiftKey() else self._turn)

    def _begin(self, do: Callable[[int, int, int, int], None]) -> None:
        x, y = self.GetInteractor().GetEventPosition()
        renderer, place = self._place_at(x, y)
        if renderer is None:
            return
        self._renderer, self._doing = renderer, do
        self._grip = self._on_focal_plane(renderer, x, y) if place is None else place

    def _end(self) -> None:
        self._doing = None

    def _move(self) -> None:
        if self._doing is not None:
            x, y = self.GetInteractor().GetEventPosition()
            self._doing(x, y, *self.GetInteractor().GetLastEventPosition())

    # Doing

    def _turn(self, x: int, y: int, last_x: int, last_y: int) -> None:
        height = max(self.GetInteractor().GetRenderWindow().GetSize()[1], 1)
        around, over = ((last - now) * _TURN_DEG / height for now, last in ((x, last_x), (y, last_y)))
        towards = np.subtract(self._camera.GetPosition(), self._camera.GetFocalPoint())
        elevation = np.degrees(np.arcsin(np.clip(towards[2] / np.linalg.norm(towards), -1, 1)))
        over = np.clip(elevation + over, -_STEEPEST_DEG, _STEEPEST_DEG) - elevation
        right = np.cross(self._camera.GetViewUp(), towards)
        turned = vtkTransform()
        turned.PostMultiply()
        turned.Translate(*-self.centre)
        turned.RotateWXYZ(-over, *right)
        turned.RotateZ(around)
        turned.Translate(*self.centre)
        position, focus = (
            turned.TransformPoint(*p) for p in (self._camera.GetPosition(), self._camera.GetFocalPoint())
        )
        self._camera.SetPosition(*position)
        self._camera.SetFocalPoint(*focus)
        # From straight above, the view's own up says which way the nose points; else the roof is up.
        up = turned.TransformVector(*self._camera.GetViewUp()) if abs(elevation) > _STEEPEST_DEG - 0.1 else (0, 0, 1)
        self._camera.SetViewUp(*up)
        self._changed()

    def _pan(self, x: int, y: int, last_x: int, last_y: int) -> None:
        """What was taken hold of stays under the cursor."""
        now, before = (self._at_depth_of_grip(*at) for at in ((x, y), (last_x, last_y)))
        self._shift(before - now)
        self._changed()

    def _zoom_by_drag(self, x: int, y: int, last_x: int, last_y: int) -> None:
        height = max(self.GetInteractor().GetRenderWindow().GetSize()[1], 1)
        self._zoom_towards(self._grip, _ZOOM_A_WINDOW ** ((y - last_y) / height))

    def _zoom_towards(self, place: np.ndarray, factor: float) -> None:
        """Bring all nearer to a place by a factor: on screen, the place stays where it is."""
        position, focus = (np.array(p) for p in (self._camera.GetPosition(), self._camera.GetFocalPoint()))
        away = np.linalg.norm(position - place)
        factor = float(np.clip(factor, away / _FARTHEST, max(away / _NEAREST, 1.0)))
        self._camera.SetPosition(*(place + (position - place) / factor))
        self._camera.SetFocalPoint(*(place + (focus - place) / factor))
        self._camera.SetParallelScale(self._camera.GetParallelScale() / factor)
        self._changed()

    def _shift(self, by: np.ndarray) -> None:
        self._camera.SetPosition(*(np.array(self._camera.GetPosition()) + by))
        self._camera.SetFocalPoint(*(np.array(self._camera.GetFocalPoint()) + by))

    # Between screen and space

    def _at_depth_of_grip(self, x: int, y: int) -> np.ndarray:
        return _world(self._renderer, x, y, _depth_of(self._renderer, self._grip))

    def _on_focal_plane(self, renderer: vtkRenderer, x: int, y: int) -> np.ndarray:
        return _world(renderer, x, y, _depth_of(renderer, np.array(self._camera.GetFocalPoint())))


def _depth_of(renderer: vtkRenderer, place: np.ndarray) -> float:
    renderer.SetWorldPoint(*place, 1.0)
    renderer.WorldToDisplay()
    return renderer.GetDisplayPoint()[2]


def _world(renderer: vtkRenderer, x: float, y: float, depth: float) -> np.ndarray:
    renderer.SetDisplayPoint(x, y, depth)
    renderer.DisplayToWorld()
    world = np.array(renderer.GetWorldPoint())
    return world[:3] / world[3]
