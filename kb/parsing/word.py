"""Word documents: headings by style or outline level, lists, tables, text boxes, footnotes.

The body is read from its XML: python-docx looks a style up anew for each paragraph, which takes minutes
for a book. Deleted revisions and hidden text are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kb.parsing.markdown import first_title, timestamp
from kb.parsing.packages import open_package, package_title
from kb.parsing.parsed import Foreign, Parsed
from kb.parsing.tables import render_table
from kb.parsing.text import clean_text, one_line

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_VAL = f"{_W}val"
_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_CONTENTS_NAME = re.compile(r"toc (?:heading|[1-9])|table of figures", re.IGNORECASE)
_NOTE_MARKS = (f"{_W}footnoteReference", f"{_W}endnoteReference")
_SKIPPED = frozenset(
    (_FALLBACK, *(f"{_W}{tag}" for tag in ["del", "delText", "instrText", "moveFrom", "pPr", "rPr"]))
)
_BREAKS = frozenset((f"{_W}br", f"{_W}cr"))
_CONTAINERS = frozenset(
    f"{_W}{tag}" for tag in ["customXml", "ins", "moveTo", "sdt", "sdtContent", "smartTag"]
)
_DEEPEST_TABLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """What a paragraph style means: a heading level (0: none), its list, a table of contents."""

    level: int = 0
    list_id: str = ""
    contents: bool = False


@dataclass(slots=True)
class _Layout:
    """The document's styles, numbering and notes, and how far each numbered list has come."""

    styles: dict[str, _Style]
    ordered: frozenset[tuple[str, int]]
    notes: dict[tuple[str, str], Any] = field(default_factory=dict)
    counters: dict[tuple[str, int], int] = field(default_factory=dict)


def read_word(data: bytes) -> Parsed:
    """Read a .docx document."""
    import docx

    document = open_package(data, "a Word document", docx.Document)
    layout = _Layout(_styles(document), _ordered_lists(document), dict(_notes(document)))
    blocks = list(_blocks(document.element.body, layout, 0))
    markdown = clean_text("\n".join(_spaced([*blocks, *_left_notes(layout)]))).strip()
    core = document.core_properties
    return Parsed(
        markdown=markdown,
        title=first_title(markdown) or one_line(package_title(core.title)),
        metadata={"author": one_line(core.author)} if core.author else {},
        updated=timestamp(core.modified),
    )


def _styles(document: Foreign) -> dict[str, _Style]:
    """Map style ids to what they mean, through the styles they are based on."""
    elements = {style.get(f"{_W}styleId"): style for style in document.styles.element.iterfind(f"{_W}style")}
    return {name: _style(name, elements) for name in elements if name}


def _style(name: str, elements: dict[str | None, Any]) -> _Style:
    level, list_id = 0, ""
    seen: set[str | None] = set()
    current: str | None = name
    while current in elements and current not in seen:
        seen.add(current)
        element = elements[current]
        level = level or _style_level(element)
        list_id = list_id or _value(element, f"{_W}pPr/{_W}numPr/{_W}numId")
        current = _value(element, f"{_W}basedOn")
    contents = _CONTENTS_NAME.fullmatch(_value(elements[name], f"{_W}name")) is not None
    return _Style(level=level, list_id=list_id, contents=contents)


def _style_level(element: Foreign) -> int:
    name = _value(element, f"{_W}name")
    if found := _HEADING_NAME.fullmatch(name):
        return min(int(found[1]), 6)
    return 1 if name.lower() == "title" else _outline(element.find(f"{_W}pPr"))


def _outline(properties: Foreign) -> int:
    level = _value(properties, f"{_W}outlineLvl") if properties is not None else ""
    return min(int(level) + 1, 6) if level.isdigit() and int(level) < 9 else 0


def _value(element: Foreign, path: str) -> str:
    found = element.find(path)
    return (found.get(_VAL) or "") if found is not None else ""


