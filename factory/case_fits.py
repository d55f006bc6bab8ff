"""Fits that depend on the cases of morphed DrivAers alone, so that they are kept while the networks change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from data.corpora.case import Case
from factory.labels import (
    COEFFICIENTS,
    DesignFeatures,
    cross_validate,
    cross_validate_sum,
    fit_coefficients,
    ridge,
)
from factory.morphs import MorphClouds, MorphDesign
from factory.template_fit import fit_templates
from gnn.checkpoints import METRICS, ModelFolder
from gnn.evaluation import coefficient_metrics
from gnn.template import Template

_FIGURES = {"cd": ("label fit", "linear fit"), "cl": ("linear fit",), "cross_validation": ("label fit", "linear fit")}


@dataclass(frozen=True, eq=False)
class CaseFits:
    """templates: fitted on the training cases. figures: of the fits on their parameters, as in a model's metrics.json.

    figures: under ``cd`` and ``cl`` those of held-out designs, under ``cross_validation`` of Cd of the training ones.
    """

    templates: Sequence[Template]
    figures: dict[str, dict[str, dict[str, float]]]

    @classmethod
    def of(cls, train: Sequence[Case], test: Sequence[Case], clouds: MorphClouds) -> CaseFits:
        """Some 160 fits of processes: of 900 cases the longest part of making a model on two processors."""
        return cls(fit_templates(train, clouds), _figures(train, test, DesignFeatures(clouds.generator)))

    @classmethod
    def of_model(cls, model: ModelFolder) -> CaseFits:
        """Those that a model was assembled with."""
        metrics = json.loads((model.path / METRICS).read_text("utf-8"))
        figures = {part: {name: metrics[part][name] for name in names} for part, names in _FIGURES.items()}
        return cls(model.templates(), figures)


def _figures(
    train: Sequence[Case], test: Sequence[Case], features: DesignFeatures
) -> dict[str, dict[str, dict[str, float]]]:
    designs, held_out = ([MorphDesign.of(case) for case in cases] for cases in (train, test))
    known, true = (
        np.array([[c.coefficients[name] for name in COEFFICIENTS] for c in cases]) for cases in (train, test)
    )
    linear = ridge(features.parameters(designs), known)(features.parameters(held_out))
    fitted = fit_coefficients(train, features)(held_out)
    return {
        "cd": {
            "label fit": coefficient_metrics(fitted[:, 0], true[:, 0]),
            "linear fit": coefficient_metrics(linear[:, 0], true[:, 0]),
        },
        "cl": {"linear fit": coefficient_metrics(linear[:, 1], true[:, 1])},
        "cross_validation": _cross_validation(train, features),
    }


def _cross_validation(cases: Sequence[Case], features: DesignFeatures) -> dict[str, dict[str, float]]:
    """How far the two fits can be trusted, by 8-fold cross-validation inside the training designs."""
    designs = [MorphDesign.of(c) for c in cases]
    cd = np.array([c.coefficients["cd"] for c in cases])
    parts = features.forces_by_segment(cases)[:, 0]
    return {
        "label fit": coefficient_metrics(
            cross_validate_sum(features.with_roof_line(designs), parts, cd, workers=torch.get_num_threads()), cd
        ),
        "linear fit": coefficient_metrics(cross_validate(features.parameters(designs), cd, ridge), cd),
    }
