"""Tables and definition lists of a page are made plain before they are written as Markdown.

A cell that reaches over several rows is repeated in each, a caption becomes a paragraph, and a term stands
in one item with what it means: a row or an item is then understood when it is quoted alone.
"""

from __future__ import annotations

from kb.parsing.parsed import Foreign

_CELLS = ("td", "th")
_MOST_ROWS = 200
_MOST_COLUMNS = 64
_MOST_CELLS = 10_000  # that are added to all tables of a page
_BLOCKS = ("br", "p", "div", "li", "dd", "dt", "pre", "tr")
_LARGE_PARTS = ("p", "ul", "ol", "dl", "pre", "table", "div", "section", "blockquote")


def make_plain(tree: Foreign) -> None:
    """Change the tables and definition lists of a page in place."""
    left = _MOST_CELLS
    for table in list(tree.iter("table")):
        if table.find(".//table") is None:
            _part_words(table)
            _take_out_caption(table)
            left = _spread(table, left)
    for terms in list(tree.iter("dl")):
        _join_terms(terms)


def _part_words(table: Foreign) -> None:
    """Put a space where a cell breaks its line: a table row is one line."""
    for element in table.iter(*_BLOCKS):
        element.tail = f" {element.tail or ''}"


def _take_out_caption(table: Foreign) -> None:
    caption, parent = table.find("caption"), table.getparent()
    if caption is None or parent is None:
        return
    caption.tag, caption.tail = "p", None
    parent.insert(parent.index(table), caption)


def _spread(table: Foreign, left: int) -> int:
    """Repeat cells over the rows that they span and pad the columns; return how many cells may be added."""
    waiting: dict[int, tuple[Foreign, int]] = {}
    for row in list(table.iter("tr")):
        column = 0
        for cell in [cell for cell in row if cell.tag in _CELLS]:
            column, left = _continued(row, row.index(cell), column, waiting, left)
            across = min(_span(cell, "colspan"), _MOST_COLUMNS, left + 1)
            if (down := min(_span(cell, "rowspan"), _MOST_ROWS)) > 1:
                waiting[column] = (cell, down - 1)
            for _ in range(across - 1):
                cell.addnext(cell.makeelement("td"))
            column, left = column + across, left - across + 1
        column, left = _continued(row, len(row), column, waiting, left)
    return left


def _continued(
    row: Foreign, at: int, column: int, waiting: dict[int, tuple[Foreign, int]], left: int
) -> tuple[int, int]:
    """Put copies of cells from above into a row, from this column on; return the next column."""
    from copy import deepcopy

    while column in waiting and left > 0:
        cell, rows = waiting.pop(column)
        copy = deepcopy(cell)
        copy.tail = None
        row.insert(at, copy)
        if rows > 1:
            waiting[column] = (cell, rows - 1)
        at, column, left = at + 1, column + 1, left - 1
    return column, left


def _span(cell: Foreign, name: str) -> int:
    """Return how far a cell reaches, and take the attribute off."""
    value = str(cell.attrib.pop(name, "")).strip()
    return max(int(value), 1) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def _join_terms(terms: Foreign) -> None:
    """Turn a list of short definitions into items `term: meaning`; a list of long ones stays as it is."""
    entries = [entry for entry in terms if isinstance(entry.tag, str)]
    pairs = list(zip(entries[::2], entries[1::2], strict=False))
    paired = len(entries) == 2 * len(pairs) and all(dt.tag == "dt" and dd.tag == "dd" for dt, dd in pairs)
    if not pairs or not paired or any(_is_large(dd) for _, dd in pairs):
        return
    terms.tag = "ul"
    for term, meaning in pairs:
        source = _only_paragraph(meaning)
        item = terms.makeelement("li")
        terms.replace(meaning, item)
        item.append(term)
        term.tag, term.tail = "strong", ": " + (source.text or "").lstrip()
        item.extend(list(source))


def _only_paragraph(meaning: Foreign) -> Foreign:
    """Return the paragraph that is all of a meaning, or the meaning itself."""
    alone = len(meaning) == 1 and meaning[0].tag == "p" and not (meaning.text or "").strip()
    return meaning[0] if alone else meaning


def _is_large(meaning: Foreign) -> bool:
    return next(_only_paragraph(meaning).iterdescendants(*_LARGE_PARTS), None) is not None