def _ordered_lists(document: Foreign) -> frozenset[tuple[str, int]]:
    """Return the (list, level) pairs that are numbered; all others have bullets."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    try:
        numbering = document.part.part_related_by(RELATIONSHIP_TYPE.NUMBERING).element
    except (KeyError, AttributeError):
        return frozenset()
    formats = {
        (abstract.get(f"{_W}abstractNumId"), level.get(f"{_W}ilvl")): _value(level, f"{_W}numFmt")
        for abstract in numbering.iterfind(f"{_W}abstractNum")
        for level in abstract.iterfind(f"{_W}lvl")
    }
    lists = {
        num.get(f"{_W}numId"): _value(num, f"{_W}abstractNumId") for num in numbering.iterfind(f"{_W}num")
    }
    return frozenset(
        (list_id, int(level))
        for list_id, used in lists.items()
        for (abstract, level), form in formats.items()
        if abstract == used and list_id and level.isdigit() and form not in ("bullet", "none", "")
    )


def _blocks(parent: Foreign, layout: _Layout, depth: int) -> Iterator[str]:
    for child in parent:
        if child.tag == f"{_W}p":
            yield _paragraph(child, layout)
            yield from _text_boxes(child, layout, depth)
        elif child.tag == f"{_W}tbl":
            yield _table(child, layout, depth)
        elif child.tag in _CONTAINERS:
            yield from _blocks(child, layout, depth)


def _paragraph(element: Foreign, layout: _Layout) -> str:
    text = "".join(_words(element)).strip()
    if not text:
        return ""
    properties = element.find(f"{_W}pPr")
    style = layout.styles.get(_value(element, f"{_W}pPr/{_W}pStyle"), _Style())
    if style.contents:
        return ""
    notes = list(_own_notes(element, layout))
    level = _outline(properties) or style.level
    if level:
        return "\n\n".join(("#" * level + " " + " ".join(text.split()), *notes))
    text = " ".join((text, *(f"({note})" for note in notes)))
    list_id = _value(element, f"{_W}pPr/{_W}numPr/{_W}numId") or style.list_id
    if list_id and list_id != "0":
        return _item(text, list_id, _value(element, f"{_W}pPr/{_W}numPr/{_W}ilvl"), layout)
    return text


def _item(text: str, list_id: str, level: str, layout: _Layout) -> str:
    depth = min(int(level), 8) if level.isdigit() else 0
    if (list_id, depth) not in layout.ordered:
        return "  " * depth + f"- {text}"
    for deeper in [key for key in layout.counters if key[0] == list_id and key[1] > depth]:
        del layout.counters[deeper]
    number = layout.counters.get((list_id, depth), 0) + 1
    layout.counters[list_id, depth] = number
    return "   " * depth + f"{number}. {text}"


def _words(element: Foreign) -> Iterator[str]:
    """Yield a paragraph's visible text; text boxes in it are read as blocks of their own."""
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag == f"{_W}tab":
            yield "\t"
        elif child.tag in _BREAKS:
            yield "\n"
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"
        elif child.tag not in _SKIPPED and child.tag != f"{_W}txbxContent" and not _is_hidden(child):
            yield from _words(child)


def _is_hidden(run: Foreign) -> bool:
    if run.tag != f"{_W}r":
        return False
    vanish = run.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(_VAL) not in ("0", "false", "off")


def _text_boxes(element: Foreign, layout: _Layout, depth: int) -> Iterator[str]:
    if depth >= _DEEPEST_TABLE:
        return
    for box in element.iter(f"{_W}txbxContent"):
        if next(box.iterancestors(_FALLBACK), None) is None:
            yield from _blocks(box, layout, depth + 1)


def _table(element: Foreign, layout: _Layout, depth: int) -> str:
    """Write a table; a cell that continues the one above repeats its text, so that each row stands alone."""
    rows: list[list[str]] = []
    above: dict[int, str] = {}
    for row in element.iter(f"{_W}tr") if depth < _DEEPEST_TABLE else ():
        if next(row.iterancestors(f"{_W}tbl")) is not element:
            continue
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tr")) is row:
                cells.extend(_cell(cell, len(cells), above, layout, depth))
        rows.append(cells)
    return render_table(rows)


def _cell(cell: Foreign, column: int, above: dict[int, str], layout: _Layout, depth: int) -> list[str]:
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    if merge is not None and merge.get(_VAL) != "restart":
        text = above.get(column, "")
    else:
        text = " ".join(part for part in _blocks(cell, layout, depth + 1) if part)
    above[column] = text
    span = _value(cell, f"{_W}tcPr/{_W}gridSpan")
    return [text, *[""] * (min(int(span), 64) - 1 if span.isdigit() else 0)]


def _notes(document: Foreign) -> Iterator[tuple[tuple[str, str], Foreign]]:
    """Yield foot- and endnotes, which hold facts and stand in parts of their own, by their mark and id."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml

    kinds = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)
    for relation in document.part.rels.values():
        if relation.reltype in kinds and not relation.is_external:
            mark = _NOTE_MARKS[kinds.index(relation.reltype)]
            for note in parse_xml(relation.target_part.blob):
                if note.get(f"{_W}type") is None:
                    yield (mark, note.get(f"{_W}id") or ""), note


def _own_notes(paragraph: Foreign, layout: _Layout) -> Iterator[str]:
    """Yield the notes that a paragraph points to: they belong to its section."""
    for mark in list(paragraph.iter(*_NOTE_MARKS)) if layout.notes else ():
        note = layout.notes.pop((mark.tag, mark.get(f"{_W}id") or ""), None)
        text = _note_text(note, layout) if note is not None else ""
        if text:
            yield text


def _left_notes(layout: _Layout) -> Iterator[str]:
    """Yield the notes that nothing points to."""
    yield from [_note_text(note, layout) for note in list(layout.notes.values())]


def _note_text(note: Foreign, layout: _Layout) -> str:
    return " ".join(part.strip() for part in _blocks(note, layout, 1) if part.strip())


def _spaced(blocks: list[str]) -> Iterator[str]:
    """Put blank lines between blocks, none between the items of a list."""
    before = False
    for block in blocks:
        if not block:
            continue
        item = re.match(r"\s*(?:-|\d+\.) ", block) is not None
        if not (item and before):
            yield ""
        yield block
        before = item
