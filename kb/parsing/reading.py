"""Reads a document of any known format: the one way from bytes to Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

from kb.errors import DocumentUnreadable
from kb.parsing.formats import Format, identify
from kb.parsing.parsed import Parsed
from kb.parsing.text import clean_text, decode_text

CHARACTER_LIMIT = 10_000_000
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)

Reader = Callable[[bytes, str, str], Parsed]


def parse(data: bytes, name: str, media_type: str) -> Parsed:
    """Read a document; raise DocumentUnreadable with a status and a plain reason when it cannot be.

    Other exceptions of the format libraries may come through: the caller is the child's loop, which maps
    them. `name` is a path or URL, of which the end counts; `media_type` may be empty.
    """
    if not data.strip(b" \t\r\n\0"):
        raise DocumentUnreadable("is empty", status="empty")
    parsed = _reader(identify(data, name, media_type))(data, name, media_type)
    if len(parsed.markdown) > CHARACTER_LIMIT:
        reason = f"holds {len(parsed.markdown):,} characters of text; {CHARACTER_LIMIT:,} are the limit"
        raise DocumentUnreadable(reason, status="too-large")
    if not parsed.markdown.strip():
        raise DocumentUnreadable("holds no text", status="empty")
    return parsed


def _reader(kind: Format) -> Reader:
    """Return the reader of a format; the module of one is imported when it is first needed."""
    if kind in _TEXT_READERS:
        read = _TEXT_READERS[kind]
        return lambda data, name, media_type: read(_decoded(data, media_type), name)
    return _BYTE_READERS[kind]


def _decoded(data: bytes, media_type: str) -> str:
    declared = _CHARSET.search(media_type)
    return decode_text(data, declared=declared[1] if declared else "")


def _markdown(text: str, name: str) -> Parsed:
    from kb.parsing.markdown import read_markdown

    return read_markdown(text, mdx=name.lower().endswith(".mdx"))


def _plain(text: str, _name: str) -> Parsed:
    return Parsed(markdown=clean_text(text))


def _asciidoc(text: str, _name: str) -> Parsed:
    from kb.parsing.asciidoc import read_asciidoc

    return read_asciidoc(text)


def _rst(text: str, _name: str) -> Parsed:
    from kb.parsing.restructured import read_rst

    return read_rst(text)


def _code(text: str, name: str) -> Parsed:
    from kb.parsing.source_code import read_code

    return read_code(text, name)


def _csv(text: str, name: str) -> Parsed:
    from kb.parsing.sheets import read_csv

    return read_csv(text, name)


def _notebook(text: str, _name: str) -> Parsed:
    from kb.parsing.notebook import read_notebook

    return read_notebook(text)


def _html(data: bytes, _name: str, media_type: str) -> Parsed:
    from kb.parsing.html_pages import read_html

    return read_html(data, media_type)


def _pdf(data: bytes, _name: str, _media_type: str) -> Parsed:
    from kb.parsing.pdf import read_pdf

    return read_pdf(data)


def _word(data: bytes, _name: str, _media_type: str) -> Parsed:
    from kb.parsing.word import read_word

    return read_word(data)


def _slides(data: bytes, _name: str, _media_type: str) -> Parsed:
    from kb.parsing.slides import read_slides

    return read_slides(data)


def _workbook(data: bytes, _name: str, _media_type: str) -> Parsed:
    from kb.parsing.sheets import read_workbook

    return read_workbook(data)


def _mail(data: bytes, _name: str, _media_type: str) -> Parsed:
    from kb.parsing.mail import read_mail

    return read_mail(data)


_TEXT_READERS: dict[Format, Callable[[str, str], Parsed]] = {
    "asciidoc": _asciidoc,
    "code": _code,
    "csv": _csv,
    "markdown": _markdown,
    "notebook": _notebook,
    "restructuredtext": _rst,
    "text": _plain,
}
_BYTE_READERS: dict[Format, Reader] = {
    "html": _html,
    "mail": _mail,
    "pdf": _pdf,
    "presentation": _slides,
    "spreadsheet": _workbook,
    "word": _word,
}
