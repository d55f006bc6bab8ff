"""The tree that a ``--where`` condition is parsed into: each node is SQL with parameters, and a function of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "text", "truth"]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """A part of a condition.

    sql: with ``?`` for parameters. value: of a row, None where that is missing; the same as SQLite's for the sql.
    start, stop: the characters of the text that it stands for.
    """

    kind: Kind
    sql: str
    parameters: tuple[float | str, ...]
    value: Callable[[Row], Any]
    start: int
    stop: int


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CALCULATIONS: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
}


def constant(kind: Kind, value: float | str, start: int, stop: int) -> Node:
    return Node(kind, "?", (value,), lambda row: value, start, stop)


def both(left: Node, right: Node) -> Node:
    """True where both are, false where one is false, else unknown."""

    def value(row: Row) -> bool | None:
        a, b = left.value(row), right.value(row)
        return False if False in (a, b) else None if None in (a, b) else True

    return _pair("truth", left, f"({left.sql} AND {right.sql})", right, value)


def either(left: Node, right: Node) -> Node:
    """True where one is, false where both are false, else unknown."""

    def value(row: Row) -> bool | None:
        a, b = left.value(row), right.value(row)
        return True if True in (a, b) else None if None in (a, b) else False

    return _pair("truth", left, f"({left.sql} OR {right.sql})", right, value)


def negation(node: Node, start: int) -> Node:
    def value(row: Row) -> bool | None:
        truth = node.value(row)
        return None if truth is None else not truth

    return Node("truth", f"(NOT {node.sql})", node.parameters, value, start, node.stop)


def minus(node: Node, start: int) -> Node:
    def value(row: Row) -> float | None:
        number = node.value(row)
        return None if number is None else -number

    return Node("number", f"(- {node.sql})", node.parameters, value, start, node.stop)


def comparison(left: Node, sign: str, right: Node) -> Node:
    """Of two numbers, or of two texts without regard to case."""
    compare = COMPARISONS[sign]

    def value(row: Row) -> bool | None:
        a, b = folded(left.value(row)), folded(right.value(row))
        return None if a is None or b is None else compare(a, b)

    collate = " COLLATE NOCASE" if left.kind == "text" else ""
    return _pair("truth", left, f"({left.sql} {sign} {right.sql}{collate})", right, value)


def calculation(left: Node, sign: str, right: Node) -> Node:
    calculate = _CALCULATIONS[sign]

    def value(row: Row) -> float | None:
        a, b = left.value(row), right.value(row)
        return None if a is None or b is None else calculate(a, b)

    first = f"CAST({left.sql} AS REAL)" if sign == "/" else left.sql  # or whole numbers give whole ones
    return _pair("number", left, f"({first} {sign} {right.sql})", right, value)


def likeness(left: Node, pattern: str, stop: int) -> Node:
    """A text as a pattern has it: % is anything, _ one character."""
    pieces = {"%": ".*", "_": "."}
    shape = re.compile("".join(pieces.get(c, re.escape(c)) for c in re.sub("%+", "%", pattern)), re.I | re.A | re.S)

    def value(row: Row) -> bool | None:
        text = left.value(row)
        return None if text is None else shape.fullmatch(text) is not None

    return Node("truth", f"({left.sql} LIKE ?)", (*left.parameters, pattern), value, left.start, stop)


def membership(left: Node, word: str, stop: int) -> Node:
    """Whether a word stands between the commas of a text; a missing text has none."""

    def value(row: Row) -> bool:
        return folded(word) in folded(left.value(row) or "").split(",")

    sql = f"(instr(',' || lower(ifnull({left.sql}, '')) || ',', ',' || lower(?) || ',') > 0)"
    return Node("truth", sql, (*left.parameters, word), value, left.start, stop)


def absence(left: Node, stop: int, *, wanted: bool) -> Node:
    """Whether a value is missing (wanted) or there."""

    def value(row: Row) -> bool:
        return (left.value(row) is None) is wanted

    return Node("truth", f"({left.sql} IS {'' if wanted else 'NOT '}NULL)", left.parameters, value, left.start, stop)


def folded(value: Any) -> Any:
    """As SQLite's NOCASE compares: ASCII letters alike in both cases."""
    return re.sub("[A-Z]+", lambda m: m[0].lower(), value) if isinstance(value, str) else value


def _pair(kind: Kind, left: Node, sql: str, right: Node, value: Callable[[Row], Any]) -> Node:
    return Node(kind, sql, left.parameters + right.parameters, value, left.start, right.stop)
