"""A source that a LlamaHub reader loads: code of others, run in a child process, and only if it is allowed.

A reader gives all its documents at once, so they are loaded to disk when the source is listed, and fetched
from there: what was listed is what is fetched. A load that fails lists nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from pydantic import SecretStr

from kb.connectors.base import Resources
from kb.connectors.reader_process import Job, run_reader
from kb.connectors.reader_spool import Spool, Spooled
from kb.connectors.selection import Selection
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.sources import ReaderSource

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_BATCH = 1000


class ReaderConnector:
    """Reads what a reader loads."""

    def __init__(self, settings: ReaderSource, resources: Resources) -> None:
        self._settings = settings
        self._resources = resources
        self._loading = asyncio.Lock()
        self._loaded: Spool | None = None

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Load the source, then yield a ref for every document."""
        selection = Selection(self._settings)
        async with self._loading:
            self._loaded = None
            self._loaded = spool = await self._load()
        entries = spool.entries()
        while batch := await asyncio.to_thread(_batch, entries):
            for entry in batch:
                if _chosen(selection, entry):
                    yield self._ref(entry)

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return a document as the last listing loaded it; a new connector loads the source first."""
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        selection = Selection(self._settings)
        async with self._loading:
            if self._loaded is None:
                self._loaded = await self._load()
            spool = self._loaded
        found = await asyncio.to_thread(spool.find, ref.uri)
        if found is None or not _chosen(selection, found):
            raise DocumentVanished(f"{name} is gone.")
        if found.file is None:
            limit = self._resources.max_bytes
            raise DocumentUnreadable(
                f"{name} is too large: {found.size:,} bytes, the limit is {limit:,}.", status="too-large"
            )
        return Content(
            data=await asyncio.to_thread(found.read),
            media_type="text/markdown",
            updated=found.updated,
            url=found.url,
            version=None if found.version == ref.version else found.version,
        )

    def _ref(self, entry: Spooled) -> DocumentRef:
        return DocumentRef(
            source=self._settings.name,
            uri=entry.uri,
            version=entry.version,
            size=entry.size,
            url=entry.url,
        )

    async def _load(self) -> Spool:
        job = self._job()
        folder = self._resources.data / "cache" / "readers" / self._settings.name
        try:
            spool = await asyncio.to_thread(Spool, folder)
        except OSError as exc:
            raise SourceUnavailable(
                f"{job.label} has no room for its documents in {str(folder)!r} ({exc.strerror}). Make room."
            ) from exc
        loaded = False
        try:
            await run_reader(job, spool)
            loaded = True
        finally:
            if not loaded:
                spool.remove()
        return spool

    def _job(self) -> Job:
        settings, readers = self._settings, self._resources.readers
        label = f"Source {settings.name!r}: the reader {settings.location!r}"
        if not _NAME.fullmatch(settings.location):
            raise SourceInvalid(
                f"{label} is no full name. Write one such as llama_index.readers.wikipedia.WikipediaReader."
            )
        if settings.location not in readers.allowed:
            raise SourceInvalid(
                f"{label} is not allowed. It is code of others: if you trust it, "
                f"add it to `allowed` of [readers] in the settings."
            )
        secrets = {
            argument: self._secret(label, argument, variable)
            for argument, variable in settings.secrets.items()
        }
        return Job(
            label=label,
            reader=settings.location,
            arguments={
                **settings.arguments,
                **{name: value.get_secret_value() for name, value in secrets.items()},
            },
            load=settings.load,
            secrets=tuple(secrets.values()),
            private_hosts=settings.private_hosts,
            allowed_hosts=self._resources.fetcher.settings.private_hosts,
            limits=readers,
            max_bytes=self._resources.max_bytes,
        )

    def _secret(self, label: str, argument: str, variable: str) -> SecretStr:
        value = self._resources.secret(variable)
        if value is None:
            raise SourceInvalid(
                f"{label}: the environment variable {variable!r} of its argument {argument!r} "
                f"is not set. Set it."
            )
        return value


def _chosen(selection: Selection, entry: Spooled) -> bool:
    return selection.takes(entry.name, entry.name.rpartition("/")[2])


def _batch(entries: Iterator[Spooled]) -> list[Spooled]:
    return list(islice(entries, _BATCH))
