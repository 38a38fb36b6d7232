"""The scheduler: what is due is run, once, and stops when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.database import close_database, open_database
from kb.errors import SourceUnavailable, StoreError, SyncRefused
from kb.reports import DocumentError, SyncReport
from kb.schedule import Scheduler
from kb.schedules import Schedule, Schedules
from kb.settings import ScheduleSettings
from kb.sources import FolderSource


async def no_changes(folders: Mapping[str, Path]) -> AsyncGenerator[set[str], None]:
    await asyncio.Event().wait()
    yield set(folders)


class Work:
    """Syncs that end when a test says so, and what was told of them."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.told: asyncio.Queue[tuple[SyncReport, Schedule]] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.status: str = "ok"
        self.cancelled: list[str] = []

    async def run(self, source: FolderSource) -> SyncReport:
        self.begun.put_nowait(source.name)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(source.name)
            raise
        if self.failure is not None:
            raise self.failure
        errors = (DocumentError(document="", reason="no answer"),) if self.status == "failed" else ()
        return SyncReport(source=source.name, status=self.status, errors=errors)  # type: ignore[arg-type] # a test's word

    def tell(self, report: SyncReport, schedule: Schedule) -> None:
        self.told.put_nowait((report, schedule))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = await open_database("", tmp_path)
    yield engine
    await close_database(engine)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def rows(engine: AsyncEngine) -> Schedules:
    return Schedules(engine)


SOURCES = [FolderSource(name=name, location=f"/{name}") for name in ("a", "b", "c")]


async def sources() -> list[FolderSource]:
    return SOURCES


@pytest.fixture
def scheduler(rows: Schedules, work: Work) -> Callable[..., Scheduler]:
    def make(**options: object) -> Scheduler:
        settings = ScheduleSettings(**{"concurrent": 8, **options})  # type: ignore[arg-type] # a test's options
        return Scheduler(rows, settings, sources=sources, run=work.run, told=work.tell, changes=no_changes)

    return make


async def told(work: Work, number: int) -> dict[str, tuple[SyncReport, Schedule]]:
    """Wait until so many syncs have ended."""
    async with asyncio.timeout(30):
        ended = [await work.told.get() for _ in range(number)]
    return {report.source: (report, row) for report, row in ended}


async def begun(work: Work, number: int = 1) -> list[str]:
    async with asyncio.timeout(30):
        return [await work.begun.get() for _ in range(number)]


