"""From a listed document to what shall be stored of it: fetch, compare, parse, make nodes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kb import faults
from kb.connectors.base import Connector
from kb.documents import Audience, Content, DocumentRef
from kb.errors import DocumentUnreadable, KnowledgeBaseError
from kb.nodes import StoredNode, index_text, node_hash, node_id
from kb.planning import PARSE_ATTEMPTS, Known, Task, made_by, next_attempt
from kb.reports import Effect
from kb.sources import AnySource

if TYPE_CHECKING:
    from kb.parsing.parsed import ParsedDocument
    from kb.parsing.pool import Parser

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
_IN_FLIGHT_BYTES = 64 * MEGABYTE
_HASH_INLINE_BYTES = MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to be stored and recorded of one document.

    `nodes` is None when the store stays as it is. `title` is the document's own, which the nodes' index
    texts begin with; the nodes show the file's name where there is none. It is not `exact` when the
    document was no longer what had been listed.
    """

    row: Known
    effect: Effect
    nodes: tuple[StoredNode, ...] | None = field(default=None, repr=False)
    title: str = ""
    bytes: int = 0
    exact: bool = True

    def text(self, node: StoredNode) -> str:
        """Return what is embedded of one of the nodes."""
        return index_text(self.title, node.heading, node.text)


class Room:
    """Bounds the bytes that are held at a time; something larger than the bound goes alone."""

    def __init__(self, limit: int = _IN_FLIGHT_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes, waiting until there is room for them."""
        async with self._freed:
            await self._freed.wait_for(lambda: not self._held or self._held + size <= self._limit)
            self._held += size
        try:
            yield
        finally:
            self._held -= size
            async with self._freed:
                self._freed.notify_all()


class Preparer:
    """Prepares the documents of one source. It writes nothing."""

    def __init__(
        self,
        connector: Connector,
        parser: Parser,
        source: AnySource,
        *,
        max_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._parser = parser
        self._audience = tuple(Audience(source.seen_by).stored())
        self._max_bytes = max_bytes
        self._clock = clock
        self._room = Room()

    async def prepare(self, task: Task) -> Outcome:
        """Fetch and parse a document. Raise `SourceUnavailable` and the like, but never for one document."""
        try:
            return await self._prepare(task)
        except KnowledgeBaseError:
            raise
        except Exception as exc:
            # A document that trips over a fault of ours must not stop its neighbours.
            log.exception("document cannot be prepared source=%s uri=%r", task.ref.source, task.ref.uri)
            reason = f"cannot be read for an internal error ({type(exc).__name__}). See the log."
            return self._not_fetched(task, DocumentUnreadable(reason))

    async def _prepare(self, task: Task) -> Outcome:
        size = task.ref.size
        if size is not None and size > self._max_bytes:
            return self._too_large(task, task.ref.version, size)
        async with self._room.taken(MEGABYTE if size is None else size):
            faults.reach("fetch")
            try:
                content = await self._connector.fetch(task.ref)
            except DocumentUnreadable as exc:
                return self._not_fetched(task, exc)
            return await self._compare(task, content)

    async def _compare(self, task: Task, content: Content) -> Outcome:
        version = task.ref.version if content.version is None else content.version
        if len(content.data) > self._max_bytes:
            return self._too_large(task, version, len(content.data))
        digest = await _digest(content.data)
        known = task.known
        if known is not None and not task.forced and known.content_hash == digest and _is_settled(known):
            return _same(task, known, version, len(content.data))
        return await self._parse(task, content, version, digest)

    async def _parse(self, task: Task, content: Content, version: str, digest: str) -> Outcome:
        row = Known(
            document_id=task.ref.document_id,
            uri=task.ref.uri,
            version=version,
            content_hash=digest,
            audience=self._audience,
        )
        if not content.data.strip():
            return _stored(task, replace(row, status="empty"), size=len(content.data))
        faults.reach("parse")
        try:
            parsed = await self._parser.parse(content.data, task.ref.uri, content.media_type)
        except DocumentUnreadable as exc:
            return self._not_parsed(task, row, exc)
        faults.reach("split")
        if not parsed.pieces:
            empty = DocumentUnreadable("holds 0 characters of text.", status="empty")
            return self._not_parsed(task, row, empty)
        nodes = make_nodes(task.ref, content, parsed, self._audience)
        return _stored(task, row, nodes, title=parsed.title, size=len(content.data))

    def _too_large(self, task: Task, version: str, size: int) -> Outcome:
        reason = (
            f"is {size / MEGABYTE:.1f} MB; the limit is {self._max_bytes / MEGABYTE:g} MB. "
            "Split it, exclude it, or raise [sync] max_file_mb."
        )
        row = Known(
            document_id=task.ref.document_id, uri=task.ref.uri, version=version, audience=self._audience
        )
        return self._not_parsed(task, row, DocumentUnreadable(reason, status="too-large"))

    def _not_fetched(self, task: Task, exc: DocumentUnreadable) -> Outcome:
        """Return the outcome of a failed fetch: what is stored stays, and it is tried again later."""
        if exc.status in ("unreadable", "vanished"):
            attempts = _attempts(task, task.ref.version)
            return self._kept(task, exc, task.ref.version, attempts)
        row = Known(document_id=task.ref.document_id, uri=task.ref.uri, version=task.ref.version)
        return self._not_parsed(task, row, exc)

    def _not_parsed(self, task: Task, row: Known, exc: DocumentUnreadable) -> Outcome:
        """Return the outcome of a document that gives no text.

        A time-out or a crash of the parser may pass: the old nodes stay for some attempts. Otherwise what
        is stored is no longer what the document says, so it goes.
        """
        if exc.status == "unreadable":
            attempts = _attempts(task, row.version) + 1
            if attempts < PARSE_ATTEMPTS:
                return self._kept(task, exc, row.version, attempts)
            retry_at = next_attempt(task.known, row.version, self._clock())
            row = replace(row, attempts=attempts, retry_at=retry_at)
        made = made_by(exc.status, self._max_bytes)
        return _stored(task, replace(row, status=exc.status, reason=str(exc), pipeline=made))

    def _kept(self, task: Task, exc: DocumentUnreadable, version: str, attempts: int) -> Outcome:
        """Return a failure that leaves the stored nodes, and the hash of the bytes they were made of."""
        before = task.known or Known(document_id=task.ref.document_id, uri=task.ref.uri, version=version)
        row = replace(
            before,
            version=version,
            content_hash=before.content_hash if before.nodes else "",
            status=exc.status,
            reason=str(exc),
            attempts=attempts,
            retry_at=next_attempt(task.known, version, self._clock()),
            # A forced document may be stored otherwise than its row says, so its next reading is forced too.
            pipeline="" if task.forced else before.pipeline,
        )
        return Outcome(row=row, effect="failed", exact=version == task.ref.version)


def make_nodes(
    ref: DocumentRef, content: Content, parsed: ParsedDocument, audience: tuple[str, ...]
) -> tuple[StoredNode, ...]:
    """Make a document's nodes: ids depend on document and text alone, equal texts count up."""
    seen: dict[str, int] = {}
    nodes = []
    document = ref.document_id
    for position, piece in enumerate(parsed.pieces):
        digest = node_hash(index_text(parsed.title, piece.heading, piece.text))
        seen[digest] = seen.get(digest, 0) + 1
        node = StoredNode(
            id=node_id(document, digest, seen[digest] - 1),
            document_id=document,
            source=ref.source,
            uri=ref.uri,
            title=parsed.title or PurePosixPath(ref.uri).stem or ref.uri,
            heading=piece.heading,
            position=position,
            text=piece.text,
            hash=digest,
            updated=_updated(parsed, content),
            audience=audience,
            url=content.url or ref.url or "",
            page=piece.page,
            metadata=parsed.metadata,
        )
        nodes.append(node)
    return tuple(nodes)


def _is_settled(known: Known) -> bool:
    """Tell whether equal bytes leave nothing to try: their nodes are stored, or they never give any."""
    return bool(known.nodes) or not known.retry_at


def _attempts(task: Task, version: str) -> int:
    known = task.known
    return known.attempts if known is not None and known.version == version else 0


def _stored(
    task: Task, row: Known, nodes: tuple[StoredNode, ...] = (), *, title: str = "", size: int = 0
) -> Outcome:
    effect: Effect = "added" if task.is_new else "updated"
    row = replace(row, nodes=len(nodes))
    # Without rows before and after there is nothing to remove from the store.
    idle = not nodes and not task.forced and (task.known is None or not task.known.nodes)
    return Outcome(
        row=row,
        effect="failed" if row.failed else effect,
        nodes=None if idle else nodes,
        title=title,
        bytes=size,
        exact=row.version == task.ref.version,
    )


def _same(task: Task, known: Known, version: str, size: int) -> Outcome:
    """Return the outcome of bytes that are the known ones: the row alone follows."""
    row = replace(known, version=version)
    if row.failed and row.nodes:
        row = replace(row, status="ok", reason="", attempts=0, retry_at=0.0)
    return Outcome(
        row=row,
        effect="failed" if row.failed else "unchanged",
        bytes=size,
        exact=version == task.ref.version,
    )


def _updated(parsed: ParsedDocument, content: Content) -> float:
    if parsed.updated is not None:
        return parsed.updated
    return content.updated.timestamp() if content.updated is not None else 0.0


async def _digest(data: bytes) -> str:
    if len(data) <= _HASH_INLINE_BYTES:
        return hashlib.sha256(data).hexdigest()[:32]
    return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()[:32])
