"""The items of an RSS or Atom feed.

A feed shows its newest items only, so what has left it stays: the memory keeps each item's text.
"""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from kb.connectors.base import Resources
from kb.connectors.feed_apart import read_feed_apart
from kb.connectors.feed_items import Item, NoFeed
from kb.connectors.web_address import page_address
from kb.connectors.web_asking import Asking, Robots, moment_of
from kb.connectors.web_manners import Clock
from kb.connectors.web_pages import is_read, media_type_of, reliable_time
from kb.documents import Content, DocumentRef
from kb.errors import (
    DocumentUnreadable,
    DocumentVanished,
    FetchFailed,
    FetchRefused,
    SourceInvalid,
    SourceUnavailable,
)
from kb.sources import FeedSource

if TYPE_CHECKING:
    from kb.fetch import Fetched

_ITEM = "item "
_VALIDATORS = "validators"
_ACCEPT = {
    "accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.5"
}
_UNPACKED = 1 << 26


class FeedConnector:
    """Reads a feed."""

    def __init__(self, settings: FeedSource, resources: Resources, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._resources = resources
        self._label = f"Source {settings.name!r}: {settings.location!r}"
        self._asking = Asking(
            self._label,
            resources,
            private_hosts=settings.private_hosts,
            delay=0.0,
            clock=clock or Clock(),
        )
        self._robots = Robots(self._asking, honoured=True)
        self._items: dict[str, str] | None = None
        self._listing = asyncio.Lock()

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Read the feed and yield a ref for each item that it holds or has held."""
        address = self._address()
        self._items = items = await self._read()
        for packed in items.values():
            if (item := _unpack(packed)) is not None:
                yield DocumentRef(
                    source=self._settings.name,
                    uri=item.id,
                    version=self._version(item),
                    url=item.link or address,
                )

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return an item's text, or the page that it links to, as it is now."""
        address = self._address()
        async with self._listing:
            if self._items is None:
                self._items = await self._read()
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        item = _unpack((self._items or {}).get(ref.uri, ""))
        if item is None:
            raise DocumentVanished(f"{name} is none of that source's documents.")
        if self._settings.linked and item.link:
            return await self._linked(item, name, ref)
        return Content(
            data=item.page(),
            media_type="text/html; charset=utf-8",
            updated=item.updated,
            url=item.link or address,
            version=None if self._version(item) == ref.version else self._version(item),
        )

    def _address(self) -> str:
        address = page_address(self._settings.location)
        if address is None:
            raise SourceInvalid(
                f"{self._label} is no web address. Give one such as 'https://blog.example.org/feed.xml'."
            )
        return address

    def _version(self, item: Item) -> str:
        return f"{item.version} linked" if self._settings.linked and item.link else item.version

    async def _read(self) -> dict[str, str]:
        """Return the items that the feed holds or has held, by id."""
        self._asking.reset()
        self._robots.reset()
        known = await self._resources.memory.recall()
        fetched = await self._ask(self._address(), known)
        if fetched is not None:
            known = await self._remember(fetched, known)
        return {key.removeprefix(_ITEM): value for key, value in known.items() if key.startswith(_ITEM)}

    async def _ask(self, address: str, known: Mapping[str, str]) -> Fetched | None:
        """Return the feed, None when it is as it was."""
        try:
            fetched = await self._asking.ask(address, {**_ACCEPT, **_validators(known)})
        except FetchRefused as exc:
            raise SourceInvalid(f"{self._label}: {exc}") from exc
        except FetchFailed as exc:
            raise SourceUnavailable(f"{self._label}: {exc}") from exc
        if fetched.status == 304 and _VALIDATORS in known:
            return None
        if fetched.status != 200:
            raise SourceUnavailable(
                f"{self._label} answers with status {fetched.status}. "
                "Correct its location, or sync again later."
            )
        return fetched

    async def _remember(self, fetched: Fetched, known: Mapping[str, str]) -> dict[str, str]:
        """Keep the items of a feed together with what tells whether it changes; return all that is known."""
        try:
            items = await read_feed_apart(fetched.body, fetched.headers, fetched.url)
        except NoFeed as exc:
            raise SourceUnavailable(
                f"{self._label} {exc}. Correct its location, or sync again later."
            ) from exc
        new = {_ITEM + item.id: _pack(item) for item in items}
        told = {"e": fetched.headers.get("etag", ""), "m": reliable_time(fetched.headers)}
        new[_VALIDATORS] = json.dumps(told)
        changed = {key: value for key, value in new.items() if known.get(key) != value}
        await self._resources.memory.keep(changed)
        return {**known, **changed}

    async def _linked(self, item: Item, name: str, ref: DocumentRef) -> Content:
        if not await self._robots.allow(item.link):
            raise DocumentUnreadable(
                f"{name} is not read: robots.txt of its host forbids it.", status="unsupported"
            )
        try:
            fetched = await self._asking.ask(item.link)
        except (FetchRefused, FetchFailed) as exc:
            raise DocumentUnreadable(f"{name} cannot be read: {exc}") from exc
        if fetched.status in {404, 410}:
            raise DocumentVanished(f"{name} links to {item.link!r}, which is gone.")
        if fetched.status != 200:
            raise DocumentUnreadable(f"{name} links to {item.link!r}, which answers with {fetched.status}.")
        media_type = media_type_of(fetched)
        if not is_read(item.link, media_type):
            raise DocumentUnreadable(
                f"{name} links to {media_type!r}, which is not read.", status="passed-over"
            )
        return Content(
            data=fetched.body,
            media_type=media_type,
            updated=moment_of(fetched.headers.get("last-modified")) or item.updated,
            url=item.link,
            version=None if self._version(item) == ref.version else self._version(item),
        )


def _validators(known: Mapping[str, str]) -> dict[str, str]:
    try:
        told = json.loads(known.get(_VALIDATORS, "{}"))
        headers = {"if-none-match": str(told.get("e", "")), "if-modified-since": str(told.get("m", ""))}
    except (ValueError, AttributeError):
        return {}
    return {name: value for name, value in headers.items() if value}


def _pack(item: Item) -> str:
    updated = item.updated.isoformat() if item.updated is not None else ""
    values = [item.id, item.title, item.text, item.link, updated]
    return base64.b64encode(zlib.compress(json.dumps(values).encode("ascii"))).decode("ascii")


def _unpack(packed: str) -> Item | None:
    """Return the item, None for nothing and for what an earlier release wrote in another form."""
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(packed), _UNPACKED)
        key, title, text, link, updated = json.loads(raw)
    except (ValueError, zlib.error):
        return None
    item = Item(id=key, title=title, text=text, link=link, updated=None)
    return replace(item, updated=datetime.fromisoformat(updated)) if updated else item
