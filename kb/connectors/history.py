"""A chat channel's history as documents: each thread is one, and so is each talk outside threads.

Messages outside threads that follow each other within minutes are one document, named by the first of them;
none goes past midnight UTC, so that any day can be read by itself.

A listing reads the channel back to `look_back`, and once a day back to `days`, which finds what was deleted
or edited before. A thread is read when the listing shows that it changed; edited replies do not show there,
so each listing also reads some of the threads of `look_back` again, those first that wait longest. All else
keeps its remembered version.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kb.connectors.base import Resources
from kb.connectors.history_channel import Channel, Head, Message, Thread
from kb.connectors.history_rows import (
    Remembered,
    Row,
    listed_entries,
    read_memory,
    row_entries,
    row_keys,
)
from kb.connectors.history_text import document
from kb.documents import Content, DocumentRef
from kb.errors import DocumentUnreadable, DocumentVanished, SourceInvalid, SourceUnavailable
from kb.settings import interval_seconds
from kb.sources import DiscordHistorySource, SlackHistorySource

Clock = Callable[[], float]

DAY = 86_400.0
PAUSE = 600.0  # seconds of silence that end a talk
READ_AGAIN = 40  # threads a listing, about what Slack allows in a minute
_OVERLAP = 3600.0
_FORMAT = 1  # of the documents that are made here
_KEEP_EVERY = 50
_SHELF_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """A document that was read, and its row."""

    uri: str
    row: Row
    data: bytes = field(repr=False)
    updated: float


class _Shelf:
    """Documents that were read while listing and are about to be fetched, the newest of them."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}
        self._bytes = 0

    def put(self, one: _Document) -> None:
        self._documents[one.uri] = one
        self._bytes += len(one.data)
        while self._bytes > _SHELF_BYTES:
            oldest = next(iter(self._documents))
            self._bytes -= len(self._documents.pop(oldest).data)

    def get(self, uri: str) -> _Document | None:
        return self._documents.get(uri)


