"""A model's card, which is Markdown, cut into what reports set in their own type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """kind: text, list or table. rows: paragraphs, items, or a table's rows of cells with the heading first."""

    kind: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CardSection:
    title: str
    blocks: tuple[Block, ...]


def sections_of(card: str) -> tuple[CardSection, ...]:
    """The sections below ``##`` headings; what stands before the first one has the title "Model"."""
    sections: list[tuple[str, list[str]]] = [("Model", [])]
    for line in card.splitlines():
        if line.startswith("## "):
            sections.append((_plain(line[3:]), []))
        elif not line.startswith("# "):
            sections[-1][1].append(line)
    return tuple(CardSection(title, blocks) for title, lines in sections if (blocks := _blocks(lines)))


def _blocks(lines: list[str]) -> tuple[Block, ...]:
    blocks: list[tuple[str, list[list[str]]]] = []
    kind_before = ""
    for line in lines:
        text = line.strip()
        kind = _kind(text, kind_before)
        if kind == "table":
            cells = [_plain(cell) for cell in text.strip("|").split("|")]
            row = None if all(set(cell) <= set("-: ") for cell in cells) else cells
        else:
            row = [_plain(text.removeprefix("- "))]
        if kind and row:
            if kind != kind_before:
                blocks.append((kind, []))
            if text.startswith("- ") or kind == "table" or kind != kind_before:
                blocks[-1][1].append(row)
            else:
                blocks[-1][1][-1][0] += f" {row[0]}"
        kind_before = kind
    return tuple(Block(kind, tuple(tuple(row) for row in rows)) for kind, rows in blocks)


def _kind(text: str, before: str) -> str:
    if not text:
        return ""
    if text.startswith("|"):
        return "table"
    if text.startswith("- ") or before == "list":
        return "list"
    return "text"


def _plain(text: str) -> str:
    return text.strip().replace("**", "").replace("`", "").replace("*", "")
