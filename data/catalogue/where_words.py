"""The words of a ``--where`` condition, and errors that point at one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from data.errors import DrivAerError


class WhereError(DrivAerError):
    """A condition that makes no sense. start, stop: which of its characters are to blame."""

    def __init__(self, what: str, text: str, start: int, stop: int, fix: str = ""):
        super().__init__(what, fix=fix)
        self.text, self.start, self.stop = text, start, max(stop, start + 1)

    @property
    def picture(self) -> str:
        """Two lines: the condition, and carets under the word to blame."""
        first = max(self.start - 60, 0)
        shown = re.sub(r"\s", " ", self.text[first : first + 110])
        return f"{shown}\n{' ' * (self.start - first)}{'^' * min(self.stop - self.start, 110)}"


_Kind = Literal["number", "text", "word", "column", "sign", "end"]


@dataclass(frozen=True)
class Token:
    """A word of the text. kind: ``column`` is one in brackets, ``sign`` also a keyword, in lower case."""

    kind: _Kind
    value: str
    start: int
    stop: int


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |'(?P<single>(?:[^']|'')*)'
    |"(?P<double>(?:[^"]|"")*)"
    |\[(?P<bracket>[^\]]*)\]
    |(?P<word>[^\W\d]\w*)
    |(?P<sign><=|>=|<>|!=|==|&&|\|\||[<>=+\-*/(),!])
    )""",
    re.VERBOSE,
)
_KEYWORDS = ("and", "or", "not", "in", "between", "like", "is", "has", "null", "missing")
_SAME = {"==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not"}


def tokens_of(text: str) -> list[Token]:
    """The words of a text and an ``end``. Raises WhereError for a character or quote that makes no sense."""
    tokens: list[Token] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise _unreadable(text, start)
        kind = found.lastgroup or ""
        value, start = found[kind], found.start(kind)
        if kind in ("single", "double"):
            quote = {"single": "'", "double": '"'}[kind]
            token = Token("text", value.replace(quote * 2, quote), start - 1, found.end())
        elif kind == "bracket":
            token = Token("column", value, start - 1, found.end())
        elif kind == "word" and value.lower() in _KEYWORDS:
            token = Token("sign", value.lower(), start, found.end())
        else:
            known: _Kind = "word" if kind == "word" else "number" if kind == "number" else "sign"
            token = Token(known, _SAME.get(value, value), start, found.end())
        tokens.append(token)
        at = found.end()
    return [*tokens, Token("end", "", len(text.rstrip()), len(text.rstrip()) + 1)]


def _unreadable(text: str, start: int) -> WhereError:
    if text[start] in "'\"":
        return WhereError("this text has no closing quote", text, start, len(text))
    if text[start] == "[":
        return WhereError("this column has no closing bracket", text, start, len(text))
    if text[start].isdigit():
        stop = start + len(re.findall(r"^[\w.]+", text[start:])[0])
        return WhereError(f"'{text[start:stop]}' is no number", text, start, stop, "put texts in quotes")
    return WhereError(f"'{text[start]}' has no meaning here", text, start, start + 1, "put texts in quotes")
