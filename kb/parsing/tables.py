"""Rows of cells become Markdown: a pipe table, or one line a row where a table would be too wide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

CELL_LIMIT = 100_000
_WIDEST = 60
_CELL_CHARACTERS = 2_000

Row = Sequence[str]


def cell_text(value: object) -> str:
    """Return a cell's value as a person reads it: dates in ISO form, whole numbers without a point.

    Seconds are left out where there are none.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return (
            f"{value:%Y-%m-%d} {cell_text(value.time())}"
            if value.time() != dt.time()
            else f"{value:%Y-%m-%d}"
        )
    if isinstance(value, dt.time):
        return value.isoformat("seconds" if value.second else "minutes")
    return str(value)


def render_blocks(rows: Iterable[Row]) -> str:
    """Render a sheet: runs of rows between blank rows each become a table, or text if one column wide.

    Rows of one cell on top of a run are its title and no header.
    """
    blocks: list[list[Row]] = [[]]
    for row in rows:
        if any(cell.strip() for cell in row):
            blocks[-1].append(row)
        elif blocks[-1]:
            blocks.append([])
    return "\n\n".join(part for block in blocks for part in _titled(block) if part)


def _titled(rows: list[Row]) -> Iterator[str]:
    at = 0
    while at + 1 < len(rows) and sum(map(bool, rows[at])) == 1:
        at += 1
    at = at if at < len(rows) and sum(map(bool, rows[at])) > 1 else 0
    for row in rows[:at]:
        yield _inline("".join(row))
    yield render_table(rows[at:])


def render_table(rows: Sequence[Row]) -> str:
    """Render rows as a table whose first row is the header; one column becomes paragraphs."""
    table = _trimmed([[_inline(cell) for cell in row] for row in rows])
    if not table:
        return ""
    width = len(table[0])
    if width == 1:
        return "\n\n".join(row[0] for row in table if row[0])
    if width > _WIDEST:
        return _records(table)
    header, *body = table
    lines = [header, ["---"] * width, *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _inline(cell: str) -> str:
    text = " ".join(cell[:_CELL_CHARACTERS].split())
    return text.replace("|", "\\|") if "|" in text else text


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Drop empty rows and outer empty columns, and make all rows equally long."""
    rows = [row for row in rows if any(row)]
    width = max((_filled(row) for row in rows), default=0)
    first = min((_leading(row) for row in rows), default=0)
    return [(row + [""] * width)[first:width] for row in rows]


def _filled(row: list[str]) -> int:
    """Return a row's length without its empty tail."""
    return next((at for at in range(len(row), 0, -1) if row[at - 1]), 0)


def _leading(row: list[str]) -> int:
    return next((at for at, cell in enumerate(row) if cell), 0)


def _records(table: list[list[str]]) -> str:
    """Write each row as `header: cell` pairs: a header of hundreds of columns cannot be repeated."""
    header, *body = table
    if not body:
        return "; ".join(cell for cell in header if cell)
    return "\n\n".join(
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(header, row, strict=True) if cell)
        for row in body
    )
