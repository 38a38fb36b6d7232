"""Pages of a source: visited while listing, by conditional requests, and fetched."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from kb.connectors.base import Resources
from kb.connectors.web_address import Scope, page_address
from kb.connectors.web_asking import Asking, Robots, moment_of
from kb.connectors.web_facts import page_facts
from kb.connectors.web_manners import Clock
from kb.connectors.web_memory import PageEntry, PageMemory, pack_links
from kb.connectors.web_spool import Spool, read_spooled
from kb.documents import Content, DocumentRef
from kb.errors import (
    DocumentUnreadable,
    DocumentVanished,
    FetchError,
    FetchFailed,
    FetchRefused,
    SourceInvalid,
    SourceUnavailable,
)
from kb.sources import PagesSource

if TYPE_CHECKING:
    from kb.fetch import Fetched

log = logging.getLogger(__name__)

Outcome = Literal["page", "gone", "barred", "refused", "failed"]

_ACCEPT = {"accept": "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, */*;q=0.5"}
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_READ = _HTML | frozenset(
    {
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/x-ipynb+json",
        "message/rfc822",
        "text/asciidoc",
        "text/csv",
        "text/markdown",
        "text/plain",
        "text/tab-separated-values",
        "text/x-markdown",
        "text/x-rst",
    }
)
_READ_BY_NAME = frozenset(
    {"pdf", "docx", "pptx", "xlsx", "md", "markdown", "rst", "txt", "adoc", "ipynb", "csv"}
)
# A second is all that Last-Modified tells apart: RFC 9110, 8.8.2.2.
_SETTLED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of asking for a page.

    `address` is where redirects ended. A page has an `entry`. One that is `barred` its host does not show,
    one that is `refused` the gate does not ask for; one that has `failed` gave no answer that says anything.
    """

    asked: str
    address: str
    outcome: Outcome
    entry: PageEntry | None = None
    reason: str = ""


