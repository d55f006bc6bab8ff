"""Licences of the corpora in a catalogue: a model that is trained on them is bound by them."""

from __future__ import annotations

import json

from data.catalogue.store import Catalogue
from data.corpora import drivaernet, licence_of


def licences_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Of the published corpora whose designs it knows, and what was accepted for other files that were fetched."""
    corpora = catalogue.connection.execute("SELECT DISTINCT corpus FROM designs ORDER BY 1").fetchall()
    found = [text for (corpus,) in corpora if (text := licence_of(corpus))]
    for entry in json.loads(catalogue.fact("licence_accepted") or "[]"):
        text = entry["licence"]
        if text == drivaernet.LICENCE_TEXT:
            text = licence_of(drivaernet.NAME) or text
        if not any(known.startswith(text) for known in found):
            found.append(text)
    return tuple(dict.fromkeys(found))
