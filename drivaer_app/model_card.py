"""A model's own words about itself."""

from __future__ import annotations

from data.errors import ModelError
from drivaer_app.models import DEFAULT, find_model


def model_card(model: str | None) -> str:
    """The card of a named model (None: the default one) or of a model folder, as Markdown; or a line that says none.

    Reads a text file and no more: the window asks, and must not load networks for it.
    """
    try:
        card = find_model(model) / "card.md"
    except ModelError:
        card = None
    if card and card.is_file():
        return card.read_text("utf-8")
    return f"{model or DEFAULT} comes without a card: nothing is known of what it was trained on."
