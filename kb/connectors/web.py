"""Web pages: one, or those that are reached by links below an address.

Pages are asked breadth first, each once a run, and only for what is new of them. A page's uri is its address
after redirects; a page that names another of the source as canonical stands back for it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from urllib.parse import urlsplit

from kb.connectors.base import Resources
from kb.connectors.web_address import Scope, origin_of, page_address
from kb.connectors.web_manners import AT_ONCE, Clock
from kb.connectors.web_memory import PageEntry, PageMemory
from kb.connectors.web_order import in_order
from kb.connectors.web_pages import Pages, Visit
from kb.documents import Content, DocumentRef
from kb.errors import SourceInvalid, SourceUnavailable
from kb.sources import WebSource

log = logging.getLogger(__name__)

DEPTH = 10
# So many pages in a row that give no answer mean that their host gives none.
FAILURES_IN_A_ROW = 5


class _Crawl:
    """One listing of a web source."""

    def __init__(self, pages: Pages, memory: PageMemory, *, start: str, depth: int, limit: int) -> None:
        self._pages = pages
        self._scope = pages.scope
        self._memory = memory
        self._start = start
        self._depth = depth
        self._limit = limit
        self._room = limit - sum(1 for entry in memory.known.values() if not entry.to)
        self._asked: set[str] = set()
        self._done: set[str] = set()
        self._listed: set[str] = set()
        self._standing_back: dict[str, tuple[str, str]] = {}
        self._cut = 0
        self._failures = 0

    async def documents(self) -> AsyncGenerator[tuple[str, str], None]:
        """Yield uri and version of each document, or raise `SourceUnavailable`."""
        level = [self._start]
        for depth in range(self._depth + 1):
            found: dict[str, None] = {}
            async with aclosing(self._level(level, found)) as documents:
                async for document in documents:
                    yield document
            level = list(found) if depth < self._depth else []
        async for document in self._leftover():
            yield document
        await self._memory.end()

    async def _level(
        self, level: Iterable[str], found: dict[str, None]
    ) -> AsyncGenerator[tuple[str, str], None]:
        """Yield the documents of pages, and of those that they name as canonical; collect their links."""
        while level:
            canonicals: list[str] = []
            async with aclosing(self._visits(level)) as visits:
                async for visit in visits:
                    async for document in self._take(visit, found, canonicals):
                        yield document
            level = canonicals

    async def _leftover(self) -> AsyncIterator[tuple[str, str]]:
        """Yield what a walk along the links has not shown: see `_cut_off` and `_left_standing`."""
        if self._cut:
            async for document in self._cut_off():
                yield document
        for canonical, (own, version) in self._standing_back.items():
            # The address that the page prefers leads nowhere, or back.
            if canonical not in self._done and self._list(own):
                yield own, version

    async def _cut_off(self) -> AsyncIterator[tuple[str, str]]:
        """Yield the pages known from before that are still there: links to them may have been cut off."""
        log.warning(
            "%s: has more than %d pages; %d links were not followed. Raise pages, or choose by include "
            "and exclude.",
            self._pages.label,
            self._limit,
            self._cut,
        )
        known = [url for url, entry in self._memory.known.items() if entry.version and url not in self._done]
        async with aclosing(self._visits(known)) as visits:
            async for visit in visits:
                async for document in self._take(visit, {}, []):
                    yield document

    async def _visits(self, level: Iterable[str]) -> AsyncGenerator[Visit, None]:
        ahead = AT_ONCE * (1 + len(self._scope.origins))

        async def visit(address: str) -> Visit:
            return await self._pages.visit(address, self._memory)

        async with aclosing(in_order(visit, self._admitted(level), ahead)) as visits:
            async for each in visits:
                yield each

    async def _admitted(self, level: Iterable[str]) -> AsyncIterator[str]:
        """Yield what of a level is to be asked: pages known from before come before new ones."""
        for address in level:
            if address in self._asked or address in self._done:
                continue
            if not await self._pages.robots.allow(address):
                if address == self._start:
                    raise SourceUnavailable(
                        f"{self._pages.label} may not be read: robots.txt of its host forbids it. "
                        "With the owner's leave, set robots = false."
                    )
                continue
            if address not in self._memory.known and address != self._start:
                if self._room <= 0:
                    self._cut += 1
                    continue
                self._room -= 1
            self._asked.add(address)
            yield address

    async def _take(
        self, visit: Visit, found: dict[str, None], canonicals: list[str]
    ) -> AsyncIterator[tuple[str, str]]:
        """Yield the document that a visit shows, if any, and collect what it leads to."""
        if visit.asked == self._start:
            self._check_start(visit)
        if visit.outcome == "page" and visit.entry is not None:
            self._failures = 0
            if await self._is_new(visit):
                await self._memory.put(visit.address, visit.entry)
                self._follow(visit.entry, found)
                if self._is_listed(visit.address, visit.entry, canonicals):
                    yield visit.address, visit.entry.version
        elif visit.outcome != "gone":
            async for document in self._take_unread(visit, found):
                yield document

    async def _is_new(self, visit: Visit) -> bool:
        """Say whether a visit has shown a page of the source that none has shown before."""
        address = visit.address
        if address != visit.asked:
            await self._memory.put(visit.asked, PageEntry(to=address))
            if not self._scope.holds(address) or not await self._pages.robots.allow(address):
                return False
        if address in self._done:
            return False
        self._done.add(address)
        return True

    def _is_listed(self, address: str, entry: PageEntry, canonicals: list[str]) -> bool:
        if not entry.document or not self._scope.takes(address):
            return False
        if entry.canonical and entry.canonical != address and self._scope.takes(entry.canonical):
            self._standing_back.setdefault(entry.canonical, (address, entry.version))
            canonicals.append(entry.canonical)
            return False
        return self._list(address)

    def _follow(self, entry: PageEntry, found: dict[str, None]) -> None:
        for link in entry.links:
            if link not in self._asked and link not in self._done:
                found[link] = None

    def _list(self, address: str) -> bool:
        new = address not in self._listed
        self._listed.add(address)
        return new

    async def _take_unread(self, visit: Visit, found: dict[str, None]) -> AsyncIterator[tuple[str, str]]:
        """List a page that gives no answer as it was known; what is barred shows as unreadable."""
        uri, known = self._memory.target_of(visit.asked)
        if visit.outcome == "failed":
            self._count_failure(visit)
        if known is not None and known.version:
            self._done.add(uri)
            await self._memory.put(uri, known)
            if uri != visit.asked:
                await self._memory.put(visit.asked, PageEntry(to=uri))
            self._follow(known, found)
        elif visit.outcome != "failed":
            return
        else:
            await self._memory.put(uri, PageEntry())
        if (known is None or known.document) and self._scope.takes(uri) and self._list(uri):
            self._pages.unreadable(uri, visit.reason)
            yield uri, known.version if known is not None and visit.outcome == "failed" else ""

    def _count_failure(self, visit: Visit) -> None:
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            raise SourceUnavailable(
                f"{self._pages.label}: {self._failures} pages in a row could not be read, the last because "
                f"{visit.reason} Sync again later."
            )

    def _check_start(self, visit: Visit) -> None:
        if visit.outcome != "page":
            raise self._pages.start_error(visit, "Correct its location, or sync again later.")
        if not self._scope.holds(visit.address):
            raise SourceUnavailable(
                f"{self._pages.label} now leads to {visit.address!r}, which is not below it. "
                "If that is right, make it the source's location."
            )


class WebConnector:
    """Reads a page, or the pages below an address."""

    def __init__(self, settings: WebSource, resources: Resources, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._resources = resources
        self._clock = clock or Clock()
        self._label = f"Source {settings.name!r}: {settings.location!r}"
        self._opened: tuple[Pages, str, int] | None = None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Ask for the pages and yield a ref for each, while the rest are still being asked for."""
        pages, start, depth = self._open()
        await pages.begin()
        memory = await PageMemory.recall(self._resources.memory, pages.scope.text)
        crawl = _Crawl(pages, memory, start=start, depth=depth, limit=self._settings.pages)
        async with aclosing(crawl.documents()) as documents:
            async for uri, version in documents:
                yield DocumentRef(source=self._settings.name, uri=uri, version=version, url=uri)

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the bytes of a page."""
        pages, start, _ = self._open()
        return await pages.fetch(ref, start)

    def _open(self) -> tuple[Pages, str, int]:
        if self._opened is None:
            start = page_address(self._settings.location)
            if start is None:
                raise SourceInvalid(
                    f"{self._label} is no web address. Give one such as 'https://docs.example.org/guide/'."
                )
            below = urlsplit(start).path.endswith("/")
            depth = self._settings.depth
            depth = (DEPTH if below else 0) if depth is None else depth
            scope = Scope.of(start, self._settings, whole=depth == 0, origins=self._origins())
            pages = Pages(self._settings, self._resources, scope, label=self._label, clock=self._clock)
            self._opened = pages, start, depth
        return self._opened

    def _origins(self) -> list[str]:
        found = []
        for origin in self._settings.origins:
            address = page_address(origin)
            if address is None or urlsplit(address).path != "/" or urlsplit(address).query:
                raise SourceInvalid(
                    f"{self._label}: {origin!r} is no origin. Write one such as 'https://blog.example.org'."
                )
            found.append(origin_of(address))
        return found
