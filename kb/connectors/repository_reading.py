"""What the connectors of repository hosts share: parts that are listed together and fetched one by one."""

from __future__ import annotations

import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import TypeAdapter

from kb.connectors.base import Resources
from kb.connectors.repository_api import Api, NotThere, Pace, ServerFault
from kb.connectors.repository_spool import Spool
from kb.connectors.selection import Selection
from kb.connectors.uris import path_of, uri_of
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.sources import GithubSource, GitlabSource

log = logging.getLogger(__name__)

T = TypeVar("T")

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_WHO, _SEEN = "repository", "parts"


class Listed(NamedTuple):
    """A document of a part. `version` is never empty."""

    uri: str
    version: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartListing:
    """All that a part holds, and what it wants to find again in the next run."""

    documents: Sequence[Listed]
    keep: str = field(default="", repr=False)


class PartClosed(Exception):
    """A part cannot be read as this source is set up; the message says what is missing."""


class Part(Protocol):
    """One kind of documents beside a repository. Its documents' uris begin with one of `prefixes`."""

    name: str
    prefixes: tuple[str, ...]

    async def listed(self, kept: str) -> PartListing:
        """Return all documents; `kept` is what the last run's listing kept, or empty.

        Raises SourceUnavailable when that cannot be all, PartClosed when it takes a login to see any.
        """
        ...

    async def read(self, ref: DocumentRef) -> Content:
        """Return a document's content; raise NotThere when there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A repository that has been found: what identifies it, and its parts that are in use."""

    identity: str
    parts: Sequence[Part]


class RepositoryConnector(ABC):
    """Reads the chosen parts of one repository."""

    def __init__(
        self, settings: GithubSource | GitlabSource, resources: Resources, *, pace: Pace | None = None
    ) -> None:
        self._settings = settings
        self._resources = resources
        self._pace = pace or Pace()
        self._spool = Spool(resources.data)
        self._opening = asyncio.Lock()
        self._opened: Opened | None = None

    @abstractmethod
    async def _open(self) -> Opened:
        """Find the repository. Raise SourceInvalid or SourceUnavailable."""

    async def _found(
        self, base: str, path: str, headers: Mapping[str, str], shape: TypeAdapter[T], *, called: str
    ) -> tuple[Api, T]:
        """Return the API at an address and what it says at the path of the repository."""
        settings = self._settings
        api = Api(
            base,
            label=f"Source {settings.name!r}: the {called} {shown(settings)!r}",
            fetcher=self._resources.fetcher,
            private_hosts=settings.private_hosts,
            token=self._resources.secret(settings.token_env),
            token_env=settings.token_env,
            headers=headers,
            pace=self._pace,
        )
        try:
            return api, api.parse(shape, await api.get(path))
        except NotThere:
            raise SourceUnavailable(
                f"{api.label} is not there, or not for this token. Check location and {settings.token_env}."
            ) from None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Bring what is remembered up to date and yield a ref for every document."""
        selection = Selection(self._settings)
        async with self._opening:
            await self._spool.clear()
            self._opened = opened = await self._open()
        for listed in await self._list_parts(opened):
            if selection.takes(listed.uri, ""):
                yield DocumentRef(
                    source=self._settings.name, uri=listed.uri, version=listed.version, url=listed.url
                )

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return a document as Markdown, with what was said under it in order."""
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        selection = Selection(self._settings)
        async with self._opening:
            opened = self._opened = self._opened or await self._open()
        prefix = ref.uri.partition("/")[0]
        part = next((part for part in opened.parts if prefix in part.prefixes), None)
        if part is None or not selection.takes(ref.uri, ""):
            raise DocumentVanished(f"{name} is none of that source's documents.")
        try:
            content = await part.read(ref)
        except NotThere as exc:
            # A repository that is gone answers so too, and loses no document by it.
            await self._open()
            raise DocumentVanished(f"{name} is not there any more.") from exc
        except ServerFault as exc:
            raise DocumentUnreadable(f"{name} cannot be read: the server fails over it.") from exc
        if len(content.data) > self._resources.max_bytes:
            raise DocumentUnreadable(
                f"{name} is too large: {len(content.data):,} bytes, "
                f"the limit is {self._resources.max_bytes:,}.",
                status="too-large",
            )
        return content

    async def _list_parts(self, opened: Opened) -> list[Listed]:
        recalled = await self._resources.memory.recall()
        kept: Mapping[str, str] = recalled if recalled.get(_WHO) == opened.identity else {}
        seen = set(kept.get(_SEEN, "").split())
        documents: list[Listed] = []
        entries = {_WHO: opened.identity}
        for part in opened.parts:
            listing = await self._list_part(part, kept.get(part.name, ""), required=part.name in seen)
            documents += listing.documents
            entries[part.name] = listing.keep
            if listing.documents:
                seen.add(part.name)
        entries[_SEEN] = " ".join(sorted(seen))
        changed = {key: value for key, value in entries.items() if recalled.get(key) != value}
        stale = recalled.keys() - entries.keys()
        if changed or stale:
            await self._resources.memory.keep(changed, drop=stale)
        return documents

    async def _list_part(self, part: Part, kept: str, *, required: bool) -> PartListing:
        """List a part; one that was never readable and that nobody asked for is left out with a warning."""
        try:
            return await part.listed(kept)
        except NotThere:
            raise SourceUnavailable(
                f"Source {self._settings.name!r}: the list of its {part.name} is not there. "
                f"Sync again later, or leave {part.name} out of parts."
            ) from None
        except PartClosed as exc:
            reason = f"Source {self._settings.name!r}: its {part.name} cannot be read: {exc}"
            if required or "parts" in self._settings.model_fields_set:
                raise SourceUnavailable(reason) from exc
            log.warning("%s It is left out.", reason)
            return PartListing(documents=())


