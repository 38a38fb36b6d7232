"""Jupyter notebooks: text cells as they are, code cells in fences, short text outputs below them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kb.errors import DocumentUnreadable
from kb.parsing.hidden import without_hidden
from kb.parsing.markdown import first_title
from kb.parsing.parsed import Parsed
from kb.parsing.source_code import fenced
from kb.parsing.text import clean_text, one_line

_OUTPUT_CHARACTERS = 1_000
_COLOUR = re.compile("\x1b\\[[0-9;]{0,20}m")


def read_notebook(text: str) -> Parsed:
    """Read an .ipynb notebook of format 3 or 4."""
    book = _load(text)
    language = _language(book)
    blocks = [block for cell in _cells(book) for block in _blocks(cell, language)]
    markdown = clean_text("\n\n".join(block for block in blocks if block.strip()))
    named = _dict(book.get("metadata")).get("title")
    return Parsed(
        markdown=markdown, title=first_title(markdown) or (one_line(named) if isinstance(named, str) else "")
    )


def _load(text: str) -> dict[str, Any]:
    try:
        book = json.loads(text)
    except ValueError as exc:
        raise DocumentUnreadable("is no valid notebook: its JSON is broken") from exc
    if not isinstance(book, dict) or not isinstance(book.get("cells", book.get("worksheets")), list):
        raise DocumentUnreadable("is no valid notebook: it has no list of cells")
    return book


def _cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sheets = book.get("worksheets")
    groups = [book, *sheets] if isinstance(sheets, list) else [book]
    for group in groups:
        cells = _dict(group).get("cells")
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, dict):
                yield cell


def _blocks(cell: dict[str, Any], language: str) -> Iterator[str]:
    kind = cell.get("cell_type")
    source = _joined(cell.get("source", cell.get("input")))
    if kind == "heading":
        level = cell.get("level")
        yield "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + f" {source}"
    elif kind == "code":
        yield fenced(source, language)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            yield fenced(_output(_dict(output)), "text")
    else:
        yield without_hidden(source)


def _output(output: dict[str, Any]) -> str:
    found = output.get("text") or _dict(output.get("data")).get("text/plain")
    return _COLOUR.sub("", _joined(found)[:_OUTPUT_CHARACTERS]).rstrip()


def _language(book: dict[str, Any]) -> str:
    metadata = _dict(book.get("metadata"))
    named = _dict(metadata.get("language_info")).get("name") or _dict(metadata.get("kernelspec")).get(
        "language"
    )
    return named if isinstance(named, str) and named.isalnum() and len(named) < 20 else ""


def _joined(source: object) -> str:
    if isinstance(source, str):
        return source
    return "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