class History:
    """Reads one channel: the connector of both platforms."""

    def __init__(
        self,
        settings: SlackHistorySource | DiscordHistorySource,
        resources: Resources,
        channel: Channel,
        *,
        clock: Clock = time.time,
    ) -> None:
        self._settings = settings
        self._resources = resources
        self._channel = channel
        self._clock = clock
        self._shelf = _Shelf()
        self._talks: set[str] = set()
        self._opened = False

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every thread and every talk, the newest first where they were read."""
        memory = self._resources.memory
        entries = await memory.recall()
        self._check()
        await self._channel.open(entries)
        self._opened = True
        self._shelf, self._talks = _Shelf(), set()
        remembered = read_memory(entries, shape=_shape(self._settings))
        listing = _Listing(self._channel, remembered, _window(self._settings, remembered, self._clock()))
        try:
            async for row, uri, read in listing.documents():
                if read:
                    self._shelf.put(read)
                if not row.thread:
                    self._talks.add(uri)
                if len(listing.changes) >= _KEEP_EVERY:
                    await self._keep(listing.taken_changes())
                if row.version:
                    yield self._ref(uri, row)
        except SourceUnavailable:
            await self._keep(listing.taken_changes())
            raise
        await self._keep(
            listing.taken_changes(),
            listed_entries(listing.window.now, full=listing.window.full, shape=listing.window.shape),
            drop=row_keys(listing.gone()),
        )

    async def fetch(self, ref: DocumentRef) -> Content:
        """Return the document as it was listed, or read it when it is not at hand."""
        found = self._shelf.get(ref.uri) or await self._read(ref.uri)
        name = f"{ref.uri!r} of source {self._settings.name!r}"
        if found is None:
            raise DocumentVanished(f"{name} is none of that source's documents.")
        limit = self._resources.max_bytes
        if len(found.data) > limit:
            raise DocumentUnreadable(
                f"{name} is too large: {len(found.data):,} bytes, the limit is {limit:,}.", status="too-large"
            )
        return Content(
            data=found.data,
            media_type="text/markdown",
            updated=datetime.fromtimestamp(found.updated, UTC),
            url=self._channel.link(found.uri, thread=found.row.thread),
            version=None if found.row.version == ref.version else found.row.version,
        )

    def _check(self) -> None:
        if self._settings.include or self._settings.exclude:
            raise SourceInvalid(
                f"Source {self._settings.name!r}: a channel has no paths to choose by. "
                f"Remove include and exclude."
            )

    def _ref(self, uri: str, row: Row) -> DocumentRef:
        return DocumentRef(
            source=self._settings.name,
            uri=uri,
            version=row.version,
            url=self._channel.link(uri, thread=row.thread),
        )

    async def _keep(
        self, rows: dict[str, Row], listed: dict[str, str] | None = None, drop: Collection[str] = ()
    ) -> None:
        entries = row_entries(rows) | self._channel.learned() | (listed or {})
        if entries or drop:
            await self._resources.memory.keep(entries, drop=drop)

    async def _read(self, uri: str) -> _Document | None:
        """Read one document from the channel; None when there is none of that uri."""
        self._check()
        if not self._opened:
            await self._channel.open(await self._resources.memory.recall())
            self._opened = True
        at = self._channel.moment(uri)
        window = _window(self._settings, Remembered(rows={}), self._clock())
        if at is None or at > window.now + DAY:
            return None
        thread = None if uri in self._talks else await self._channel.thread(uri)
        if thread is None:
            read = await self._read_talk(uri, at)
        else:
            read = _thread_document(uri, thread, window)
        return read if read and read.row.version and read.row.at >= window.cutoff else None

    async def _read_talk(self, uri: str, at: float) -> _Document | None:
        talk: list[Message] = []
        day = [message async for message in self._channel.talk(at, _midnight(at) + DAY)]
        for message in reversed(day):
            if talk and not _same_talk(talk[-1], message):
                break
            talk.append(message)
        return _talk_document(talk) if talk and talk[0].id == uri else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """How far back one listing reads. Both times are midnights, so no talk is cut.

    Rows before `cutoff` are no longer of the source, those before `oldest` are taken from memory, and threads
    with a message since `lively` may be read again. `shape` tells how documents are made: those that were
    made otherwise are made anew.
    """

    now: float
    full: bool
    cutoff: float
    oldest: float
    lively: float
    shape: str


def _shape(settings: SlackHistorySource | DiscordHistorySource) -> str:
    parts = repr((_FORMAT, sorted(settings.bots)))
    return hashlib.sha256(parts.encode()).hexdigest()[:8]


def _window(
    settings: SlackHistorySource | DiscordHistorySource, remembered: Remembered, now: float
) -> _Window:
    cutoff = _midnight(now - settings.days * DAY)
    lively = now - interval_seconds(settings.look_back)
    full = not 0 <= now - remembered.full < DAY
    near = _midnight(min(lively, remembered.listed - _OVERLAP))
    return _Window(
        now=now,
        full=full,
        cutoff=cutoff,
        oldest=cutoff if full else max(cutoff, near),
        lively=lively,
        shape=_shape(settings),
    )


class _Listing:
    """One walk over the channel. `changes` holds the rows that are not remembered yet."""

    def __init__(self, channel: Channel, remembered: Remembered, window: _Window) -> None:
        self._channel = channel
        self._rows = remembered.rows
        self.window = window
        self._seen: set[str] = set()
        self._again = _read_again(remembered.rows, window)
        self.changes: dict[str, Row] = {}

    async def documents(self) -> AsyncIterator[tuple[Row, str, _Document | None]]:
        """Yield each document's row and uri, and the document itself if it was read."""
        talk: list[Message] = []
        async for item in self._channel.items(self.window.oldest):
            if isinstance(item, Head):
                if found := await self._thread(item):
                    yield found
            elif talk and not _same_talk(item, talk[-1]):
                yield self._talk(talk)
                talk = [item]
            else:
                talk.append(item)
        if talk:
            yield self._talk(talk)
        async for found in self._remembered():
            yield found

    def taken_changes(self) -> dict[str, Row]:
        """Return the rows that are not remembered yet, once."""
        changes, self.changes = self.changes, {}
        return changes

    def gone(self) -> list[str]:
        """Return the uris of remembered rows that the channel no longer has."""
        return [uri for uri in self._rows if uri not in self._seen]

    async def _remembered(self) -> AsyncIterator[tuple[Row, str, _Document | None]]:
        """Yield what lies before the part that was read."""
        for uri, row in self._rows.items():
            if uri in self._seen or not self.window.cutoff <= row.at < self.window.oldest:
                continue
            if row.thread and uri in self._again:
                if found := await self._thread(Head(id=uri, at=row.at, last=row.last, stamp=None)):
                    yield found
            else:
                self._seen.add(uri)
                yield row, uri, None

    async def _thread(self, head: Head) -> tuple[Row, str, _Document | None] | None:
        if head.id in self._seen or head.at < self.window.cutoff:
            return None
        row = self._rows.get(head.id)
        if row and row.thread and head.id not in self._again and self._is_known(head, row):
            self._seen.add(head.id)
            return row, head.id, None
        thread = await self._channel.thread(head.id)
        if thread is None:
            return None
        if head.stamp is not None:
            # What came in between the two looks shows as a change next time.
            thread = replace(thread, head=replace(head, root=thread.head.root))
        return self._settled(_thread_document(head.id, thread, self.window))

    def _is_known(self, head: Head, row: Row) -> bool:
        if head.stamp is None:
            return head.last <= row.last
        return _stamp(head, self.window) == row.stamp and head.root in (None, row.root)

    def _talk(self, newest_first: Sequence[Message]) -> tuple[Row, str, _Document | None]:
        return self._settled(_talk_document(list(reversed(newest_first))))

    def _settled(self, found: _Document) -> tuple[Row, str, _Document | None]:
        self._seen.add(found.uri)
        if self._rows.get(found.uri) != found.row:
            self.changes[found.uri] = found.row
        return found.row, found.uri, found


