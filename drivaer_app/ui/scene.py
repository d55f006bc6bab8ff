"""What one renderer shows: a car coloured by a field, its edges, the ground, a cut, a marked point. VTK, no widgets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyvista
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkLookupTable
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkActor2D,
    vtkCoordinate,
    vtkPolyDataMapper,
    vtkPolyDataMapper2D,
    vtkTextActor,
)

from drivaer_app.desk.layers import LAYERS, PARTS
from drivaer_app.drawn_car import DrawnCar
from drivaer_app.pictures.colours import diverging, to_srgb
from drivaer_app.shapes.drag_by_region import REGIONS
from drivaer_app.ui.overlays import Overlay
from drivaer_app.ui.theme import Colours
from drivaer_app.ui.words import plain

_UNSEEN = (0.55, 0.55, 0.56)


def colour_table(overlay: Overlay, n: int = 256) -> np.ndarray:
    """(n, 3) uint8 sRGB from the low end of the range to the high one."""
    if overlay.signed:
        return to_srgb(diverging(np.linspace(-1, 1, n)))
    table = pyvista.LookupTable("viridis", n_values=n)
    return np.asarray(table.values)[:, :3]


def span_of(overlay: Overlay, span: float) -> tuple[float, float]:
    return (-span, span) if overlay.signed else (0.0, span)


@dataclass(frozen=True, eq=False)
class Probe:
    """A point of the surface. place: (3,) m. cp, cf: None for a model without fields.

    layers: what is known there of drivaer_app.desk.layers, by name.
    """

    place: np.ndarray
    exposed: bool
    cp: float | None
    cf: float | None
    layers: Mapping[str, float] = field(default_factory=dict)


class Pane:
    """One renderer's contents."""

    def __init__(self, renderer):
        self.renderer = renderer
        self.drawn: DrawnCar | None = None
        self.layers: dict[str, np.ndarray] = {}
        self.overlay: Overlay | None = None
        """Its own, where it is not the viewport's."""
        self._mapper = vtkPolyDataMapper()
        self._car = vtkActor()
        self._car.SetMapper(self._mapper)
        self._creases = _lines_actor(1.2)
        self._open = _lines_actor(3.0, (0.85, 0.1, 0.1))
        self._flow = _lines_actor(1.3)
        self._lines: np.ndarray | None = None
        self._grid = _lines_actor(1.0)
        self._outline = _lines_actor(3.0, (1.0, 0.6, 0.1))
        self._marks: list[_Mark] = []
        self.title = ""
        self.moves: np.ndarray | None = None
        """(P,) in 0..1, shown instead of the overlay while it fits the car."""
        self.highlighted: str | None = None
        """Of the parts, the only one in colour."""
        self._title, self._scale = vtkTextActor(), vtkTextActor()
        self._left, self._top = _border((0.001, 0), (0.001, 1)), _border((0, 0.998), (1, 0.998))
        self._cut = vtkPlane()
        self._cut.SetNormal(0, 1, 0)
        for actor in (self._car, self._creases, self._open, self._flow, self._grid, self._outline):
            actor.VisibilityOff()
            renderer.AddActor(actor)
        for actor in (self._creases, self._open, self._flow, self._grid, self._outline):
            actor.PickableOff()
        for prop in (self._title, self._scale, self._left, self._top):
            renderer.AddViewProp(prop)
        self.show_borders(left=False, top=False)
        for text in (self._title.GetTextProperty(), self._scale.GetTextProperty()):
            text.SetFontFamilyToArial()
        self._title.GetTextProperty().BoldOn()
        self._scale.SetInput("grid 1 m")
        self._scale.VisibilityOff()
        self._scale.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        self._scale.SetPosition(0.015, 0.02)
        self._title.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        self._title.SetPosition(0.02, 0.985)
        self._title.GetTextProperty().SetVerticalJustificationToTop()
        self.set_scale(1)
        surface = self._car.GetProperty()
        surface.SetInterpolationToPhong()
        surface.SetAmbient(0.42)
        surface.SetDiffuse(0.70)
        surface.SetSpecular(0.06)
        surface.SetSpecularPower(24)

    def set_colours(self, colours: Colours) -> None:
        r = self.renderer
        r.GradientBackgroundOn()
        r.SetBackground(*_rgb(colours.floor))
        r.SetBackground2(*_rgb(colours.sky))
        self._grid.GetProperty().SetColor(*_rgb(colours.grid))
        self._creases.GetProperty().SetColor(*_rgb(colours.edge))
        self._creases.GetProperty().SetOpacity(0.55)
        self._flow.GetProperty().SetColor(*_rgb(colours.edge))
        self._flow.GetProperty().SetOpacity(0.75)
        self._title.GetTextProperty().SetColor(*_rgb(colours.text))
        self._scale.GetTextProperty().SetColor(*_rgb(colours.dim))

        for border in (self._left, self._top):
            border.GetProperty().SetColor(*_rgb(colours.grid))

    def set_scale(self, scale: int) -> None:
        """For pictures finer than the screen: what is measured in pixels grows along."""
        self._title.GetTextProperty().SetFontSize(17 * scale)
        self._scale.GetTextProperty().SetFontSize(12 * scale)
        for mark in self._marks:
            mark.set_scale(scale)
        for actor, width in ((self._creases, 1.2), (self._open, 3.0), (self._flow, 1.3), (self._grid, 1.0)):
            actor.GetProperty().SetLineWidth(width * scale)

    def show_borders(self, *, left: bool, top: bool) -> None:
        """Lines towards the neighbouring panes."""
        self._left.SetVisibility(left)
        self._top.SetVisibility(top)

    def set_title(self, text: str) -> None:
        self.title = text
        self._title.SetInput(text)

    def show(self, drawn: DrawnCar | None) -> None:
        """Another car, or none. The colours come with ``paint``."""
        if drawn is self.drawn:
            return
        before, self.drawn, self.layers = self.drawn, drawn, {}
        self._car.SetVisibility(drawn is not None)
        self._scale.SetVisibility(drawn is not None)
        if drawn is None:
            for actor in (self._creases, self._open, self._flow, self._grid):
                actor.VisibilityOff()
            return
        if before is not None and before.faces is drawn.faces:  # the same car, bent: what takes long can stay
            mesh = self._mesh
        else:
            mesh = pyvista.PolyData()
            mesh.faces = np.column_stack([np.full(len(drawn.faces), 3, np.int32), drawn.faces]).ravel()
        mesh.points = drawn.points
        normals = numpy_to_vtk(drawn.normals)
        normals.SetName("Normals")
        mesh.GetPointData().SetNormals(normals)
        self._mesh = mesh
        self._mapper.SetInputData(mesh)
        self._creases.GetMapper().SetInputData(_segments(drawn.creases))
        self._open.GetMapper().SetInputData(_segments(drawn.open_edges))
        self._grid.GetMapper().SetInputData(_ground(*drawn.box))
        self._grid.VisibilityOn()

    def paint(self, overlay: Overlay, span: float) -> bool:
        """Colour the car. Returns whether there was what the overlay asks for; else the car is shown plain."""
        if self.drawn is None:
            return False
        values = self._values(overlay)
        self._open.SetVisibility(overlay.name == "health" and len(self.drawn.open_edges) > 0)
        shown = values is not None
        if self.moves is not None and len(self.moves) == len(self.drawn.points):
            values, low, high, colours, shown = self.moves, 0.0, 1.0, _MOVES, True
        elif values is None:
            values, low, high, colours = self.drawn.curvature, -1.0, 1.0, _clay()
        elif overlay.name == "shape":
            low, high, colours = -1.0, 1.0, _clay()
        elif overlay.name == "health":
            low, high, colours = 0.0, 1.0, _HEALTH
        elif overlay.name == PARTS:
            low, high, colours = -0.5, len(REGIONS) - 0.5, part_colours(self.highlighted)
        else:
            (low, high), colours = span_of(overlay, span), colour_table(overlay)
        array = numpy_to_vtk(np.ascontiguousarray(values, np.float32), deep=True)
        array.SetName("shown")
        self._mesh.GetPointData().SetScalars(array)
        self._mapper.SetLookupTable(_lookup(colours, low, high))
        self._mapper.SetScalarRange(low, high)
        self._mapper.UseLookupTableScalarRangeOn()
        self._mapper.SetInterpolateScalarsBeforeMapping(overlay.name != PARTS)  # between two numbers lies no third part
        self._mapper.ScalarVisibilityOn()
        return shown

    def _values(self, overlay: Overlay) -> np.ndarray | None:
        car = self.drawn
        if overlay.name == "shape":
            return car.curvature
        if overlay.name == "health":
            return np.where(car.exposed, 0.0, 1.0)
        if overlay.name in (*LAYERS, PARTS):
            return self.layers.get(overlay.name)
        if not car.has_fields:
            return None
        field = car.cp if overlay.scale == "cp" else np.linalg.norm(car.cf, axis=1)
        return np.where(car.exposed, field, np.nan)

    def show_edges(self, on: bool) -> None:
        self._creases.SetVisibility(on and self.drawn is not None and len(self.drawn.creases) > 0)

    def show_lines(self, lines: np.ndarray | None) -> None:
        """Lines (S, 2, 3) m on the surface; None for none."""
        self._flow.SetVisibility(lines is not None and len(lines) > 0 and self.drawn is not None)
        if lines is not None and lines is not self._lines:
            self._flow.GetMapper().SetInputData(_segments(lines))
        self._lines = lines

    def cut_at(self, y: float | None) -> None:
        """Take away what lies on the car's left side of a plane y (m); None for the whole car."""
        for actor in (self._car, self._creases, self._open, self._flow):
            actor.GetMapper().RemoveAllClippingPlanes()
            if y is not None:
                self._cut.SetOrigin(0, y, 0)
                actor.GetMapper().AddClippingPlane(self._cut)

    def probe(self, place: np.ndarray) -> Probe | None:
        """The drawn point nearest to a place (3,) on the surface, with what is known there."""
        car = self.drawn
        if car is None:
            return None
        offset = car.points - np.asarray(place, np.float32)
        near = int(np.einsum("ij,ij->i", offset, offset).argmin())
        fields = (float(car.cp[near]), float(np.linalg.norm(car.cf[near]))) if car.has_fields else (None, None)
        layers = {name: float(self.layers[name][near]) for name in LAYERS if name in self.layers}
        layers = {name: value for name, value in layers.items() if np.isfinite(value)}
        return Probe(np.asarray(place, float), bool(car.exposed[near]), *fields, layers)

    def outline(self, box: tuple[Sequence[float], Sequence[float]] | None) -> None:
        """Draw the edges of a box, its lowest and highest corner in m of the car frame; None for none."""
        self._outline.SetVisibility(box is not None)
        if box is not None:
            self._outline.GetMapper().SetInputData(_segments(_box_edges(*np.asarray(box, np.float32))))

    def mark(self, marks: Sequence[tuple[str, np.ndarray]], overlay: Overlay) -> None:
        """Points of the surface, each nearest to a place (3,) m of any car, with a label and what colours it there."""
        while len(self._marks) < len(marks):
            self._marks.append(_Mark(self.renderer))
        for mark, given in itertools.zip_longest(self._marks, marks):
            if given is None or self.drawn is None:
                mark.hide()
                continue
            probe = self.probe(self.drawn.points[self.drawn.nearest_seen(given[1])])
            mark.show(probe.place, f"{given[0]} {value_in_words(probe, overlay)}".strip())

    @property
    def mark_texts(self) -> list[str]:
        """What stands beside the marked points that are shown."""
        return [mark.text for mark in self._marks if mark.text]


