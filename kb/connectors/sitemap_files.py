"""Sitemaps and sitemap indexes, read from bytes: https://www.sitemaps.org/protocol.html."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

UNPACKED = 50_000_000
_GZIP = b"\x1f\x8b"
# In UTF-8, and in UTF-16 with a byte order mark or without.
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<|\xff\xfe|\xfe\xff|\0<")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_NAMES = {"urlset": "url", "sitemapindex": "sitemap"}


class NoSitemap(Exception):
    """The bytes are no sitemap; the text says why, in words that go on after its address."""


@dataclass(frozen=True, slots=True)
class Location:
    """An address as written, and when what is there changed, as written; empty when it is not told."""

    address: str
    lastmod: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapFile:
    """A sitemap's `pages`, or the `sitemaps` that an index names."""

    pages: tuple[Location, ...] = ()
    sitemaps: tuple[Location, ...] = ()


def read_sitemap(data: bytes, media_type: str = "") -> SitemapFile:
    """Return what a sitemap holds. Raise `NoSitemap`, also for one that breaks off."""
    data = _unpacked(data)
    if _START.match(data):
        return _read_xml(data)
    if media_type.partition(";")[0].strip().lower() == "text/plain" and data.strip():
        return SitemapFile(pages=_read_text(data))
    raise NoSitemap("is no sitemap: it is not XML")


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = stream.decompress(data, UNPACKED + 1)
    except zlib.error as exc:
        raise NoSitemap(f"is no gzip file ({exc})") from exc
    if len(plain) > UNPACKED:
        raise NoSitemap(f"is larger than {UNPACKED // 1_000_000} MB")
    if not stream.eof:
        raise NoSitemap("is a gzip file that breaks off")
    return plain


def _read_text(data: bytes) -> tuple[Location, ...]:
    lines = data.decode("utf-8-sig", "replace").split("\n")
    return tuple(Location(line.strip()) for line in lines if line.strip())


@dataclass(slots=True)
class _Reader:
    """Takes what the parser meets. `inside` is the path of elements to where it is."""

    root: str = ""
    inside: list[str] = field(default_factory=list)
    entries: list[Location] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    refused: str = ""

    def start(self, tag: str, _attributes: object) -> None:
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self.inside.append(name)
        if len(self.inside) == 2:
            self.texts = {}

    def data(self, text: str) -> None:
        if len(self.inside) == 3 and self.inside[2] in {"loc", "lastmod"}:
            self.texts.setdefault(self.inside[2], []).append(text)

    def end(self, _tag: str) -> None:
        name = self.inside.pop()
        if len(self.inside) == 1 and name == _NAMES.get(self.root):
            address = "".join(self.texts.get("loc", ())).strip()
            lastmod = "".join(self.texts.get("lastmod", ())).strip()
            self.entries.append(Location(address, lastmod))

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        self.refused = "is an HTML page" if name.lower() == "html" else "declares a document type"

    def close(self) -> None:
        pass


def _read_xml(data: bytes) -> SitemapFile:
    from lxml import etree

    reader = _Reader()
    parser = etree.XMLParser(
        target=reader, no_network=True, resolve_entities=False, load_dtd=False, huge_tree=False
    )
    try:
        parser.feed(data)
        parser.close()
    except (etree.LxmlError, ValueError) as exc:
        raise NoSitemap(_why(reader, data, exc)) from exc
    if reader.refused:
        raise NoSitemap(f"is no sitemap: it {reader.refused}")
    if reader.root not in _NAMES:
        what = "it is an HTML page" if reader.root.lower() == "html" else f"it is {reader.root[:40]!r}"
        raise NoSitemap(f"is no sitemap: {what}")
    entries = tuple(reader.entries)
    return SitemapFile(pages=entries) if reader.root == "urlset" else SitemapFile(sitemaps=entries)


def _why(reader: _Reader, data: bytes, exc: Exception) -> str:
    if reader.refused:
        return f"is no sitemap: it {reader.refused}"
    if _HTML.search(data[:2000].decode("latin-1")):
        return "is no sitemap: it is an HTML page"
    return f"is no sitemap that can be read: {' '.join(str(exc).split())[:200].rstrip('.')}"
