"""Cells of an AsciiDoc table, which may stand one a line, side by side, or as separated values."""

from __future__ import annotations

import re

from kb.parsing.tables import CELL_LIMIT

_COLUMNS = re.compile(r"cols\s*=\s*(?:\"([^\"]{1,500})\"|([\w*^<>.]{1,60}))")
_MULTIPLE = re.compile(r"(\d{1,2})\*")
# What may stand before a cell's bar: how often it is repeated, how far it spans, how it is aligned.
_CELL = re.compile(
    r"(?:^|(?<=\s))(?:(\d{1,2})(?:\.\d{1,2})?[+*])?(?:\.\d{1,2}\+)?[<^>.]{0,4}[aehlmsd]?\|(?!=)"
)
_SEPARATED = re.compile(r"format\s*=\s*\"?(csv|dsv|tsv)|[,:]===")
_DELIMITERS = {"csv": ",", "dsv": ":", "tsv": "\t"}


def table_rows(lines: list[str], style: str) -> list[list[str]]:
    """Return the rows of the lines between a table's marks; `style` is what stands above it in brackets."""
    if separated := _SEPARATED.search(style):
        mark = _DELIMITERS.get(separated[1] or "csv", ",")
        return [[cell.strip().strip('"') for cell in line.split(mark)] for line in lines if line.strip()]
    width = _width(style) or _first_row(lines)
    cells = _cells("\n".join(lines))
    return [cells[at : at + width] for at in range(0, len(cells), width)] if width else []


def _width(style: str) -> int:
    """Return how many columns the attributes declare, or 0."""
    found = _COLUMNS.search(style)
    if not found:
        return 0
    declared = (found[1] or found[2]).strip(",; ")
    if multiple := _MULTIPLE.match(declared):
        return int(multiple[1])
    return len(re.split(r"[,;]", declared))


def _first_row(lines: list[str]) -> int:
    """Return how many cells the first line with any holds: without a declaration they make a row."""
    return next((count for line in lines if (count := len(_CELL.findall(line)))), 0)


def _cells(text: str) -> list[str]:
    cells: list[str] = []
    marks = list(_CELL.finditer(text))
    for at, mark in enumerate(marks):
        if len(cells) > CELL_LIMIT:
            break
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        words = " ".join(text[mark.end() : end].split())
        times = min(int(mark[1] or 1), 60)
        cells.extend([words] * times if "*" in mark[0] else [words, *[""] * (times - 1)])
    return cells
