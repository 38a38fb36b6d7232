"""What a page says of itself: its links, its canonical address, whether it may be indexed.

Read in one pass that builds no tree, so that a page costs the memory of its links.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LINKS = 5000
_LINK_BYTES = 2_000_000
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_REFRESH = re.compile(r"\s*[\d.]*\s*[;,]\s*url\s*=\s*[\"']?([^\"']*)", re.IGNORECASE)
_CANONICAL_HEADER = re.compile(r"<([^>]*)>\s*;\s*rel=\"?canonical\"?", re.IGNORECASE)
_BOT = "lorekeeper"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """`links` are as written, resolved by `base` where the page gives one, in order, each once."""

    links: tuple[str, ...] = ()
    base: str = ""
    canonical: str = ""
    index: bool = True
    follow: bool = True


def page_facts(body: bytes, headers: Mapping[str, str]) -> PageFacts:
    """Return what an HTML page and the headers it came with say."""
    from lxml import etree

    reader = _Reader()
    declared = _CHARSET.search(headers.get("content-type", ""))
    parser = etree.HTMLParser(target=reader, no_network=True, encoding=_encoding(declared))
    try:
        parser.feed(body[:_LINK_BYTES])
        parser.close()
    except (etree.LxmlError, ValueError, AssertionError):
        pass  # what was read until then counts
    _obey(reader, _header_directives(headers.get("x-robots-tag", "")))
    found = _CANONICAL_HEADER.search(headers.get("link", ""))
    return PageFacts(
        links=tuple(reader.links) if reader.follow else (),
        base=reader.base,
        canonical=reader.canonical or (found[1] if found else ""),
        index=reader.index,
        follow=reader.follow,
    )


def _encoding(declared: re.Match[str] | None) -> str | None:
    if declared is None:
        return None
    try:
        "".encode(declared[1])
    except LookupError:
        return None
    return declared[1]


class _Reader:
    """Takes what the parser meets."""

    def __init__(self) -> None:
        self.links: dict[str, None] = {}
        self.base = ""
        self.canonical = ""
        self.index = True
        self.follow = True
        self._readers: dict[str, Callable[[Mapping[str, str]], None]] = {
            "a": self._link,
            "area": self._link,
            "frame": self._frame,
            "base": self._base,
            "link": self._relation,
            "meta": self._meta,
        }

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if (read := self._readers.get(tag)) is not None:
            read(attributes)

    def end(self, tag: str) -> None:
        pass

    def data(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass

    def _add(self, link: str | None) -> None:
        if link and not link.startswith("#") and len(self.links) < LINKS:
            self.links[link] = None

    def _link(self, attributes: Mapping[str, str]) -> None:
        if "nofollow" not in attributes.get("rel", "").lower().split():
            self._add(attributes.get("href"))

    def _frame(self, attributes: Mapping[str, str]) -> None:
        self._add(attributes.get("src"))

    def _base(self, attributes: Mapping[str, str]) -> None:
        self.base = self.base or attributes.get("href", "")

    def _relation(self, attributes: Mapping[str, str]) -> None:
        if "canonical" in attributes.get("rel", "").lower().split():
            self.canonical = self.canonical or attributes.get("href", "").strip()

    def _meta(self, attributes: Mapping[str, str]) -> None:
        content = attributes.get("content", "")
        if attributes.get("name", "").lower() in {"robots", _BOT}:
            _obey(self, {word.strip().lower() for word in content.split(",")})
        elif attributes.get("http-equiv", "").lower() == "refresh" and (found := _REFRESH.match(content)):
            self._add(found[1].strip())


def _obey(reader: _Reader, directives: set[str]) -> None:
    if directives & {"noindex", "none"}:
        reader.index = False
    if directives & {"nofollow", "none"}:
        reader.follow = False


def _header_directives(header: str) -> set[str]:
    """Return the directives of `X-Robots-Tag` that are for everyone or for us."""
    bot, directives = "", set()
    for part in header.lower().split(","):
        name, mark, rest = part.partition(":")
        # `unavailable_after: …` is a directive with a value, any other name before a colon is a bot's.
        if mark and name.strip() != "unavailable_after":
            bot, part = name.strip(), rest  # noqa: PLW2901 - the rest of the same part
        if bot in {"", _BOT}:
            directives.add(part.strip())
    return directives
