"""The font of PDFs, embedded in them: DejaVu Sans, with Latin, Greek, Cyrillic, Arabic and signs."""

from __future__ import annotations

from functools import lru_cache

from drivaer_app.paths import RESOURCES

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"


def writable(text: str) -> str:
    """The text with what the font has no sign for as its code: a name stays one that can be told from others."""
    known = _glyphs()
    return "".join(c if ord(c) in known else f"‹{ord(c):X}›" for c in text)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    register_fonts()
    return frozenset(pdfmetrics.getFont(FONT).face.charToGlyph)


@lru_cache(maxsize=1)
def register_fonts() -> None:
    """Make the fonts known to reportlab."""
    from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (FONT, BOLD):
        registerFont(TTFont(name, RESOURCES / "fonts" / f"{name}.ttf"))
    registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)