def repository_path(settings: GithubSource | GitlabSource, host: str, *, deepest: int) -> str:
    """Return the repository's path of a location: `owner/name`, `github:owner/name` or its web address.

    Raises SourceInvalid when the location names none, or one on another host than `base_url`'s.
    """
    location = settings.location.strip()
    problem = f"Source {settings.name!r}: {shown(settings)!r}"
    if "://" in location:
        try:
            parts = urlsplit(location)
            named = parts.hostname
        except ValueError as exc:
            raise SourceInvalid(f"{problem} is no web address. Write owner/name.") from exc
        if parts.scheme not in {"http", "https"} or not named:
            raise SourceInvalid(f"{problem} is no web address. Write owner/name.")
        if named.removeprefix("www.") != host:
            raise SourceInvalid(f"{problem} is not on {host!r}. Set base_url to its server's API.")
        location = parts.path
    path = location.removeprefix(f"{settings.type}:").strip("/").partition("/-/")[0]
    segments = path.removesuffix(".git").split("/")
    if "://" in settings.location and deepest == 2:
        segments = segments[:2]
    if not 2 <= len(segments) <= deepest or not all(re.fullmatch(_NAME, each) for each in segments):
        raise SourceInvalid(f"{problem} names no repository. Write owner/name.")
    return "/".join(segments)


def shown(settings: GithubSource | GitlabSource) -> str:
    """Return the location fit for messages: printable, short, without what may be a secret."""
    text = re.sub(r"(?<=://)[^/]*@|[?#].*", "", settings.location)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)[:200]


def number_in(uri: str) -> int:
    """Return the number of a uri such as `issues/12`; raise NotThere when it has none."""
    rest = uri.partition("/")[2]
    if not _NUMBER.fullmatch(rest):
        raise NotThere
    return int(rest)


def uri_in(prefix: str, name: str) -> str:
    """Return the uri of what has this name under a prefix: a release by its tag, a wiki page by its slug."""
    return f"{prefix}/{uri_of(name.encode('utf-8', 'replace'))}"


def segment_of(uri: str) -> str:
    """Return what follows a uri's prefix as one segment of a path; raise NotThere when it can be none."""
    name = path_of(uri.partition("/")[2])
    if name is None or {b"", b".", b".."} & set(name.split(b"/")) or b"\0" in name or len(name) > 1000:
        raise NotThere
    return quote(name, safe="")


def stamp(when: datetime) -> str:
    """Return a moment as the APIs take it."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