class _Mark:
    """A dot on the surface and a label beside it."""

    def __init__(self, renderer):
        self._dot, self._label = _marker_actor(), vtkTextActor()
        self._label.GetPositionCoordinate().SetCoordinateSystemToWorld()
        self._label.SetTextScaleModeToNone()
        text = self._label.GetTextProperty()
        text.SetFontFamilyToArial()
        text.BoldOn()
        text.SetColor(0.05, 0.05, 0.05)
        text.SetBackgroundColor(1.0, 0.92, 0.55)
        text.SetBackgroundOpacity(0.85)
        self.set_scale(1)
        renderer.AddActor(self._dot)
        renderer.AddViewProp(self._label)

    def hide(self) -> None:
        self._dot.VisibilityOff()
        self._label.VisibilityOff()

    def show(self, place: np.ndarray, text: str) -> None:
        self._dot.VisibilityOn()
        self._dot.SetPosition(*place)
        self._label.SetVisibility(bool(text))
        self._label.GetPositionCoordinate().SetValue(*(place + [0, 0, 0.04]))
        self._label.SetInput(f" {text} ")

    @property
    def text(self) -> str:
        """What stands beside it; empty while it is not shown."""
        return self._label.GetInput().strip() if self._label.GetVisibility() else ""

    def set_scale(self, scale: int) -> None:
        self._label.GetTextProperty().SetFontSize(14 * scale)