class Pages:
    """Reads the pages of one source."""

    def __init__(
        self, settings: PagesSource, resources: Resources, scope: Scope, *, label: str, clock: Clock
    ) -> None:
        self.label = label
        self.scope = scope
        self.asking = Asking(
            label, resources, private_hosts=settings.private_hosts, delay=settings.delay, clock=clock
        )
        self.robots = Robots(self.asking, honoured=settings.robots)
        self._source = settings.name
        self._spool = Spool(resources.data, settings.name)
        self._failed: dict[str, str] = {}

    async def begin(self) -> None:
        """Forget the last run."""
        self.asking.reset()
        self.robots.reset()
        self._failed.clear()
        await asyncio.to_thread(self._spool.clear)

    # Listing

    async def visit(self, address: str, memory: PageMemory) -> Visit:
        """Ask for a page, only for what is new of it where the memory allows."""
        target, known = memory.target_of(address)
        try:
            fetched = await self._conditionally(address, target, known)
        except FetchRefused as exc:
            return Visit(asked=address, address=address, outcome="refused", reason=str(exc))
        except FetchFailed as exc:
            return Visit(asked=address, address=address, outcome="failed", reason=str(exc))
        return await self._judge(address, fetched, known)

    def unreadable(self, uri: str, reason: str) -> None:
        """Let fetching a page fail with what listing has met, without asking again."""
        self._failed[uri] = reason

    async def _conditionally(self, address: str, target: str, known: PageEntry | None) -> Fetched:
        """Ask whether a page that redirects to `target`, or is it, has changed since it was known."""
        validators = known.validators if known is not None and known.version else {}
        fetched = await self.asking.ask(address, {**_ACCEPT, **validators})
        if fetched.status == 304 and validators and page_address(fetched.url) != target:
            fetched = await self.asking.ask(address, _ACCEPT)
            validators = {}
        if fetched.status == 304 and not validators:
            raise FetchFailed(f"{address!r} answers with status 304 to a request without conditions.")
        return fetched

    async def _judge(self, asked: str, fetched: Fetched, known: PageEntry | None) -> Visit:
        address = page_address(fetched.url) or fetched.url
        if fetched.status == 304:
            return Visit(asked=asked, address=address, outcome="page", entry=known)
        if fetched.status == 200:
            entry = await self._read(address, fetched, known)
            return Visit(asked=asked, address=address, outcome="page", entry=entry)
        reason = f"{asked!r} answers with status {fetched.status}."
        if fetched.status in {404, 410}:
            return Visit(asked=asked, address=address, outcome="gone", reason=reason)
        if fetched.status < 500:
            return Visit(asked=asked, address=address, outcome="barred", reason=reason)
        return Visit(asked=asked, address=address, outcome="failed", reason=reason)

    async def _read(self, address: str, fetched: Fetched, known: PageEntry | None) -> PageEntry:
        """Return what is to be remembered of a page, and spool it when it is new."""
        media_type = media_type_of(fetched)
        entry = PageEntry(
            version=version_of(fetched.body),
            etag=fetched.headers.get("etag", ""),
            modified=reliable_time(fetched.headers),
            document=is_read(address, media_type),
        )
        if _essence(media_type) in _HTML:
            entry = await self._with_facts(entry, address, fetched)
        is_new = known is None or known.version != entry.version
        if is_new and entry.document and self.scope.takes(address):
            await self._keep(address, fetched, entry.version)
        return entry

    async def _with_facts(self, entry: PageEntry, address: str, fetched: Fetched) -> PageEntry:
        facts = await asyncio.to_thread(page_facts, fetched.body, fetched.headers)
        base = page_address(facts.base, address) or address
        found = (self.scope.settled(link, base) for link in facts.links)
        links = [
            link for link in dict.fromkeys(found) if link and link != address and self.scope.enters(link)
        ]
        canonical = self.scope.settled(facts.canonical, base) if facts.canonical else None
        return replace(
            entry,
            document=facts.index,
            packed=pack_links(links),
            canonical="" if canonical in {None, address} else canonical or "",
        )

    async def _keep(self, address: str, fetched: Fetched, version: str) -> None:
        try:
            await asyncio.to_thread(
                self._spool.put,
                address,
                fetched.body,
                media_type=media_type_of(fetched),
                updated=moment_of(fetched.headers.get("last-modified")),
                version=version,
            )
        except OSError as exc:
            # It is asked for again when it is fetched.
            log.warning("page cannot be spooled source=%s reason=%s", self._source, exc.strerror)

    # Fetching

    async def fetch(self, ref: DocumentRef, start: str) -> Content:
        """Return the content of a page: what listing has read, or else what is there now.

        The answer of `start` tells whether the host is alive when the page's own does not come.
        """
        name = f"{ref.uri!r} of source {self._source!r}"
        if not self._is_ours(ref.uri):
            raise DocumentVanished(f"{name} is none of that source's documents.")
        if (content := await self._spooled(ref)) is not None:
            return content
        if (reason := self._failed.get(ref.uri)) is not None:
            raise DocumentUnreadable(f"{name} cannot be read: {reason}")
        if not await self.robots.allow(ref.uri):
            raise DocumentVanished(f"{name} may not be read: robots.txt of its host forbids it.")
        return await self._content(ref, name, await self._asked(ref.uri, name, start))

    def _is_ours(self, uri: str) -> bool:
        return page_address(uri) == uri and self.scope.holds(uri) and self.scope.takes(uri)

    async def _spooled(self, ref: DocumentRef) -> Content | None:
        page = self._spool.take(ref.uri)
        data = await asyncio.to_thread(read_spooled, page) if page is not None else None
        if page is None or data is None:
            return None
        return Content(
            data=data,
            media_type=page.media_type,
            updated=page.updated,
            url=ref.uri,
            version=self._told(page.version, ref),
        )

    def _told(self, version: str, ref: DocumentRef) -> str | None:
        """Return the version of what was read when it differs from a listed one of the same kind."""
        return None if ref.version == version or is_dated(ref.version) else version

    async def _asked(self, address: str, name: str, start: str) -> Fetched:
        try:
            return await self.asking.ask(address, _ACCEPT)
        except FetchRefused as exc:
            raise DocumentUnreadable(f"{name} may not be read: {exc}") from exc
        except FetchFailed as exc:
            await self._look_alive(start)
            raise DocumentUnreadable(f"{name} cannot be read: {exc}") from exc

    async def _look_alive(self, start: str) -> None:
        """Raise `SourceUnavailable` when the source's own address gives no answer either."""
        try:
            await self.asking.ask(start, _ACCEPT)
        except FetchError as exc:
            raise SourceUnavailable(f"{self.label}: {exc}") from exc

    async def _content(self, ref: DocumentRef, name: str, fetched: Fetched) -> Content:
        if fetched.status in {404, 410}:
            raise DocumentVanished(f"{name} is gone: its host answers with status {fetched.status}.")
        if fetched.status != 200:
            raise DocumentUnreadable(f"{name} cannot be read: its host answers with status {fetched.status}.")
        address = page_address(fetched.url)
        if address is None or not self.scope.holds(address):
            raise DocumentVanished(f"{name} leads out of the source, to {fetched.url!r}.")
        media_type = media_type_of(fetched)
        if not is_read(address, media_type):
            raise DocumentUnreadable(
                f"{name} is {_essence(media_type)!r}, which is not read.", status="passed-over"
            )
        if is_dated(ref.version):
            await self._check_wish(name, fetched, media_type)
        return Content(
            data=fetched.body,
            media_type=media_type,
            updated=moment_of(fetched.headers.get("last-modified")),
            url=ref.uri,
            version=self._told(version_of(fetched.body), ref),
        )

    async def _check_wish(self, name: str, fetched: Fetched, media_type: str) -> None:
        """Refuse a page that asks not to be indexed, where listing has not read it."""
        if _essence(media_type) in _HTML:
            facts = await asyncio.to_thread(page_facts, fetched.body, fetched.headers)
            if not facts.index:
                raise DocumentUnreadable(f"{name} asks not to be indexed (noindex).", status="empty")

    # What is wrong with a whole source

    def start_error(self, visit: Visit, what: str) -> SourceInvalid | SourceUnavailable:
        """Return the error of a source whose own address cannot be read."""
        if visit.outcome == "refused":
            return SourceInvalid(f"{self.label}: {visit.reason}")
        return SourceUnavailable(f"{self.label}: {visit.reason} {what}")


