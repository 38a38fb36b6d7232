"""An HTML tree becomes Markdown, element by element, without guessing what matters on the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kb.parsing.parsed import Foreign
from kb.parsing.source_code import fenced
from kb.parsing.tables import render_table

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BLOCK_NAMES = """
    address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure
    footer form header hr html legend li main nav ol p section summary ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split()) | frozenset(_HEADINGS)
_INLINE = {"b": "**", "strong": "**", "code": "`", "kbd": "`", "samp": "`", "tt": "`"}
_SPACE = re.compile(r"\s+")
_LANGUAGE = re.compile(r"(?:language|lang|highlight|brush:)-?\s?([A-Za-z0-9+#]{1,20})")


def blocks_of(root: HtmlElement) -> str:
    """Return everything the tree says as Markdown blocks."""
    from lxml import etree

    writer = _Writer()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if not isinstance(element.tag, str):
            if event == "end":
                writer.words(element.tail)
        elif event == "start":
            if writer.open(element):
                walk.skip_subtree()
        else:
            writer.close(element, last=element is root)
    return writer.finish()


def code_language(element: HtmlElement) -> str:
    """Return the language that the classes of a `pre` or its `code` name."""
    classes = " ".join(str(part.get("class") or "") for part in [element, *element.iterfind(".//code")])
    found = _LANGUAGE.search(classes)
    return found[1].lower() if found else ""


class _Writer:
    """Gathers inline text until a block ends."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._inline: list[str] = []
        self._prefix = ""
        self._lists: list[str] = []
        self._in_item = False

    def words(self, text: str | None) -> None:
        if text:
            self._inline.append(_SPACE.sub(" ", text))

    def open(self, element: Foreign) -> bool:
        """Begin an element; return True when it is written whole and its children are not visited."""
        tag = element.tag
        if tag == "pre":
            self._flush()
            self._add(fenced(element.text_content().strip("\n"), code_language(element)))
            return True
        if tag == "table" and element.find(".//table") is None:
            self._flush()
            self._add(render_table(rows_of(element)))
            return True
        if tag in _BLOCKS or tag in ("table", "tr", "td", "th"):
            self._open_block(element, tag)
        elif tag == "br":
            self._inline.append("\n")
        elif tag in _INLINE:
            self._inline.append(_INLINE[tag])
        self.words(element.text)
        return False

    def _open_block(self, element: Foreign, tag: str) -> None:
        self._flush()
        if tag in _HEADINGS:
            self._prefix = f"{_HEADINGS[tag]} "
        elif tag in ("ul", "ol"):
            self._lists.append("1. " if tag == "ol" else "- ")
        elif tag == "li" or (tag == "dt" and not self._lists):
            depth = max(len(self._lists) - 1, 0)
            self._prefix = "  " * min(depth, 8) + (self._lists[-1] if self._lists else "- ")

    def close(self, element: Foreign, *, last: bool) -> None:
        """End an element and take the text after it."""
        tag = element.tag
        if tag in _INLINE:
            self._inline.append(_INLINE[tag])
        elif tag in _BLOCKS or tag in ("table", "tr", "td", "th"):
            self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
        if not last:
            self.words(element.tail)

    def finish(self) -> str:
        self._flush()
        return "\n".join(self._blocks).strip()

    def _flush(self) -> None:
        lines = (line.strip() for line in "".join(self._inline).split("\n"))
        text = "\n".join(line for line in lines if line)
        self._inline.clear()
        empty = not text.replace("*", "").replace("`", "").strip()
        if empty:
            return
        if self._prefix.startswith("#"):
            text = text.replace("\n", " ")
        item = bool(self._lists)
        self._add(self._prefix + text, tight=item and self._in_item)
        self._in_item = item
        self._prefix = ""

    def _add(self, block: str, *, tight: bool = False) -> None:
        if block:
            self._blocks.extend([block] if tight or not self._blocks else ["", block])
            self._in_item = False


def rows_of(table: Foreign) -> list[list[str]]:
    """Return the words of a table's cells, row by row."""
    rows = []
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        rows.append([_SPACE.sub(" ", cell.text_content()).strip() for cell in cells])
    return rows
