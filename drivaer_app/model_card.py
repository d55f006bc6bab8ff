"""A model's own words about itself."""

from __future__ import annotations

from pathlib import Path

from drivaer_app.paths import RESOURCES

_DEFAULT = "drivaer"


def model_card(model: str | None) -> str:
    """The card of a bundled model (None: the default one) or of a model folder, as Markdown; or a line that says none.

    Reads a text file and no more: the window asks, and must not load networks for it.
    """
    name = model or _DEFAULT
    for folder in (RESOURCES / "models" / name, Path(name)):
        card = folder / "card.md"
        if card.is_file():
            return card.read_text("utf-8")
    return f"{name} comes without a card: nothing is known of what it was trained on."
