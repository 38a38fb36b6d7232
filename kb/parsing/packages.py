"""Checks an Office package (a ZIP of XML parts) before a library opens it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable

from kb.errors import DocumentUnreadable
from kb.parsing.parsed import Foreign

_PART_BYTES = 64_000_000
_TOTAL_BYTES = 300_000_000
_PARTS = 20_000
_HEAD_BYTES = 16_384
_MARKS = ("<!DOCTYPE", "<!ENTITY")
_DECLARATIONS = tuple(mark.encode(form) for mark in _MARKS for form in ("utf-8", "utf-16-le", "utf-16-be"))
_LIMIT_ERRORS = (2, 114)  # libxml2: no memory; a text longer than its limit
_JUNK_TITLES = (
    "microsoft word - ",
    "powerpoint presentation",
    "untitled",
    "document1",
    "presentation1",
    "book1",
)


def open_package(data: bytes, what: str, opener: Callable[[io.BytesIO], Foreign]) -> Foreign:
    """Check the package and open it; raise DocumentUnreadable when either fails."""
    from lxml import etree

    check_package(data, what)
    try:
        return opener(io.BytesIO(data))
    except etree.XMLSyntaxError as exc:
        raise (_too_large() if exc.code in _LIMIT_ERRORS else _damaged(what)) from exc
    except (KeyError, ValueError, AttributeError, TypeError, IndexError, OSError, zipfile.BadZipFile) as exc:
        raise _damaged(what) from exc
    except (zlib.error, NotImplementedError, RuntimeError, EOFError) as exc:
        if isinstance(exc, RecursionError):
            raise
        raise _damaged(what) from exc


def check_package(data: bytes, what: str) -> None:
    """Raise DocumentUnreadable for a package that unpacks to too much, declares entities or is broken."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive.infolist())
            for entry in archive.infolist():
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_head(archive, entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, ValueError, EOFError) as exc:
        raise _damaged(what) from exc


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    largest = max((entry.file_size for entry in entries if entry.filename.endswith(".xml")), default=0)
    total = sum(entry.file_size for entry in entries)
    if largest > _PART_BYTES or total > _TOTAL_BYTES or len(entries) > _PARTS:
        size = f"{total // 1_000_000} MB in {len(entries)} parts"
        raise DocumentUnreadable(f"unpacks to {size}, more than a document may", status="too-large")
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentUnreadable("is encrypted; remove its password", status="encrypted")


def _check_head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:
        head = part.read(_HEAD_BYTES)
    if any(mark in head for mark in _DECLARATIONS):
        raise DocumentUnreadable("declares XML entities, which no Office program does; it is not read")


def package_title(title: str | None) -> str:
    """Return a title from document properties unless the program made it up."""
    words = (title or "").strip()
    return "" if words.lower().startswith(_JUNK_TITLES) else words


def _too_large() -> DocumentUnreadable:
    return DocumentUnreadable("holds more than can be read within the memory limit", status="too-large")


def _damaged(what: str) -> DocumentUnreadable:
    return DocumentUnreadable(f"is damaged: it cannot be opened as {what}", status="unreadable")
