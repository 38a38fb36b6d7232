"""The manifest and the leases that guard it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.database import open_database, reading, transaction
from kb.documents import document_id
from kb.errors import LeaseLost, SourceInvalid, SourceUnknown, StoreNewer, SyncRefused
from kb.leases import Lease, Leases, process_identity
from kb.manifest import Failure, Manifest
from kb.memory import SourceMemory
from kb.planning import Known
from kb.sources import FolderSource, GitSource
from kb.tables import leases, schedules


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database("", tmp_path)
    yield opened
    await opened.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manifest(engine: AsyncEngine, clock: Clock) -> Manifest:
    return Manifest(engine, clock=clock)


@pytest.fixture
async def lease(engine: AsyncEngine) -> Lease:
    return await Leases(engine).acquire("s")


def row(uri: str, **changes: object) -> Known:
    values = {"version": "1", "content_hash": "h", "nodes": 2, "audience": ("*",)} | changes
    return Known(document_id=document_id("s", uri), uri=uri, **values)


async def rewrite_owner(engine: AsyncEngine, owner: str) -> None:
    async with transaction(engine) as connection:
        await connection.execute(update(leases).values(owner=owner))


async def test_rows_come_back_as_recorded(manifest: Manifest, lease: Lease) -> None:
    """Every field of a row survives the database, odd file names included."""
    rows = [
        row("plain.md"),
        row("日本語/ü 100%.md", status="unreadable", reason="took too long", attempts=2, pipeline="7"),
        row("bytes\udcff\x1a\0.md", version="v\udc80", audience=("a", "b"), status="encrypted"),
    ]
    await manifest.record(lease, rows)
    assert await manifest.known("s") == {one.document_id: one for one in rows}


async def test_recording_again_replaces(manifest: Manifest, lease: Lease) -> None:
    """A document has one row: the last one recorded."""
    await manifest.record(lease, [row("a")])
    await manifest.record(lease, [row("a", version="2")])
    assert [one.version for one in (await manifest.known("s")).values()] == ["2"]


async def test_sources_do_not_see_each_other(manifest: Manifest, lease: Lease) -> None:
    """The rows of another source are not among the known ones."""
    await manifest.record(lease, [row("a")])
    assert await manifest.known("other") == {}


async def test_announced_documents_are_pending_until_recorded(manifest: Manifest, lease: Lease) -> None:
    """What was announced stays doubtful until its row is recorded or forgotten."""
    ids = [row(uri).document_id for uri in "abc"]
    await manifest.announce(lease, ids)
    await manifest.announce(lease, ids[:1])
    await manifest.record(lease, [row("a")])
    await manifest.forget(lease, ids[1:2])
    assert await manifest.pending("s") == {ids[2]}


async def test_forgotten_documents_are_unknown(manifest: Manifest, lease: Lease) -> None:
    """Forgetting removes exactly the given rows."""
    await manifest.record(lease, [row("a"), row("b")])
    await manifest.forget(lease, [row("a").document_id])
    assert [one.uri for one in (await manifest.known("s")).values()] == ["b"]


async def test_failures_are_listed(manifest: Manifest, lease: Lease) -> None:
    """Documents that could not be read are listed with status and reason."""
    await manifest.record(lease, [row("b", status="encrypted", reason="has a password"), row("a")])
    assert await manifest.failures("s") == [
        Failure(uri="b", status="encrypted", reason="has a password"),
    ]


async def test_a_run_that_never_ended_is_interrupted(manifest: Manifest, lease: Lease) -> None:
    """The next run learns that the one before was cut off."""
    await manifest.start_run(lease)
    _, before = await manifest.start_run(lease)
    assert before is not None
    assert before.status == "interrupted"
    assert [run.status for run in await manifest.last_runs("s")][1] == "interrupted"


async def test_a_finished_run_keeps_its_report(manifest: Manifest, lease: Lease, clock: Clock) -> None:
    """Start, end, status, error and report of a run can be read afterwards."""
    run, _ = await manifest.start_run(lease)
    clock.now += 5
    await manifest.finish_run(run, "failed", report={"added": 1}, error="no answer")
    (read,) = await manifest.last_runs("s")
    assert read.finished is not None
    assert read.finished - read.started == 5
    assert (read.status, read.error, read.report) == ("failed", "no answer", {"added": 1})


async def test_old_runs_are_dropped_but_not_the_last_good_one(
    manifest: Manifest, lease: Lease, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many runs failed since, the last complete one is known."""
    monkeypatch.setattr("kb.manifest.KEPT_RUNS", 5)
    for status in ["ok", *["failed"] * 8]:
        clock.now += 60
        run, _ = await manifest.start_run(lease)
        await manifest.finish_run(run, status)
    runs = await manifest.last_runs("s", limit=1000)
    assert len(runs) == 6
    assert (await manifest.states())["s"].last_good == 1_000_060