async def test_what_is_due_is_run_and_planned_anew(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """Each due source is run once, told, and due again after its interval."""
    await rows.plan(SOURCES)
    one = scheduler()
    await one.tick()
    assert set(await told(work, 3)) == {"a", "b", "c"}
    await one.tick()
    assert work.begun.qsize() == 3
    assert await rows.due() == []


async def test_only_so_many_run_at_a_time(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """Beyond the limit a source waits for room, and a source that runs is not begun again."""
    await rows.plan(SOURCES)
    work.open.clear()
    one = scheduler(concurrent=2)
    await one.tick()
    await one.tick()
    assert await begun(work, 2) == ["a", "b"]
    assert work.begun.empty()
    work.open.set()
    await told(work, 2)
    await one.tick()
    assert await begun(work) == ["c"]
    await told(work, 1)


async def test_two_schedulers_share_the_sources(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """Two schedulers over one database that tick together run each source once."""
    await rows.plan(SOURCES)
    await asyncio.gather(scheduler().tick(), scheduler().tick())
    await told(work, 3)
    assert Counter(await begun(work, work.begun.qsize())) == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (SourceUnavailable("the folder is not mounted"), "the folder is not mounted"),
        (ZeroDivisionError("oops"), "internal error (ZeroDivisionError), see the log"),
    ],
)
async def test_a_run_that_breaks_is_a_failure_with_a_reason(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work, failure: Exception, reason: str
) -> None:
    """An exception is told as a failed sync, recorded with its reason, and waited for longer."""
    await rows.plan(SOURCES[:1])
    work.failure = failure
    one = scheduler()
    await one.tick()
    report, row = (await told(work, 1))["a"]
    assert (report.status, report.errors[0].reason) == ("failed", reason)
    assert (row.failures, row.error) == (1, reason)
    assert (await rows.all())["a"] == row


async def test_a_failed_report_counts_as_a_failure(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """A source that could not be listed is failed by its report, not by an exception."""
    await rows.plan(SOURCES[:1])
    work.status = "failed"
    await scheduler().tick()
    _, row = (await told(work, 1))["a"]
    assert (row.failures, row.error) == (1, "no answer")


async def test_a_source_that_another_process_syncs_is_left_to_it(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work, engine: AsyncEngine
) -> None:
    """A refused sync is no failure: nothing is told or recorded."""
    await rows.plan(SOURCES[:1])
    work.failure = SyncRefused("another sync is running")
    one = scheduler()
    await one.tick()
    await begun(work)
    stop = asyncio.Event()
    stop.set()
    assert await one.serve(stop)
    assert work.told.empty()
    assert (await rows.all())["a"].failures == 0


async def test_serving_runs_what_is_due_until_it_is_stopped(
    scheduler: Callable[..., Scheduler], work: Work
) -> None:
    """Served, sources are planned and run by themselves; stopped, it ends in time."""
    stop = asyncio.Event()
    serving = asyncio.create_task(scheduler().serve(stop))
    assert set(await told(work, 3)) == {"a", "b", "c"}
    stop.set()
    async with asyncio.timeout(30):
        assert await serving


async def test_stopping_ends_the_runs_and_leaves_them_due(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """A stop cancels what runs and begins nothing more; what was cut short is due within seconds."""
    work.open.clear()
    stop = asyncio.Event()
    one = scheduler(concurrent=2)
    serving = asyncio.create_task(one.serve(stop))
    await begun(work, 2)
    stop.set()
    async with asyncio.timeout(30):
        assert await serving
    await one.tick()
    assert (sorted(work.cancelled), work.begun.empty(), work.told.empty()) == (["a", "b"], True, True)
    later = Schedules(rows._engine, clock=lambda: 4e9)
    assert {row.source for row in await later.due()} == {"a", "b", "c"}


async def test_a_run_that_does_not_stop_is_told(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """A run that ignores its cancellation is given up on after the time that is set."""
    await rows.plan(SOURCES[:1])
    end = asyncio.Event()

    async def stubborn(source: FolderSource) -> SyncReport:
        work.begun.put_nowait(source.name)
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue
        return SyncReport(source=source.name, status="ok")

    one = Scheduler(
        rows,
        ScheduleSettings(drain_seconds=0.05),
        sources=sources,
        run=stubborn,
        told=work.tell,
        changes=no_changes,
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(one.serve(stop))
    await begun(work)
    stop.set()
    async with asyncio.timeout(30):
        assert not await serving
    end.set()
    await told(work, 1)


async def test_a_run_asked_for_while_it_runs_follows(
    scheduler: Callable[..., Scheduler], rows: Schedules, work: Work
) -> None:
    """Asked for during its run, a source is run once more right after it."""
    await rows.plan(SOURCES[:1])
    work.open.clear()
    one = scheduler()
    await one.tick()
    await begun(work)
    await one.ask("a")
    work.open.set()
    await told(work, 1)
    await one.tick()
    assert await begun(work) == ["a"]
    await told(work, 1)


async def test_a_watched_folder_is_run_when_it_changes(rows: Schedules, work: Work) -> None:
    """A folder to be watched is run at the start and with each change there, whenever it is due."""
    watched = FolderSource(name="w", location="/w", watch=True)
    changed: asyncio.Queue[set[str]] = asyncio.Queue()
    seen: list[Mapping[str, Path]] = []

    async def all_sources() -> list[FolderSource]:
        return [*SOURCES[:1], watched]

    async def changes(folders: Mapping[str, Path]) -> AsyncGenerator[set[str], None]:
        seen.append(folders)
        while True:
            yield await changed.get()

    for source in await all_sources():
        await rows.ended(source, started=time.time(), failed=False)
    one = Scheduler(
        rows, ScheduleSettings(), sources=all_sources, run=work.run, told=work.tell, changes=changes
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(one.serve(stop))
    assert set(await told(work, 1)) == {"w"}
    changed.put_nowait({"w"})
    report, _ = (await told(work, 1))["w"]
    assert (report.source, seen) == ("w", [{"w": Path("/w")}])
    stop.set()
    async with asyncio.timeout(30):
        assert await serving


async def test_a_database_that_is_away_is_tried_again(
    scheduler: Callable[..., Scheduler],
    rows: Schedules,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the rows cannot be read nothing ends; that is logged once, and it goes on afterwards."""
    await rows.plan(SOURCES[:1])
    one = scheduler()

    async def away() -> list[Schedule]:
        raise StoreError("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "due", away)
        await one.tick()
        await one.tick()
    assert caplog.text.count("the database does not answer") == 1
    await one.tick()
    await told(work, 1)
