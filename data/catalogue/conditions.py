"""Conditions that are chosen rather than typed: a text's value, a number's range, several of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from data.catalogue import where_tree as tree
from data.catalogue.where import Column, Condition
from data.catalogue.where_tree import Node


def equal_to(column: Column, text: str) -> Condition:
    """A text's column has a value, in any case."""
    return _condition(column, tree.comparison(_node(column), "=", tree.constant("text", text, 0, 0)))


def within(column: Column, low: float, high: float) -> Condition:
    """A number's column lies between two values, both included; a missing one does not."""
    at_least = tree.comparison(_node(column), ">=", tree.constant("number", low, 0, 0))
    at_most = tree.comparison(_node(column), "<=", tree.constant("number", high, 0, 0))
    return _condition(column, tree.both(at_least, at_most))


def all_of(conditions: Iterable[Condition]) -> Condition | None:
    """One condition that is true where all are; None of none."""
    given = list(conditions)
    return reduce(_joined, given) if given else None


def _joined(left: Condition, right: Condition) -> Condition:
    return Condition(
        text=f"({left.text}) and ({right.text})",
        sql=f"({left.sql} AND {right.sql})",
        parameters=left.parameters + right.parameters,
        columns=tuple(dict.fromkeys(left.columns + right.columns)),
    )


def _node(column: Column) -> Node:
    return Node(column.kind, column.expression, (), 0, 0)


def _condition(column: Column, node: Node) -> Condition:
    return Condition(column.name, node.sql, node.parameters, (column.name,))