def version_of(body: bytes) -> str:
    """Return the version token of a page's bytes."""
    return hashlib.sha256(body).hexdigest()[:32]


def dated(lastmod: str) -> str:
    """Return the version token of a page whose sitemap says when it changed."""
    return f"lastmod {lastmod}"


def is_dated(version: str) -> bool:
    """Say whether a version token was made by `dated`."""
    return version.startswith("lastmod ")


def is_read(address: str, media_type: str) -> bool:
    """Say whether there may be a reader for a page."""
    essence = _essence(media_type)
    if essence in {"application/octet-stream", "binary/octet-stream"}:
        return urlsplit(address).path.rpartition(".")[2].lower() in _READ_BY_NAME
    return essence in _READ


def media_type_of(fetched: Fetched) -> str:
    """Return the media type of an answer; one without is HTML if it looks like it."""
    told = fetched.headers.get("content-type", "").strip()
    return told or ("text/html" if fetched.body[:512].lstrip().startswith(b"<") else "text/plain")


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def reliable_time(headers: Mapping[str, str]) -> str:
    """Return `Last-Modified` unless the page may have changed again within the second that it names."""
    modified = moment_of(headers.get("last-modified"))
    date = moment_of(headers.get("date")) or datetime.now(UTC)
    return headers["last-modified"] if modified is not None and modified + _SETTLED <= date else ""
