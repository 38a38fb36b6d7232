"""GitHub's wiki of a repository: a git repository of pages beside it, read from a mirror."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from kb.connectors.base import Resources
from kb.connectors.git_address import Address, parse_address
from kb.connectors.git_mirror import Blob, Mirror, Snapshot
from kb.connectors.git_process import BlobReader, ChangeTimes, MirrorDamaged
from kb.connectors.repository_api import NotThere
from kb.connectors.repository_reading import Listed, PartClosed, PartListing
from kb.connectors.uris import uri_of
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, FetchError, SourceInvalid, SourceUnavailable
from kb.parsing.markdown import first_title

_SECONDS = 600.0
# The markups of GitHub's wikis, less what is Markdown under another name.
_PAGES = frozenset(
    {".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".rst", ".rest", ".asciidoc", ".adoc", ".asc", ".org"}
    | {".textile", ".rdoc", ".creole", ".pod", ".mediawiki", ".wiki"}
)
_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn"})


@dataclass(frozen=True, slots=True)
class _Opened:
    pages: dict[str, tuple[bytes, Blob]]
    reader: BlobReader
    times: ChangeTimes


class GitWiki:
    """The pages of a wiki."""

    name = "wiki"
    prefixes: tuple[str, ...] = ("wiki",)

    def __init__(
        self,
        location: str,
        *,
        label: str,
        resources: Resources,
        private_hosts: bool,
        page: Callable[[str], str | None],
    ) -> None:
        self._location = location
        self._label = label
        self._resources = resources
        self._private_hosts = private_hosts
        self._page = page
        self._opening = asyncio.Lock()
        self._opened: _Opened | None = None

    async def listed(self, kept: str) -> PartListing:
        """Fetch what is new and return all pages."""
        async with self._opening:
            self._opened = opened = await self._open()
        return PartListing(
            documents=[
                Listed(uri, blob.id, self._address(path)) for uri, (path, blob) in opened.pages.items()
            ],
            keep="",
        )

    async def read(self, ref: DocumentRef) -> Content:
        """Return a page as it was listed, under a title where it has none."""
        async with self._opening:
            try:
                opened = self._opened = self._opened or await self._open()
            except PartClosed as exc:
                raise SourceUnavailable(f"{self._label} cannot be read: {exc}") from exc
        path, blob = opened.pages.get(ref.uri, (b"", None))
        if blob is None:
            raise NotThere
        if blob.size > self._resources.max_bytes:
            raise DocumentUnreadable(
                f"{ref.uri!r} is too large: {blob.size:,} bytes, the limit is {self._resources.max_bytes:,}.",
                status="too-large",
            )
        try:
            data, when = await asyncio.to_thread(lambda: (opened.reader.read(blob.id), opened.times.of(path)))
        except MirrorDamaged as exc:
            raise SourceUnavailable(
                f"{self._label}: its mirror cannot be read ({exc}). Check the disk of the data folder."
            ) from exc
        markdown = PurePosixPath(path.decode("utf-8", "replace")).suffix.lower() in _MARKDOWN
        return Content(
            data=_titled(data, _title(path)) if markdown else data,
            media_type="text/markdown" if markdown else "",
            updated=None if when is None else datetime.fromtimestamp(when, UTC),
            url=self._address(path),
        )

    async def _open(self) -> _Opened:
        try:
            address = parse_address(self._location)
        except SourceInvalid as exc:
            raise PartClosed(f"{exc} Leave wiki out of parts.") from exc
        there = await self._answers(address)
        mirror = Mirror(
            address,
            label=self._label,
            data=self._resources.data,
            private_hosts=self._private_hosts,
            seconds=_SECONDS,
        )
        try:
            snapshot = await mirror.snapshot("", "")
        except SourceUnavailable as exc:
            if there:
                raise
            raise PartClosed(
                "it has no page yet, or it needs a login. Put one into ~/.netrc, or leave wiki out of parts."
            ) from exc
        return _Opened(_pages(snapshot), mirror.blobs(), mirror.times(snapshot.commit))

    async def _answers(self, address: Address) -> bool:
        """Say whether the wiki shows itself to everyone; a host that cannot be reached is an outage."""
        if address.protocol != "https":
            return True
        url = f"{address.url}/info/refs?service=git-upload-pack"
        try:
            answer = await self._resources.fetcher.fetch(url, private_hosts=self._private_hosts)
        except FetchError as exc:
            raise SourceUnavailable(f"{self._label} cannot be reached: {exc}") from exc
        if answer.status in {200, 401, 403, 404}:
            return answer.status == 200
        raise SourceUnavailable(f"{self._label}: its host answers with status {answer.status}.")

    def _address(self, path: bytes) -> str | None:
        name = PurePosixPath(path.decode("utf-8", "replace")).stem
        return self._page(f"wiki/{quote(name)}")


def _pages(snapshot: Snapshot) -> dict[str, tuple[bytes, Blob]]:
    found = {}
    for path, blob in snapshot.blobs.items():
        name = PurePosixPath(path.decode("utf-8", "surrogateescape"))
        if name.suffix.lower() in _PAGES and not name.name.startswith(("_", ".")):
            found[f"wiki/{uri_of(path.removesuffix(b'.md'))}"] = (path, blob)
    return found


def _title(path: bytes) -> str:
    return " ".join(PurePosixPath(path.decode("utf-8", "replace")).stem.replace("-", " ").split())


def _titled(data: bytes, title: str) -> bytes:
    if not data.strip() or first_title(data.decode("utf-8", "replace")):
        return data
    return f"# {title}\n\n".encode() + data