def _read_again(rows: dict[str, Row], window: _Window) -> set[str]:
    """Choose the threads to read though no change shows: first those that cannot show one, then by age."""
    lively = [(uri, row) for uri, row in rows.items() if _is_lively(row, window)]
    lively.sort(key=lambda one: (one[1].at >= window.oldest, one[1].checked, one[0]))
    return {uri for uri, _ in lively[:READ_AGAIN]}


def _is_lively(row: Row, window: _Window) -> bool:
    return row.thread and row.at >= window.cutoff and row.last >= window.lively


def _stamp(head: Head, window: _Window) -> str:
    return f"{window.shape}:{head.stamp or ''}"


def _same_talk(earlier: Message, later: Message) -> bool:
    return later.at - earlier.at <= PAUSE and _midnight(earlier.at) == _midnight(later.at)


def _midnight(moment: float) -> float:
    return max(moment - moment % DAY, 0.0)


def _talk_document(messages: Sequence[Message]) -> _Document:
    row = Row(version="", thread=False, at=messages[0].at, last=messages[-1].at)
    return _document(messages[0].id, row, messages)


def _thread_document(uri: str, thread: Thread, window: _Window) -> _Document:
    head = thread.head
    row = Row(
        version="",
        thread=True,
        at=head.at,
        last=head.last,
        stamp=_stamp(head, window),
        root=head.root or "",
        checked=round(window.now, 3),
    )
    return _document(uri, row, thread.messages, thread.title)


def _document(uri: str, row: Row, messages: Sequence[Message], title: str = "") -> _Document:
    """Make the document of messages; it has no version when it would tell nothing.

    A question to the bot without another's word is such: its answer is left out.
    """
    telling = [message for message in messages if message.text]
    if not telling or all(message.asking for message in telling):
        return _Document(uri=uri, row=row, data=b"", updated=row.last)
    data = document(telling, title).encode()
    version = hashlib.sha256(data).hexdigest()[:32]
    updated = max(message.changed for message in telling)
    return _Document(uri=uri, row=replace(row, version=version), data=data, updated=updated)
