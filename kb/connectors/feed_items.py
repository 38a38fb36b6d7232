"""The items of an RSS or Atom feed, read from bytes."""

from __future__ import annotations

import calendar
import hashlib
import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kb.connectors.uris import uri_of
from kb.connectors.web_address import page_address

LONGEST_ID = 500
_HTML = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_ENTITIES = re.compile(rb"<!ENTITY\b", re.IGNORECASE)


class NoFeed(Exception):
    """The bytes are no feed; the text says why, in words that go on after its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a feed. `id` is unique in the feed and printable; `text` is HTML; `link` may be empty."""

    id: str
    title: str
    text: str
    link: str
    updated: datetime | None

    @property
    def version(self) -> str:
        """The token of the item's content, less its time: some feeds date all items anew each time."""
        content = f"{self.title}\0{self.text}\0{self.link}"
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def page(self) -> bytes:
        """Return the item as an HTML page."""
        title = html.escape(self.title)
        page = (
            f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head>'
            f"<body><main><h1>{title}</h1>\n{self.text}\n</main></body></html>"
        )
        return page.encode("utf-8", "replace")


def read_feed(data: bytes, headers: Mapping[str, str], address: str) -> list[Item]:
    """Return the items of a feed, the first of those that share an id. Raise `NoFeed`.

    A feed that breaks off gives the items before that: those that are missing stay remembered.
    """
    import feedparser

    if _ENTITIES.search(data[:100_000]):
        raise NoFeed("declares entities, which no feed needs")
    told = {"content-type": headers.get("content-type", ""), "content-location": address}
    found = feedparser.parse(io.BytesIO(data), response_headers=told)
    if not found.get("version"):
        what = "it is an HTML page" if _HTML.search(data[:2000]) else "it is neither RSS nor Atom"
        raise NoFeed(f"is no feed: {what}")
    items: dict[str, Item] = {}
    for entry in found.entries:
        item = _item(entry)
        items.setdefault(item.id, item)
    return list(items.values())


def _item(entry: Mapping[str, Any]) -> Item:
    link = page_address(str(entry.get("link") or "")) or ""
    text = _text(entry)
    title = _title(entry)
    return Item(
        id=_id(str(entry.get("id") or "").strip() or link, title + text),
        title=title,
        text=text,
        link=link,
        updated=_moment(entry),
    )


def _id(told: str, text: str) -> str:
    """Return the id that an item bears, or a hash of it, or of the item, where it bears no fit one."""
    uri = uri_of(told.encode("utf-8", "surrogateescape")) if told else ""
    if uri and len(uri) <= LONGEST_ID:
        return uri
    return hashlib.sha256((told or text).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _title(entry: Mapping[str, Any]) -> str:
    title = str(entry.get("title") or "")
    if (entry.get("title_detail") or {}).get("type") != "text/plain":
        title = html.unescape(_TAG.sub("", title))
    return " ".join(title.split())


def _text(entry: Mapping[str, Any]) -> str:
    """Return the longest text that an item has: some feeds give both a summary and the whole."""
    parts = [*(entry.get("content") or ()), entry.get("summary_detail") or {}]
    texts = [_as_html(part) for part in parts if part.get("value")]
    return max(texts, key=len, default="")


def _as_html(part: Mapping[str, Any]) -> str:
    value = str(part["value"])
    return f"<pre>{html.escape(value)}</pre>" if part.get("type") == "text/plain" else value


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    for key in ("updated_parsed", "published_parsed"):
        if (told := entry.get(key)) is not None:
            try:
                return datetime.fromtimestamp(calendar.timegm(told), UTC)
            except (ValueError, OverflowError, OSError):
                continue
    return None
