"""The pages that a sitemap names.

Where the sitemap says when a page changed, that is its version and nothing is asked for; other pages are
asked for what is new of them, as those of a crawl are. Pages of other sites are left out.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb.connectors.base import Resources
from kb.connectors.sitemap_files import Location, NoSitemap, SitemapFile, read_sitemap
from kb.connectors.web_address import Scope, page_address
from kb.connectors.web_manners import AT_ONCE, Clock
from kb.connectors.web_memory import PageEntry, PageMemory
from kb.connectors.web_order import in_order
from kb.connectors.web_pages import Pages, Visit, dated
from kb.documents import Content, DocumentRef
from kb.errors import FetchFailed, FetchRefused, SourceInvalid, SourceUnavailable
from kb.sources import SitemapSource

log = logging.getLogger(__name__)

# The protocol knows one level of indexes; some sites nest them.
LEVELS = 4
SITEMAPS = 1000
NAMED = 500_000

FAILURES_IN_A_ROW = 5
_DAY = re.compile(r"(\d{4}-\d{2}(?:-\d{2})?)\Z")
# A page whose sitemap gives only the day may change again on that day, in any time zone.
_DOUBTFUL = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Named:
    """A page that the sitemap names. `version` is empty when the page itself must be asked."""

    address: str
    version: str


class SitemapConnector:
    """Reads the pages of a sitemap."""

    def __init__(self, settings: SitemapSource, resources: Resources, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._resources = resources
        self._clock = clock or Clock()
        self._label = f"Source {settings.name!r}: {settings.location!r}"
        self._opened: tuple[Pages, str] | None = None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Read the sitemap whole, then yield a ref for each page that it names."""
        pages, start = self._open()
        await pages.begin()
        memory = await PageMemory.recall(self._resources.memory, pages.scope.text)
        named = self._chosen(await _Reading(pages, start).named(), memory)
        async with aclosing(_Listing(pages, memory).documents(named)) as documents:
            async for uri, version in documents:
                yield DocumentRef(source=self._settings.name, uri=uri, version=version, url=uri)
        await memory.end()

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the bytes of a page."""
        pages, start = self._open()
        return await pages.fetch(ref, start)

    def _open(self) -> tuple[Pages, str]:
        if self._opened is None:
            start = page_address(self._settings.location)
            if start is None:
                raise SourceInvalid(
                    f"{self._label} is no web address. Give one such as 'https://example.org/sitemap.xml'."
                )
            scope = Scope.of(start, self._settings, whole=True)
            pages = Pages(self._settings, self._resources, scope, label=self._label, clock=self._clock)
            self._opened = pages, start
        return self._opened

    def _chosen(self, named: list[_Named], memory: PageMemory) -> list[_Named]:
        """Return as many pages as may be read: those known from before, then the sitemap's first."""
        limit = self._settings.pages
        if len(named) <= limit:
            return named
        log.warning(
            "%s: names %d pages; %d of them are read. Raise pages, or choose by include and exclude.",
            self._label,
            len(named),
            limit,
        )
        room = limit - sum(1 for each in named if each.address in memory.known)
        chosen = []
        for each in named:
            if each.address not in memory.known:
                if room <= 0:
                    continue
                room -= 1
            chosen.append(each)
        return chosen


class _Reading:
    """Reads a sitemap and those that it names."""

    def __init__(self, pages: Pages, start: str) -> None:
        self._pages = pages
        self._start = start
        self._seen: set[str] = set()
        self._named: dict[str, _Named] = {}
        self._strange = 0

    async def named(self) -> list[_Named]:
        """Return the source's pages, each once; raise `SourceUnavailable` when a sitemap cannot be read."""
        level = [self._start]
        for _ in range(LEVELS):
            level = await self._read_level(level)
            if not level:
                break
        else:
            raise self._error(level[0], f"is more than {LEVELS} sitemap indexes deep")
        if self._strange:
            log.warning("%s: %d addresses are of other sites, or none", self._pages.label, self._strange)
        if self._strange and not self._named:
            raise SourceUnavailable(
                f"{self._pages.label} names only pages of other sites. Correct its location."
            )
        return [each for each in self._named.values() if self._pages.scope.takes(each.address)]

    async def _read_level(self, level: Sequence[str]) -> list[str]:
        found: dict[str, None] = {}
        for address in level:
            if address in self._seen:
                continue
            self._seen.add(address)
            if len(self._seen) > SITEMAPS:
                raise self._error(self._start, f"names more than {SITEMAPS} sitemaps")
            sitemap = await self._read(address)
            for each in sitemap.sitemaps:
                if (there := self._settled(each, address)) is not None:
                    found[there] = None
            await asyncio.to_thread(self._add, sitemap.pages, address)
            if len(self._named) > NAMED:
                raise self._error(self._start, f"names more than {NAMED:,} pages")
        return list(found)

    def _add(self, locations: Sequence[Location], base: str) -> None:
        now = datetime.now(UTC)
        for location in locations:
            if (address := self._settled(location, base)) is not None:
                self._named[address] = _Named(address, _version(location.lastmod, now))

    def _settled(self, location: Location, base: str) -> str | None:
        address = self._pages.scope.settled(location.address, base) if location.address else None
        self._strange += address is None
        return address

    async def _read(self, address: str) -> SitemapFile:
        try:
            fetched = await self._pages.asking.ask(address)
        except FetchRefused as exc:
            raise SourceInvalid(f"{self._pages.label}: {exc}") from exc
        except FetchFailed as exc:
            raise SourceUnavailable(f"{self._pages.label}: {exc}") from exc
        if fetched.status != 200:
            raise self._error(address, f"answers with status {fetched.status}")
        try:
            media_type = fetched.headers.get("content-type", "")
            return await asyncio.to_thread(read_sitemap, fetched.body, media_type)
        except NoSitemap as exc:
            raise self._error(address, str(exc)) from exc

    def _error(self, address: str, what: str) -> SourceUnavailable:
        where = "" if address == self._start else f": {address!r}"
        return SourceUnavailable(
            f"{self._pages.label}{where} {what}. Correct its location, or sync again later."
        )