def value_in_words(probe: Probe, overlay: Overlay) -> str:
    """``Cp 0.34``: what colours the car, at a point; Cp where the colours stand for no number."""
    if not probe.exposed:
        return "not in the flow's sight"
    if overlay.name in LAYERS:
        value = probe.layers.get(overlay.name)
        return "" if value is None else f"{overlay.symbol} {plain(value, 3)} {overlay.unit}".rstrip()
    if probe.cp is None:
        return ""
    return f"|Cf| {probe.cf:.4f}" if overlay.name == "cf" else f"Cp {plain(probe.cp, 3)}"


_MOVES = np.linspace((190, 194, 200), (222, 120, 20), 64).astype(np.uint8)
"""From what stays to what a handle moves farthest."""

_PARTS = ("#0072b2", "#56b4e9", "#8c6d31", "#d55e00", "#009e73", "#c7c7c7", "#e69f00", "#cc79a7")
"""Of REGIONS, told apart also without colour vision (Okabe and Ito), the sides in grey."""


def part_colours(highlighted: str | None = None) -> np.ndarray:
    """(R, 3) uint8 of REGIONS; with one highlighted, all others pale."""
    colours = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in _PARTS], np.uint8)
    if highlighted is not None:
        others = [name != highlighted for name in REGIONS]
        colours[others] = 205
    return colours