async def test_runs_that_changed_something_are_kept(
    manifest: Manifest, lease: Lease, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many quiet runs there were since, the last runs that changed the store can be rolled back."""
    monkeypatch.setattr("kb.manifest.KEPT_RUNS", 5)
    for before, after in [(1, 2), (2, 3), *[(3, 3)] * 8]:
        clock.now += 60
        run, _ = await manifest.start_run(lease, store="nodes-0001", version=before)
        await manifest.finish_run(run, "ok", version=after)
    runs = await manifest.history("s", limit=1000)
    assert [run.version_before != run.version_after for run in runs] == [*[False] * 5, True, True]


@pytest.mark.parametrize("change", ["announce", "doubt", "record", "forget"])
async def test_any_change_unsettles_the_listing(manifest: Manifest, lease: Lease, change: str) -> None:
    """Whatever touches a source's rows or nodes clears the digest of its listing, and no other source's."""
    other = await Leases(manifest.engine).acquire("t")
    for held in (lease, other):
        run, _ = await manifest.start_run(held, store="n", version=1)
        await manifest.finish_run(run, "ok", version=1, listing="digest")
    assert await manifest.settled_listing("s", "n") == "digest"
    assert await manifest.settled_listing("s", "another store") == ""
    match change:
        case "announce":
            await manifest.announce(lease, ["x"])
        case "doubt":
            await manifest.doubt("s", ["x"])
        case "record":
            await manifest.record(lease, [row("a")])
        case "forget":
            await manifest.forget(lease, ["x"])
    assert await manifest.settled_listing("s", "n") == ""
    assert await manifest.settled_listing("t", "n") == "digest"


async def test_a_store_that_was_set_back_is_distrusted(manifest: Manifest, lease: Lease) -> None:
    """Versions that are gone are forgotten and no listing stands; other stores are not touched."""
    for store in ("n", "other"):
        run, _ = await manifest.start_run(lease, store=store, version=4)
        await manifest.finish_run(run, "ok", version=9)
    run, _ = await manifest.start_run(lease, store="n", version=9)
    await manifest.finish_run(run, "ok", version=9, listing="digest")
    await manifest.distrust("n", 5)
    assert (await manifest.highest_version("n"), await manifest.highest_version("other")) == (0, 9)
    assert await manifest.settled_listing("s", "n") == ""
    assert [run.version_before for run in await manifest.history("s")] == [None, 4, 4]


async def test_states_count_documents(manifest: Manifest, lease: Lease) -> None:
    """A source's state has its documents, failures, nodes and last run."""
    await manifest.record(lease, [row("a"), row("b"), row("c", status="encrypted", nodes=0)])
    run, _ = await manifest.start_run(lease)
    await manifest.finish_run(run, "partial")
    state = (await manifest.states())["s"]
    assert (state.documents, state.failed, state.nodes) == (3, 1, 4)
    assert state.last_run is not None
    assert state.last_run.status == "partial"


async def test_sources_are_kept(manifest: Manifest) -> None:
    """Definitions come back as they were added, by name."""
    wiki = GitSource(name="wiki", location="https://git.example/wiki", branch="main", audience=("staff",))
    docs = FolderSource(name="docs", location="/srv/docs", every="5m")
    await manifest.add_source(wiki)
    await manifest.add_source(docs)
    assert await manifest.list_sources() == [docs, wiki]


async def test_a_name_is_taken_once(manifest: Manifest) -> None:
    """A second source of the same name is refused with what to do."""
    await manifest.add_source(FolderSource(name="docs", location="/a"))
    with pytest.raises(SourceInvalid, match=r"'docs' already.*another --name"):
        await manifest.add_source(FolderSource(name="docs", location="/b"))


async def test_a_removed_source_leaves_nothing(manifest: Manifest, lease: Lease) -> None:
    """Removing a source removes its definition, rows, doubts, runs, schedule and memory."""
    await manifest.add_source(FolderSource(name="s", location="/a"))
    await manifest.record(lease, [row("a")])
    await manifest.announce(lease, ["x"])
    await manifest.start_run(lease)
    memory = SourceMemory(manifest.engine, "s")
    await memory.keep({"cursor": "1"})
    row_of = {"source": "s", "every": "1h", "next_run": 0.0, "failures": 0, "error": "", "paused": ""}
    async with transaction(manifest.engine) as connection:
        await connection.execute(insert(schedules).values(**row_of))
    await manifest.remove_source("s")
    assert await memory.recall() == {}
    async with reading(manifest.engine) as connection:
        assert (await connection.execute(select(schedules))).all() == []
    assert await manifest.list_sources() == []
    assert await manifest.known("s") == {}
    assert await manifest.pending("s") == set()
    assert await manifest.last_runs("s") == []


async def test_removing_an_unknown_source_is_told(manifest: Manifest) -> None:
    """A name that no source has raises SourceUnknown."""
    with pytest.raises(SourceUnknown, match="no source 'x'"):
        await manifest.remove_source("x")


async def test_a_definition_of_the_future_is_told(manifest: Manifest, engine: AsyncEngine) -> None:
    """A definition with unknown keys raises StoreNewer that names the source."""
    await manifest.add_source(FolderSource(name="docs", location="/a"))
    async with transaction(engine) as connection:
        await connection.execute(text("""UPDATE sources SET definition = '{"type": "telepathy"}'"""))
    with pytest.raises(StoreNewer, match="'docs'"):
        await manifest.list_sources()


async def test_a_second_runner_is_refused(engine: AsyncEngine) -> None:
    """A source whose lease is held by a living process is refused; another source is not."""
    await Leases(engine).acquire("s")
    with pytest.raises(SyncRefused, match=r"Another sync of 's' is running \(pid \d+, since 20"):
        await Leases(engine).acquire("s")
    assert (await Leases(engine).acquire("t")).fence == 1


async def test_a_lease_is_given_back(engine: AsyncEngine) -> None:
    """After the block, also one that raised, the source is free at once."""
    held = Leases(engine)
    with pytest.raises(LookupError):
        async with held.hold("s"):
            raise LookupError
    async with held.hold("s") as lease:
        assert lease.fence == 2


async def test_an_expired_lease_is_taken_over(engine: AsyncEngine, clock: Clock, manifest: Manifest) -> None:
    """After its time a lease goes to the next, and the old owner cannot write any more."""
    held = Leases(engine, ttl=60, clock=clock)
    old = await held.acquire("s")
    clock.now += 61
    new = await held.acquire("s")
    with pytest.raises(LeaseLost, match=r"'s' was taken over"):
        await manifest.record(old, [row("a")])
    with pytest.raises(LeaseLost):
        await manifest.announce(old, ["x"])
    await manifest.record(new, [row("a")])
    assert not await held.renew(old)
    assert len(await manifest.known("s")) == 1


async def test_a_renewed_lease_lasts(engine: AsyncEngine, clock: Clock) -> None:
    """A lease that was renewed is not taken over when its first time is up."""
    held = Leases(engine, ttl=60, clock=clock)
    lease = await held.acquire("s")
    clock.now += 50
    assert await held.renew(lease)
    clock.now += 50
    with pytest.raises(SyncRefused):
        await held.acquire("s")


async def test_a_stale_release_changes_nothing(engine: AsyncEngine, clock: Clock) -> None:
    """The old owner's release does not free the new owner's lease."""
    held = Leases(engine, ttl=60, clock=clock)
    old = await held.acquire("s")
    clock.now += 61
    await held.acquire("s")
    await held.release(old)
    with pytest.raises(SyncRefused):
        await held.acquire("s")


async def test_a_dead_owner_is_replaced_at_once(engine: AsyncEngine) -> None:
    """The lease of a process of this machine that has ended is free before its time."""
    code = "from kb.leases import process_identity; print(process_identity())"
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True)
    await Leases(engine).acquire("s")
    await rewrite_owner(engine, done.stdout.decode().strip())
    assert (await Leases(engine).acquire("s")).fence == 2


async def test_a_number_used_again_is_not_the_owner(engine: AsyncEngine) -> None:
    """A living process with the owner's number but another start is not the owner."""
    host, pid, start, rest = process_identity().split(":")
    await Leases(engine).acquire("s")
    await rewrite_owner(engine, f"{host}:{pid}:{int(start) - 1}:{rest}")
    assert (await Leases(engine).acquire("s")).fence == 2


async def test_an_owner_elsewhere_is_named(engine: AsyncEngine) -> None:
    """A lease held on another machine is respected and the machine is named."""
    await Leases(engine).acquire("s")
    await rewrite_owner(engine, "elsewhere/42:1:2:abc")
    with pytest.raises(SyncRefused, match="pid 1 on elsewhere, since"):
        await Leases(engine).acquire("s")


async def test_one_of_many_gets_the_lease(engine: AsyncEngine) -> None:
    """Of ten runners that ask at once exactly one gets the lease."""
    attempts = [Leases(engine).acquire("s") for _ in range(10)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(one, Lease) for one in results) == 1
    assert sum(isinstance(one, SyncRefused) for one in results) == 9
