"""Tables: Excel workbooks sheet by sheet, and CSV or TSV files."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator

from kb.parsing.cell_formats import shown
from kb.parsing.markdown import timestamp
from kb.parsing.merged_cells import filled, repeats, sheet_parts
from kb.parsing.packages import open_package, package_title
from kb.parsing.parsed import Foreign, Parsed
from kb.parsing.tables import CELL_LIMIT, cell_text, render_blocks
from kb.parsing.text import clean_text, one_line

_ROW_LIMIT = 1_100_000
_DELIMITERS = ",;\t|"
_DECLARED = re.compile(r"\"?sep=([^\n\"])\"?\n", re.IGNORECASE)  # a first line by which Excel is told


class _Counted:
    """Passes rows on until the cell limit is reached, and remembers that it was."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.cut = False

    def rows(self, rows: Iterable[Iterable[object]]) -> Iterator[list[str]]:
        """Yield rows as text, without their empty tails."""
        blank = False
        for at, row in enumerate(rows):
            if blank and not any(row):
                continue  # a sheet may hold a million empty rows; one of them parts two tables
            cells = [value if isinstance(value, str) else cell_text(value) for value in row]
            while cells and not cells[-1]:
                cells.pop()
            self.left -= len(cells)
            if self.left < 0 or at >= _ROW_LIMIT:
                self.cut = True
                return
            blank = not cells
            yield cells


def read_workbook(data: bytes) -> Parsed:
    """Read an .xlsx workbook."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of each extension it leaves out
        book = open_package(
            data,
            "an Excel workbook",
            lambda file: openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False),
        )
        counted = _Counted(CELL_LIMIT)
        blocks, notes = _sheets(data, book, counted)
    core = book.properties
    if counted.cut:
        notes.append(f"Only its first {CELL_LIMIT:,} cells are read.")
    return Parsed(
        markdown=clean_text("\n\n".join(blocks)),
        title=one_line(package_title(core.title)),
        warnings=tuple(notes),
        metadata={"author": one_line(core.creator)} if core.creator else {},
        updated=timestamp(core.modified),
    )


def _sheets(data: bytes, book: Foreign, counted: _Counted) -> tuple[list[str], list[str]]:
    blocks: list[str] = []
    notes: list[str] = []
    parts = sheet_parts(data)
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"Its hidden sheet {one_line(sheet.title, 60)!r} is not read.")
            continue
        # The declared dimensions may span billions of cells that do not exist.
        sheet.reset_dimensions()
        part = parts.get(sheet.title)
        rows = filled(map(_shown, sheet.iter_rows()), repeats(data, part) if part else {})
        table = render_blocks(counted.rows(rows))
        if table:
            blocks.extend((f"## {one_line(sheet.title, 120)}", table))
    return blocks, notes


def _shown(row: Iterable[Foreign]) -> list[str]:
    return [shown(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]


def read_csv(text: str, name: str) -> Parsed:
    """Read comma-, semicolon-, tab- or bar-separated values."""
    content = clean_text(text)
    declared = _DECLARED.match(content)
    content = content[declared.end() :] if declared else content
    delimiter = "\t" if name.lower().endswith((".tsv", ".tab")) else _delimiter(content)
    delimiter = declared[1] if declared else delimiter
    counted = _Counted(CELL_LIMIT)
    try:
        table = render_blocks(counted.rows(csv.reader(io.StringIO(content), delimiter=delimiter)))
    except csv.Error as exc:
        return Parsed(markdown=content, warnings=(f"It is read as plain text: {exc}.",))
    note = f"Only its first {CELL_LIMIT:,} cells are read."
    return Parsed(markdown=table, warnings=(note,) if counted.cut else ())


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into most cells, evenly; a comma if in doubt."""
    lines = [line for line in text[:20_000].split("\n")[:20] if line.strip()]
    counts = {mark: [line.count(mark) for line in lines] for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: (min(counts[mark], default=0), sum(counts[mark])))
