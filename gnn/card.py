"""``card.md``: what a model was trained on and how good it is, written from its metrics and never by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnn.checkpoints import CARD, METRICS, write_text
from gnn.model_config import ModelConfig


def write_card(
    folder: Path, config: ModelConfig, metrics: Mapping[str, Any], lead: str, sections: Mapping[str, str], licence: str
) -> None:
    """Write ``metrics.json`` and the card of a model that is stored in ``folder``.

    lead: what the model is, a sentence or two. sections: title and Markdown of each. licence: of the weights, where no
    published corpus binds them.
    """
    made = f"This card is written by `{config.made_by}` from `{METRICS}`; do not edit it."
    parts = [f"# {config.name}", f"{lead}\n{made}"]
    parts += [f"## {title}\n{text}" for title, text in {**sections, "Licence": _licence(config, licence)}.items()]
    write_text(folder / METRICS, json.dumps(metrics, indent=1) + "\n")
    write_text(folder / CARD, "\n\n".join(part.rstrip() for part in parts) + "\n")


def _licence(config: ModelConfig, licence: str) -> str:
    if not config.licences:
        return licence
    bound = f"It learnt from published corpora, whose terms bind the weights too: {'; '.join(config.licences)}."
    return f"{bound}\n{licence}"
