"""The language of ``--where``: ``style = 'fastback' and cd < 0.24``.

Conditions on columns, joined by ``and``, ``or``, ``not`` and parentheses:

    cd < 0.24, 0.2 <= cd < 0.3, cd * area > 0.6, cd between 0.2 and 0.3
    style = 'fastback', style in ('fastback', 'estate'), id like 'F_D%', tags has 'good', cl is missing

Texts stand in single or double quotes and are compared without regard to case, as are column names. A column whose name
is no plain word stands in [brackets]. A comparison with a missing value is not true.

A text is parsed into SQL: every value of it becomes a parameter and every column is one of those that were allowed, so
there is nothing to inject into. Rows in memory are put into a table of SQLite's first (drivaer_app.report.where).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from data.catalogue import where_tree as tree
from data.catalogue.where_tree import COMPARISONS, Node
from data.catalogue.where_words import Token, WhereError, tokens_of

__all__ = ["Column", "Condition", "WhereError", "parse_where"]

_MOST_CHARACTERS, _DEEPEST = 10_000, 60


@dataclass(frozen=True)
class Column:
    """A column that may be asked for. kind: number | text. sql: the expression for it; its quoted name unless given."""

    name: str
    kind: Literal["number", "text"]
    sql: str = ""

    @property
    def expression(self) -> str:
        return self.sql or '"' + self.name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Condition:
    """A parsed condition. sql: an expression with ``?`` for its parameters. columns: names of those it asks for."""

    text: str
    sql: str
    parameters: tuple[float | str, ...]
    columns: tuple[str, ...]


def parse_where(text: str, columns: Sequence[Column]) -> Condition:
    """Parse a condition on the given columns. Raises WhereError, which points at the word that is wrong."""
    if len(text) > _MOST_CHARACTERS:
        raise WhereError(f"the condition is longer than {_MOST_CHARACTERS} characters", text, 0, 1)
    parser = _Parser(text, columns)
    node = parser.whole()
    return Condition(text, node.sql, node.parameters, tuple(dict.fromkeys(parser.used)))


class _Parser:
    """Recursive descent, one method a level of precedence, loosest first."""

    def __init__(self, text: str, columns: Sequence[Column]):
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        self.columns = {column.name.lower(): column for column in columns}
        self.used: list[str] = []

    def whole(self) -> Node:
        if self.tokens[0].kind == "end":
            raise WhereError("the condition is empty", self.text, 0, 1, "such as cd < 0.24")
        node = self._or()
        token = self._peek()
        if token.kind != "end":
            raise self._unexpected(token)
        return self._truth(node)

    def _peek(self) -> Token:
        return self.tokens[self.at]

    def _take(self, *signs: str) -> Token | None:
        """The next token where it is one of the signs."""
        token = self._peek()
        if token.kind == "sign" and token.value in signs:
            self.at += 1
            return token
        return None

    def _expect(self, sign: str) -> Token:
        token = self._take(sign)
        if token is None:
            found = self._peek()
            after = "the end" if found.kind == "end" else f"'{self.text[found.start : found.stop]}'"
            if found.kind == "number" and sign == ")":
                raise self._error(f"expected ) before {after}", found, "decimals have a point, as in 0.24")
            raise self._error(f"expected {sign} before {after}", found)
        return token

    def _error(self, what: str, at: Token | Node, fix: str = "") -> WhereError:
        return WhereError(what, self.text, at.start, at.stop, fix)

    def _unexpected(self, token: Token) -> WhereError:
        if token.kind == "end":
            return self._error("something is missing at the end", token)
        shown = self.text[token.start : token.stop]
        fix = "join conditions by and, or"
        if token.value == ",":
            fix = "decimals have a point, as in 0.24"
        elif token.kind == "sign" and token.value in COMPARISONS:
            fix = ""
        return self._error(f"did not expect {shown} here", token, fix)

    def _truth(self, node: Node) -> Node:
        if node.kind != "truth":
            shown = self.text[node.start : node.stop]
            raise self._error(f"{shown} is a {node.kind}, not a condition", node, "compare it, as in cd < 0.24")
        return node

    def _or(self) -> Node:
        return self._joined("or", self._and, tree.either)

    def _and(self) -> Node:
        return self._joined("and", self._not, tree.both)

    def _joined(self, word: str, part: Callable[[], Node], join: Callable[[Node, Node], Node]) -> Node:
        first = part()
        if not self._take(word):
            return first
        nodes = [self._truth(first), self._truth(part())]
        while self._take(word):
            nodes.append(self._truth(part()))
        return _balanced(nodes, join)

    def _not(self) -> Node:
        token = self._take("not")
        if token is None:
            return self._comparison()
        self._deeper(token)
        node = self._truth(self._not())
        self.depth -= 1
        return tree.negation(node, token.start)

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._error("the condition is nested too deeply", token)

    def _comparison(self) -> Node:
        left = self._sum()
        if sign := self._take(*COMPARISONS):
            right = self._sum()
            node, depth = self._compared(left, sign.value, right), self.depth
            while sign := self._take(*COMPARISONS):  # 0.2 < cd < 0.3
                self._deeper(sign)
                last, right = right, self._sum()
                node = tree.both(node, self._compared(last, sign.value, right))
            self.depth = depth
            return node
        negated = self._take("not")
        for word, method in (("between", self._between), ("in", self._in), ("like", self._like), ("has", self._has)):
            if self._take(word):
                node = method(left)
                return tree.negation(node, left.start) if negated else node
        if negated:
            raise self._error("expected between, in, like or has after not", self._peek())
        return self._is(left) if self._take("is") else left

    def _compared(self, left: Node, sign: str, right: Node) -> Node:
        for node in (left, right):
            if node.kind == "truth":
                raise self._error("a condition cannot be compared", node, "join conditions by and, or")
        if left.kind != right.kind:
            shown = {node.kind: self.text[node.start : node.stop] for node in (left, right)}
            quoted = "?" in (left.sql, right.sql) and shown["text"][:1] in "'\""
            fix = "write it without quotes" if quoted else "put texts in quotes"
            raise self._error(f"{shown['number']} is a number and {shown['text']} a text", right, fix)
        return tree.comparison(left, sign, right)

    def _between(self, left: Node) -> Node:
        low = self._sum()
        self._expect("and")
        return tree.both(self._compared(left, ">=", low), self._compared(left, "<=", self._sum()))

    def _in(self, left: Node) -> Node:
        self._expect("(")
        nodes = [self._compared(left, "=", self._sum())]
        while self._take(","):
            nodes.append(self._compared(left, "=", self._sum()))
        self._expect(")")
        return _balanced(nodes, tree.either)

    def _like(self, left: Node) -> Node:
        pattern = self._quoted(left, "like", "'F_D%' (% for anything, _ for one character)")
        return tree.likeness(left, pattern.value, pattern.stop)

    def _has(self, left: Node) -> Node:
        word = self._quoted(left, "has", "'good'")
        return tree.membership(left, word.value, word.stop)

    def _quoted(self, left: Node, word: str, example: str) -> Token:
        if left.kind != "text":
            raise self._error(f"{word} is for texts, and this is a {left.kind}", left)
        token = self._peek()
        if token.kind != "text":
            raise self._error(f"{word} wants a text in quotes", token, f"such as {example}")
        self.at += 1
        return token

    def _is(self, left: Node) -> Node:
        negated = self._take("not")
        word = self._take("null", "missing")
        if word is None:
            raise self._error("expected missing or null after is", self._peek())
        return tree.absence(left, word.stop, wanted=negated is None)

    def _sum(self) -> Node:
        return self._calculated(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._calculated(("*", "/"), self._signed)

    def _calculated(self, signs: tuple[str, ...], part: Callable[[], Node]) -> Node:
        node, depth = part(), self.depth
        while sign := self._take(*signs):
            self._deeper(sign)
            node = tree.calculation(self._number(node), sign.value, self._number(part()))
        self.depth = depth
        return node

    def _number(self, node: Node) -> Node:
        if node.kind != "number":
            raise self._error(f"{self.text[node.start : node.stop]} is no number to calculate with", node)
        return node

    def _signed(self) -> Node:
        token = self._take("-", "+")
        if token is None:
            return self._operand()
        self._deeper(token)
        node = self._number(self._signed())
        self.depth -= 1
        return tree.minus(node, token.start) if token.value == "-" else node

    def _operand(self) -> Node:
        token = self._peek()
        self.at += 1
        if token.kind == "number":
            return tree.constant("number", float(token.value), token.start, token.stop)
        if token.kind == "text":
            return tree.constant("text", token.value, token.start, token.stop)
        if token.kind in ("word", "column"):
            return self._column(token)
        if token.value == "(":
            self._deeper(token)
            node = self._or()
            self._expect(")")
            self.depth -= 1
            return node
        self.at -= 1
        raise self._unexpected(token)

    def _column(self, token: Token) -> Node:
        column = self.columns.get(token.value.lower())
        if column is None:
            raise self._unknown(token)
        self.used.append(column.name)
        return Node(column.kind, column.expression, (), token.start, token.stop)

    def _unknown(self, token: Token) -> WhereError:
        near = difflib.get_close_matches(token.value.lower(), self.columns, n=3, cutoff=0.5)
        names = [self.columns[name].name for name in near]
        before = self.tokens[self.at - 2] if self.at > 1 else None
        if not names and before is not None and before.value in (*COMPARISONS, "(", ","):
            return self._error(f"there is no column {token.value}", token, f"a text is in quotes: '{token.value}'")
        return self._error(f"there is no column {token.value}", token, _suggestion(names, self.columns))


def _balanced(nodes: Sequence[Node], join: Callable[[Node, Node], Node]) -> Node:
    """Many nodes as a tree of little depth: SQLite's has a limit."""
    if len(nodes) == 1:
        return nodes[0]
    middle = len(nodes) // 2
    return join(_balanced(nodes[:middle], join), _balanced(nodes[middle:], join))


def _suggestion(near: Sequence[str], columns: Mapping[str, Column]) -> str:
    if near:
        return f"did you mean {' or '.join(near)}?"
    names = [column.name for column in columns.values()]
    return f"the columns are {', '.join(names[:20])}" + (" and more" if len(names) > 20 else "")