def _lookup(colours: np.ndarray, low: float, high: float) -> vtkLookupTable:
    table = vtkLookupTable()
    rgba = np.column_stack([colours, np.full(len(colours), 255)]).astype(np.uint8)
    table.SetTable(numpy_to_vtk(rgba, deep=True))
    table.SetRange(low, high)
    table.SetNanColor(*_UNSEEN, 1.0)
    return table


def _clay(n: int = 256) -> np.ndarray:
    """Grey, hollows darker and ridges lighter."""
    t = np.linspace(-1, 1, n)
    light = 168 + 90 * np.sign(t) * np.abs(t) ** 0.5 * np.where(t < 0, 1.0, 0.75)
    return np.clip(np.column_stack([light, light, light + 4]), 0, 255).astype(np.uint8)


_HEALTH = np.array([[176, 180, 186]] * 128 + [[150, 96, 190]] * 128, np.uint8)


def _lines_actor(width: float, colour: tuple[float, float, float] = (0.3, 0.3, 0.3)) -> vtkActor:
    mapper = vtkPolyDataMapper()
    mapper.ScalarVisibilityOff()
    # Lines on the surface are drawn a little towards the viewer, or half of them would drown in it.
    mapper.SetResolveCoincidentTopologyToPolygonOffset()
    mapper.SetRelativeCoincidentTopologyLineOffsetParameters(-1.0, -1.0)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetLineWidth(width)
    actor.GetProperty().SetColor(*colour)
    actor.GetProperty().LightingOff()
    return actor


def _border(start: tuple[float, float], end: tuple[float, float]) -> vtkActor2D:
    """A hairline between two places of the viewport, 0..1 each way."""
    place = vtkCoordinate()
    place.SetCoordinateSystemToNormalizedViewport()
    mapper = vtkPolyDataMapper2D()
    mapper.SetInputData(_segments(np.array([[(*start, 0), (*end, 0)]], np.float32)))
    mapper.SetTransformCoordinate(place)
    actor = vtkActor2D()
    actor.SetMapper(mapper)
    return actor


def _marker_actor() -> vtkActor:
    source = vtkSphereSource()
    source.SetRadius(0.018)
    source.SetThetaResolution(20)
    source.SetPhiResolution(20)
    mapper = vtkPolyDataMapper()
    mapper.SetInputConnection(source.GetOutputPort())
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.PickableOff()
    actor.GetProperty().SetColor(1.0, 0.85, 0.1)
    return actor


def _box_edges(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(12, 2, 3) the edges of a box."""
    corners = np.array([[(low, high)[k][axis] for axis, k in enumerate(which)] for which in np.ndindex(2, 2, 2)])
    pairs = [(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit]
    return corners[np.array(pairs)].astype(np.float32)


def _segments(segments: np.ndarray) -> pyvista.PolyData:
    mesh = pyvista.PolyData()
    if len(segments):
        mesh.points = segments.reshape(-1, 3)
        ends = np.arange(2 * len(segments), dtype=np.int32).reshape(-1, 2)
        mesh.lines = np.column_stack([np.full(len(ends), 2, np.int32), ends]).ravel()
    return mesh


def _ground(low: np.ndarray, high: np.ndarray) -> pyvista.PolyData:
    """A grid with a line each metre at z = 0, a little larger than the car."""
    x = np.arange(np.floor(low[0] - 0.5), np.ceil(high[0] + 0.5) + 1)
    y = np.arange(np.floor(low[1] - 0.5), np.ceil(high[1] + 0.5) + 1)
    along = [[(a, y[0], 0), (a, y[-1], 0)] for a in x]
    across = [[(x[0], b, 0), (x[-1], b, 0)] for b in y]
    return _segments(np.array(along + across, np.float32))


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
