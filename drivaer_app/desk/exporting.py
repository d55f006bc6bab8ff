"""Shapes and fields out of a study for other programs: what a variant's file holds, bent as the variant is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drivaer_app.predict import Reading, load, predictor_of

if TYPE_CHECKING:
    from drivaer_app.desk.morphing import Values


def export_mesh(file: Path, reading: Reading, values: Values, target: Path) -> int:
    """Write a mesh file's surface with its handles at ``values``: its own unit, axes, faces and parts.

    Returns how many faces the bending turned over. Raises DrivAerError.
    """
    from data.formats import read_mesh
    from data.load import place_car
    from drivaer_app.shapes.mesh_files import check_written, write_mesh
    from drivaer_app.shapes.morph import Morph, reshaped_file

    check_written(target)
    raw = read_mesh(file)
    if not values:
        write_mesh(target, raw)
        return 0
    morph = Morph.of(place_car(raw, unit=reading.unit, up=reading.up, forward=reading.forward))
    vertices = morph.vertices(dict(values))
    write_mesh(target, reshaped_file(raw, morph.car, vertices))
    return morph.flipped_faces(vertices)


def export_fields(file: Path, reading: Reading, model: str | None, values: Values, target: Path) -> None:
    """Write Cp and Cf on the file's own vertices, in its unit and axes; of a bent car on the bent ones.

    Raises DrivAerError, also for a model that gives no fields.
    """
    from drivaer_app.field_files import write_fields

    car = load(file, reading)
    if values:
        from drivaer_app.shapes.morph import Morph

        car = Morph.of(car).apply(dict(values))
    write_fields(target, predictor_of(model).predict(car).file_fields)
