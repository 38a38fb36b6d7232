"""Listing, fetching and storing overlap, wait for each other, and stop together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert

from kb import listing
from kb.database import transaction
from kb.documents import Content, DocumentRef, document_id
from kb.errors import SourceUnavailable, StoreError, SyncRefused
from kb.manifest import Manifest, Run
from kb.settings import SyncSettings
from kb.sources import AnySource
from kb.sync import Synchroniser
from kb.tables import schedules
from tests.kb.bases import Base


class Stepwise:
    """A source that lists a document once the one before was fetched."""

    def __init__(self, documents: int) -> None:
        self.documents = documents
        self.listed = 0
        self.fetched = [asyncio.Event() for _ in range(documents)]
        self.breaks_at: int | None = None

    def __call__(self, settings: AnySource, *, max_bytes: int, dry: bool) -> Stepwise:
        return self

    async def list_documents(self) -> AsyncIterator[DocumentRef]:
        for place in range(self.documents):
            self.listed += 1
            yield DocumentRef(source="s", uri=f"{place}.md", version="1")
            await self.fetched[place].wait()

    async def fetch(self, ref: DocumentRef) -> Content:
        place = int(ref.uri.removesuffix(".md"))
        if place == self.breaks_at:
            raise SourceUnavailable("Source 's' does not answer. Try again later.")
        self.fetched[place].set()
        return Content(data=f"Text {place}.".encode())


def synchroniser(base: Base, connector: object, **options: float) -> Synchroniser:
    return Synchroniser(
        base.store,
        base.manifest,
        base.embedder,
        base.parser,
        base.settings,
        connector,  # type: ignore[arg-type] # a stand-in
        **options,  # type: ignore[arg-type] # seconds
    )


async def test_documents_are_fetched_while_others_are_listed(base: Base) -> None:
    """A listing that waits for its first documents to be fetched gets to its end."""
    report = await synchroniser(base, Stepwise(20)).run(base.source)
    assert (report.status, report.added) == ("ok", 20)


async def test_a_slow_listing_is_not_waited_for(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known source whose listing waits for a changed document to be fetched gets to its end too."""
    monkeypatch.setattr(listing, "PATIENCE", 0.01)
    base.files.clear()
    base.files.update({f"{place}.md": f"Old {place}." for place in range(3)})
    await base.sync()
    report = await synchroniser(base, Stepwise(3)).run(base.source)
    assert (report.status, report.updated) == ("ok", 3)


async def test_a_source_that_stops_ends_the_listing(base: Base) -> None:
    """When fetching fails for all, a listing that would go on for ever is not waited for."""
    connector = Stepwise(20)
    connector.breaks_at = 5
    report = await synchroniser(base, connector).run(base.source)
    assert (report.status, connector.listed) == ("failed", 6)
    assert report.errors[0].reason == "Source 's' does not answer. Try again later."
    assert await base.manifest.pending("s") == set()


