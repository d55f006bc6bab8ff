"""Write ``replay.json``: how far a model's templates are bent to each CFD case (read by `gnn.training.replay`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from data.corpora.case import Case
from factory.morph_generator import COMPUTED, UnmorphedFaces
from factory.morphs import MorphClouds, MorphDesign
from factory.template_fit import shape_modes, shape_of
from gnn.checkpoints import write_text
from gnn.template import Template
from gnn.training.replay import REPLAY


def write_replay(folder: Path, templates: Sequence[Template], cases: Sequence[Case], clouds: MorphClouds) -> None:
    """Find each case's bend of a model folder's templates (one for each of COMPUTED), and keep them with it."""
    bends = {}
    for number, (underbody, template) in enumerate(zip(COMPUTED, templates, strict=True)):
        mean, solve = shape_modes(template)
        faces = UnmorphedFaces.of(clouds.generator, underbody)
        for case in cases:
            if case.underbody == underbody:
                code = solve(shape_of(MorphDesign.of(case), faces, clouds) - mean)
                bends[case.name] = {"template": number, "code": [round(float(c), 4) for c in code]}
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(bend)}" for name, bend in sorted(bends.items()))
    write_text(folder / REPLAY, f"{{\n{rows}\n}}\n")
