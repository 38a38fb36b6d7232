"""Tables for a reader that knows none: set in columns where they fit, told row by row where they do not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

WIDEST = 62  # characters that a code block shows in a line on most screens
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CELL = re.compile(r"(?<!\\)\|")
_STYLED = re.compile(r"(\*\*|\*|~~|`+)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as lines; `code` tells that they are columns of equal width and need a code block."""

    lines: tuple[str, ...]
    code: bool


def is_rule(line: str) -> bool:
    """Tell whether a line is the one under a table's head."""
    return "-" in line and "|" in line and _RULE.fullmatch(line) is not None


def shown_table(lines: Sequence[str]) -> Table:
    """Return a Markdown table, head and rule first, as it can be read without being drawn."""
    rows = [_cells(line) for position, line in enumerate(lines) if position != 1]
    styled = [[_bare(cell) for cell in row] for row in rows]
    columns = list(zip_longest(*styled, fillvalue=""))
    widths = [max(map(width, column)) for column in columns]
    if sum(widths) + 3 * (len(widths) - 1) > WIDEST and len(rows) > 1:
        return Table(lines=tuple(_told(rows[0], row) for row in rows[1:]), code=False)
    rule = "─┼─".join("─" * size for size in widths)
    right = [cell.endswith(":") and not cell.startswith(":") for cell in _cells(lines[1])]
    ends = [*right, *[False] * len(widths)]
    body = [" │ ".join(map(_filled, row, widths, ends)).rstrip() for row in zip(*columns, strict=True)]
    return Table(lines=(body[0], rule, *body[1:]), code=True)


def width(text: str) -> int:
    """Return how many columns a text takes where all letters are equally wide."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _filled(cell: str, size: int, right: bool) -> str:
    white = " " * (size - width(cell))
    return white + cell if right else cell + white


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip() for cell in _CELL.split(inner)]


def _bare(cell: str) -> str:
    """Return a cell without marks of style, which a code block would show."""
    return _STYLED.sub(r"\2", _STYLED.sub(r"\2", cell)).replace("\\|", "|")


def _told(head: Sequence[str], row: Sequence[str]) -> str:
    """Return a row as an item: its first cell, then each other one with the head of its column."""
    first, *others = row
    named = [
        f"{name}: {cell}" if name else cell
        for name, cell in zip_longest(head[1:], others, fillvalue="")
        if cell
    ]
    lead = f"**{_bare(first)}**" if first else ""
    return f"- {' · '.join(part for part in (lead, *named) if part)}"