async def test_a_listing_waits_for_the_store(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is listed ahead than the bounds allow while nothing is stored."""
    monkeypatch.setattr(listing, "AHEAD", 30)
    monkeypatch.setattr(listing, "AT_ONCE", 10)
    base.settings = SyncSettings(batch_documents=2)
    base.files.update({f"n{place:03}.md": f"Text {place}." for place in range(120)})
    ahead: list[int] = []
    listed = 0
    listing_of = base.connector.list_documents

    async def counted() -> AsyncIterator[DocumentRef]:
        nonlocal listed
        async for ref in listing_of():
            listed += 1
            yield ref

    monkeypatch.setattr(base.connector, "list_documents", counted)
    base.connector.before_fetch = lambda _uri: ahead.append(listed - base.connector.fetched.total())
    assert (await base.sync()).added == 125
    assert max(ahead) <= 30 + 10 + 10


async def test_a_fault_of_the_connector_deletes_nothing(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that ends by an unexpected exception is not complete: the run fails and hides nothing."""
    await base.sync()

    async def broken() -> AsyncIterator[DocumentRef]:
        yield DocumentRef(source="s", uri="0.md", version="new")
        raise LookupError("a fault of ours")

    monkeypatch.setattr(base.connector, "list_documents", broken)
    with pytest.raises(LookupError):
        await base.sync()
    assert len(await base.store.document_ids("s")) == 5


async def test_a_store_that_fails_while_listing_fails_the_run(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a connector's memory raises is the run's failure, and nothing is deleted."""
    await base.sync()

    async def broken() -> AsyncIterator[DocumentRef]:
        yield DocumentRef(source="s", uri="0.md", version="new")
        raise StoreError("The disk of the database is full.")

    monkeypatch.setattr(base.connector, "list_documents", broken)
    report = await base.sync()
    assert (report.status, report.errors[0].reason) == ("failed", "The disk of the database is full.")
    assert len(await base.store.document_ids("s")) == 5


# What is recorded of a run


async def test_a_run_names_the_versions_of_the_store(base: Base) -> None:
    """A run records the table and its versions before and after; without change they are the same."""
    before = await base.store.version()
    await base.sync()
    (run,) = await base.manifest.history("s")
    assert (run.store, run.version_before, run.kind) == (base.store.name, before, "sync")
    assert run.version_after == await base.store.version() > before
    await base.sync()
    run = (await base.manifest.history("s"))[0]
    assert run.version_before == run.version_after


async def test_a_run_that_gets_on_is_seen_to(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a run gets on its beat is recorded, and a run that hangs has none."""
    connector = Stepwise(3)
    beaten = asyncio.Event()
    beats: list[str] = []
    beat = Manifest.beat

    async def noted(self: Manifest, run: Run) -> None:
        beats.append(run.id)
        base.clock.ahead += 100
        await beat(self, run)
        beaten.set()

    monkeypatch.setattr(Manifest, "beat", noted)
    fetch, proceed = connector.fetch, asyncio.Event()

    async def held(ref: DocumentRef) -> Content:
        await proceed.wait()
        return await fetch(ref)

    monkeypatch.setattr(connector, "fetch", held)
    running = asyncio.create_task(synchroniser(base, connector, beat_seconds=0.01).run(base.source))
    await asyncio.wait_for(beaten.wait(), 10)
    (run,) = await base.manifest.history("s")
    assert run.beat - run.started >= 100
    proceed.set()
    await running


async def test_a_held_source_is_refused(base: Base) -> None:
    """After a rollback a source is not synced until it is released; a dry run and its removal are fine."""
    await base.sync()
    row = {"source": "s", "every": "30m", "next_run": 0.0, "failures": 0, "error": ""}
    async with transaction(base.manifest.engine) as connection:
        await connection.execute(insert(schedules).values(**row, paused="rollback:1a2b3c4d5e6f"))
    with pytest.raises(SyncRefused, match=r"'s' is held at run 1a2b3c4d since a rollback\. Release it: lore"):
        await base.sync()
    assert (await base.sync(dry_run=True)).unchanged == 5
    await base.synchroniser().remove("s")
    assert await base.store.document_ids("s") == set()


async def test_history_spans_sources(base: Base) -> None:
    """The history is of one source or of all, newest first, as many runs as asked for."""
    await base.sync()
    await base.sync()
    assert [run.status for run in await base.manifest.history(limit=1)] == ["ok"]
    runs = await base.manifest.history()
    assert [run.started for run in runs] == sorted((run.started for run in runs), reverse=True)
    assert await base.manifest.history("other") == []
    assert await base.manifest.find_runs(runs[0].id[:8]) == [runs[0]]


async def test_a_retry_is_told_and_cleared(base: Base) -> None:
    """A failure waits longer each time, is tried at once when it changes, and is forgotten when well."""
    base.connector.before_fetch = lambda uri: 1 / 0 if uri == "1.md" else None
    await base.sync()
    identity = document_id("s", "1.md")

    async def wait() -> float:
        row = (await base.manifest.known("s"))[identity]
        return round(row.retry_at - base.clock())

    assert await wait() in range(290, 301)
    base.clock.ahead += 301
    await base.sync()
    assert await wait() in range(1150, 1301)
    base.connector.before_fetch = lambda _uri: None
    base.files["1.md"] += " More."
    assert (await base.sync()).status == "ok"
    row = (await base.manifest.known("s"))[identity]
    assert (row.status, row.retry_at, row.attempts, row.reason) == ("ok", 0.0, 0, "")