class _Listing:
    """Turns what a sitemap names into documents, asking where it does not say what changed."""

    def __init__(self, pages: Pages, memory: PageMemory) -> None:
        self._pages = pages
        self._memory = memory
        self._failures = 0
        self._listed: set[str] = set()

    async def documents(self, named: Sequence[_Named]) -> AsyncGenerator[tuple[str, str], None]:
        """Yield uri and version of each document."""
        async with aclosing(in_order(self._look, self._allowed(named), AT_ONCE)) as looked:
            async for each, visit in looked:
                found = await (self._told(each) if visit is None else self._visited(visit))
                if found is not None and found[0] not in self._listed:
                    self._listed.add(found[0])
                    yield found

    async def _allowed(self, named: Sequence[_Named]) -> AsyncIterator[_Named]:
        for each in named:
            if await self._pages.robots.allow(each.address):
                yield each

    async def _look(self, each: _Named) -> tuple[_Named, Visit | None]:
        if each.version:
            return each, None
        return each, await self._pages.visit(each.address, self._memory)

    async def _told(self, each: _Named) -> tuple[str, str] | None:
        await self._memory.put(each.address, PageEntry(version=each.version))
        return each.address, each.version

    async def _visited(self, visit: Visit) -> tuple[str, str] | None:
        """Return the document that a visit shows, if any; one that gives no answer as it was known."""
        if visit.outcome == "page" and visit.entry is not None:
            return await self._shown(visit, visit.entry)
        if visit.outcome == "gone":
            return None
        self._failures = self._failures + 1 if visit.outcome == "failed" else 0
        if self._failures >= FAILURES_IN_A_ROW:
            raise SourceUnavailable(
                f"{self._pages.label}: {self._failures} pages in a row could not be read, the last because "
                f"{visit.reason} Sync again later."
            )
        uri, known = self._memory.target_of(visit.asked)
        await self._memory.put(uri, known or PageEntry())
        if uri != visit.asked:
            await self._memory.put(visit.asked, PageEntry(to=uri))
        self._pages.unreadable(uri, visit.reason)
        return uri, known.version if known is not None and visit.outcome == "failed" else ""

    async def _shown(self, visit: Visit, entry: PageEntry) -> tuple[str, str] | None:
        self._failures = 0
        if visit.address != visit.asked:
            await self._memory.put(visit.asked, PageEntry(to=visit.address))
            if not self._pages.scope.holds(visit.address):
                return None
        # What it links to is of no use here.
        await self._memory.put(visit.address, _without_links(entry))
        taken = entry.document and self._pages.scope.takes(visit.address)
        return (visit.address, entry.version) if taken else None


def _without_links(entry: PageEntry) -> PageEntry:
    return PageEntry(version=entry.version, etag=entry.etag, modified=entry.modified, document=entry.document)


def _version(lastmod: str, now: datetime) -> str:
    """Return the version token that a lastmod gives, empty when it does not tell two changes apart."""
    try:
        moment = datetime.fromisoformat(f"{lastmod}-01" if re.fullmatch(r"\d{4}-\d{2}", lastmod) else lastmod)
    except ValueError:
        return ""
    if not _DAY.match(lastmod):
        return dated(lastmod)
    span = _DOUBTFUL if len(lastmod) == 10 else _DOUBTFUL + timedelta(days=31)
    return dated(lastmod) if moment.replace(tzinfo=UTC) + span < now else ""
