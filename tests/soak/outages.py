"""P7, a broken source never empties the base: outages of every kind of source.

    python -m tests.soak outages

Each outage strikes a source that is synced and lasts for two syncs. Afterwards the index is as it was. The
sources are those of the connectors' contract suite; besides being down or refusing, they list nothing, list a
half, and break off while they list or hand over.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from kb.connectors.base import Connector
from kb.documents import Content, DocumentRef
from kb.errors import SourceUnavailable
from kb.reports import SyncReport
from kb.sources import AnySource, FolderSource
from kb.sync import Synchroniser
from tests.contracts.world import World, worlds
from tests.kb.bases import Base, open_base
from tests.soak.rows import Row

OUTAGES = 50
DOCUMENTS = 24
_LEAST = 3
_FILES = {f"d{place % 3}/{place}.md": f"Text of {place}.\n\nMore.".encode() for place in range(DOCUMENTS)}


@dataclass(frozen=True)
class Outage:
    """A way to fail: what happens to the source, and to its connector."""

    name: str
    strike: Callable[[World], None] = lambda _world: None
    list_breaks: int | None = None
    fetch_breaks: bool = False


class Breaking:
    """A connector whose source stops answering after some documents were listed, or when one is fetched.

    Where fetching breaks, every document seems to have changed, so that all are fetched.
    """

    def __init__(self, inner: Connector, outage: Outage) -> None:
        self._inner = inner
        self._outage = outage

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        """List until the source stops."""
        listed = 0
        async for ref in self._inner.list_documents():
            if listed == self._outage.list_breaks:
                raise SourceUnavailable("The source does not answer. Try again later.")
            listed += 1
            version = "" if self._outage.fetch_breaks else ref.version
            yield DocumentRef(source=ref.source, uri=ref.uri, version=version, url=ref.url)
        if self._outage.list_breaks is not None:
            raise SourceUnavailable("The source does not answer. Try again later.")

    async def fetch(self, ref: DocumentRef) -> Content:
        """Fetch unless the source stopped."""
        if self._outage.fetch_breaks:
            raise SourceUnavailable("The source does not answer. Try again later.")
        return await self._inner.fetch(ref)


async def measure(scale: float) -> list[Row]:
    """Let a share of all outages strike, and count those that took anything from the index."""
    cases = [(kind, outage) for kind in worlds() for outage in outages(kind)]
    number = min(len(cases), max(_LEAST, round(max(len(cases), OUTAGES) * scale)))
    harmed = []
    for kind, outage in random.Random(7).sample(cases, number):
        with tempfile.TemporaryDirectory() as folder:
            fault = await _suffer(kind, outage, Path(folder))
        if fault:
            harmed.append(fault)
            sys.stderr.write(f"{kind.__name__}, {outage.name}: {fault}\n")
    return [
        Row(
            promise="P7 A broken source never empties the base",
            done=f"{number} outages of {len({kind for kind, _ in cases})} kinds of sources",
            figure=f"{len(harmed)} took something",
            reach="0",
            kept=not harmed,
        )
    ]


def outages(kind: type[World]) -> Iterator[Outage]:
    """Yield the ways in which a kind of source can fail."""
    yield Outage("is down", lambda world: world.break_source())
    for status in kind.refusals:
        yield Outage(f"answers {status}", lambda world, status=status: world.refuse(status))  # type: ignore[misc]
    for place in (0, DOCUMENTS // 2, DOCUMENTS):
        yield Outage(f"breaks off after {place}", list_breaks=place)
    yield Outage("hands nothing over", fetch_breaks=True)
    if kind.removes:
        yield Outage("lists nothing", lambda world: _remove(world, len(_FILES)))
        yield Outage("lists a half", lambda world: _remove(world, len(_FILES) // 2))


def _remove(world: World, number: int) -> None:
    for path in list(_FILES)[:number]:
        world.remove(path)


async def _suffer(kind: type[World], outage: Outage, folder: Path) -> str:
    """Sync a source, let it fail for two syncs, and return what was wrong then."""
    (folder / "world").mkdir()
    world = kind(folder / "world")
    async with AsyncExitStack() as stack:
        await world.open()
        stack.push_async_callback(world.close)
        base = await open_base(stack, folder / "data", {})
        base.source = FolderSource(name="world", location="/nowhere")
        world.write(_FILES)
        if (report := await _sync(base, world, None)).status != "ok":
            return f"the first sync: {report.status}"
        before = await _visible(base)
        outage.strike(world)
        for _ in range(2):
            report = await _sync(base, world, outage)
            if report.status not in {"failed", "held"} or report.deleted or await _visible(base) != before:
                return f"{report.status}, {report.deleted} deleted"
    return ""


async def _sync(base: Base, world: World, outage: Outage | None) -> SyncReport:
    """Sync as a process of its own would, with a new connector."""

    def connect(_settings: AnySource, *, max_bytes: int, dry: bool) -> Connector:
        connector = world.connector()
        broken = outage is not None and (outage.list_breaks is not None or outage.fetch_breaks)
        return Breaking(connector, outage) if outage is not None and broken else connector

    return await Synchroniser(
        base.store, base.manifest, base.embedder, base.parser, base.settings, connect
    ).run(base.source)


async def _visible(base: Base) -> tuple[str, int]:
    return await base.store.state_hash(), len(await base.store.document_ids("world"))
