"""The tree that a ``--where`` condition is parsed into: each node is SQL with parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "text", "truth"]

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Node:
    """A part of a condition. sql: with ``?`` for parameters. start, stop: the characters of the text it stands for."""

    kind: Kind
    sql: str
    parameters: tuple[float | str, ...]
    start: int
    stop: int


def constant(kind: Kind, value: float | str, start: int, stop: int) -> Node:
    return Node(kind, "?", (value,), start, stop)


def both(left: Node, right: Node) -> Node:
    """True where both are, false where one is false, else unknown."""
    return _pair("truth", left, f"({left.sql} AND {right.sql})", right)


def either(left: Node, right: Node) -> Node:
    """True where one is, false where both are false, else unknown."""
    return _pair("truth", left, f"({left.sql} OR {right.sql})", right)


def negation(node: Node, start: int) -> Node:
    return Node("truth", f"(NOT {node.sql})", node.parameters, start, node.stop)


def minus(node: Node, start: int) -> Node:
    return Node("number", f"(- {node.sql})", node.parameters, start, node.stop)


def comparison(left: Node, sign: str, right: Node) -> Node:
    """Of two numbers, or of two texts without regard to case."""
    collate = " COLLATE NOCASE" if left.kind == "text" else ""
    return _pair("truth", left, f"({left.sql} {sign} {right.sql}{collate})", right)


def calculation(left: Node, sign: str, right: Node) -> Node:
    first = f"CAST({left.sql} AS REAL)" if sign == "/" else left.sql  # or whole numbers give whole ones
    return _pair("number", left, f"({first} {sign} {right.sql})", right)


def likeness(left: Node, pattern: str, stop: int) -> Node:
    """A text as a pattern has it: % is anything, _ one character."""
    return Node("truth", f"({left.sql} LIKE ?)", (*left.parameters, pattern), left.start, stop)


def membership(left: Node, word: str, stop: int) -> Node:
    """Whether a word stands between the commas of a text; a missing text has none."""
    sql = f"(instr(',' || lower(ifnull({left.sql}, '')) || ',', ',' || lower(?) || ',') > 0)"
    return Node("truth", sql, (*left.parameters, word), left.start, stop)


def absence(left: Node, stop: int, *, wanted: bool) -> Node:
    """Whether a value is missing (wanted) or there."""
    return Node("truth", f"({left.sql} IS {'' if wanted else 'NOT '}NULL)", left.parameters, left.start, stop)


def _pair(kind: Kind, left: Node, sql: str, right: Node) -> Node:
    return Node(kind, sql, left.parameters + right.parameters, left.start, right.stop)
