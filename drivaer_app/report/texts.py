"""Names and sentences as reports can hold them."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text in one line without what terminals and XML choke on; nothing else of it is lost."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def shortened(text: str, length: int) -> str:
    """The text, its middle left out where it is longer."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2 - 1]}…{text[-(length - length // 2) :]}"
