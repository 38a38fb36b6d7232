"""Merged cells of a workbook, which openpyxl does not tell of when it reads row by row."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]{0,100}?ref=[\"']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})[\"']"
)
_MOST = 20_000

# For each row that a merged cell reaches down to: the column, from 0, of the cell above that it repeats.
Repeats = Mapping[int, Sequence[int]]


def repeats(data: bytes, part: str) -> Repeats:
    """Return what each row, counted from 1, repeats of the row above it in the sheet that this part holds."""
    found: dict[int, list[int]] = {}
    left = _MOST
    for column, first, last in _ranges(data, part):
        for row in range(first + 1, last + 1):
            if (left := left - 1) < 0:
                return found
            found.setdefault(row, []).append(column)
    return found


def filled(rows: Iterable[Sequence[object]], repeated: Repeats) -> Iterator[Sequence[object]]:
    """Yield rows in which a cell that continues the one above has its value: each row stands alone."""
    above: Sequence[object] = ()
    for number, row in enumerate(rows, 1):
        above = _continuing(row, above, repeated[number]) if number in repeated else row
        yield above


def _continuing(row: Sequence[object], above: Sequence[object], columns: Sequence[int]) -> list[object]:
    cells = list(row)
    for column in columns:
        cells += [None] * (column + 1 - len(cells))
        cells[column] = above[column] if column < len(above) else None
    return cells


def _ranges(data: bytes, part: str) -> Iterator[tuple[int, int, int]]:
    """Yield the column, from 0, and the first and last row of each merged range."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read(part)
    at = xml.rfind(b"mergeCells", 0, max(xml.rfind(b"mergeCells"), 0))  # its opening tag
    for found in _MERGED.finditer(xml, max(at, 0)) if at >= 0 else ():
        letters, first, last = found.groups()
        yield _column(letters), int(first), int(last)


def sheet_parts(data: bytes) -> dict[str, str]:
    """Return by the name of each sheet the part of the workbook that holds it, where there is one."""
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        try:
            book = etree.fromstring(archive.read("xl/workbook.xml"))
            relations = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        except (KeyError, etree.LxmlError):
            return {}
        names = frozenset(archive.namelist())
    targets = {relation.get("Id"): str(relation.get("Target")) for relation in relations}
    parts: dict[str, str] = {}
    for sheet in book.iter("{*}sheet"):
        ids = [value for name, value in sheet.items() if str(name).endswith("}id")]
        target = targets.get(ids[0], "") if ids else ""
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            parts.setdefault(str(sheet.get("name")), part)
    return parts


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
