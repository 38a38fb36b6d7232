"""When sources are due: rows in SQL that several processes read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kb import timing
from kb.database import close_database, open_database
from kb.leases import Leases
from kb.schedules import CLAIM_SECONDS, Schedules
from kb.settings import ScheduleSettings, check_schedule
from kb.sources import FolderSource

MINUTE, HOUR = 60.0, 3600.0


class Clock:
    """A time that a test sets."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = await open_database("", tmp_path)
    yield engine
    await close_database(engine)


@pytest.fixture
def rows(engine: AsyncEngine, clock: Clock) -> Schedules:
    return Schedules(engine, ScheduleSettings(), clock=clock, chance=lambda: 0.0)


def source(name: str = "s", every: str = "30m") -> FolderSource:
    return FolderSource(name=name, location="/s", every=every)


async def due(rows: Schedules) -> list[str]:
    return [row.source for row in await rows.due()]


async def test_a_new_source_is_due_at_once(rows: Schedules) -> None:
    """What was never planned is due when it is planned."""
    await rows.plan([source()])
    assert await due(rows) == ["s"]


async def test_a_row_is_claimed_once(rows: Schedules, clock: Clock) -> None:
    """Of two who saw the same due row one may run it, and a claim that is not used ends."""
    await rows.plan([source()])
    (seen,) = await rows.due()
    assert await rows.claim(seen)
    assert not await rows.claim(seen)
    assert await due(rows) == []
    clock.now += CLAIM_SECONDS
    assert await due(rows) == ["s"]


async def test_a_source_synced_meanwhile_is_not_claimed(rows: Schedules, clock: Clock) -> None:
    """Who saw a row due before another ran the source cannot claim it afterwards."""
    await rows.plan([source()])
    (seen,) = await rows.due()
    await rows.ended(source(), started=clock.now, failed=False)
    assert not await rows.claim(seen)


async def test_a_source_that_is_being_synced_is_not_due(
    engine: AsyncEngine, rows: Schedules, clock: Clock
) -> None:
    """While a living process holds the lease the source is not due; when the lease is over it is."""
    await rows.plan([source()])
    await Leases(engine, clock=clock, ttl=45.0).acquire("s")
    assert await due(rows) == []
    clock.now += 46
    assert await due(rows) == ["s"]


async def test_the_next_run_counts_from_the_start(rows: Schedules, clock: Clock) -> None:
    """A run of ten minutes takes them off the wait; one longer than the interval is followed at once."""
    began = clock.now
    clock.now += 10 * MINUTE
    await rows.ended(source(), started=began, failed=False)
    assert (await rows.all())["s"].next_run == began + 30 * MINUTE
    clock.now += HOUR
    await rows.ended(source(), started=began, failed=False)
    assert (await rows.all())["s"].next_run == clock.now


async def test_failures_wait_longer_each_time_up_to_a_cap(rows: Schedules, clock: Clock) -> None:
    """Each failure doubles the wait; a good run ends it, and its error with it."""
    waits = []
    for _ in range(6):
        row = await rows.ended(source(), started=clock.now, failed=True, error="no answer")
        waits.append((row.next_run - clock.now) / HOUR)
    assert waits == [1, 2, 4, 6, 6, 6]
    assert (row.failures, row.error, rows.needs_attention(row)) == (6, "no answer", True)
    row = await rows.ended(source(), started=clock.now, failed=False)
    assert (row.failures, row.error, rows.needs_attention(row)) == (0, "", False)
    assert (await rows.all())["s"] == row


async def test_a_restart_keeps_the_countdown(rows: Schedules, clock: Clock) -> None:
    """Planning again changes no row whose interval is the same; overdue rows stay due."""
    await rows.ended(source(), started=clock.now, failed=False)
    before = await rows.all()
    clock.now += 10 * MINUTE
    await rows.plan([source()])
    assert await rows.all() == before
    clock.now += HOUR
    await rows.plan([source()])
    assert await due(rows) == ["s"]


async def test_a_changed_interval_is_planned_anew(rows: Schedules, clock: Clock) -> None:
    """A new `every` counts from now; a source that was due already stays so."""
    await rows.ended(source(every="1d"), started=clock.now, failed=False)
    await rows.plan([source(every="1h")])
    assert (await rows.all())["s"].next_run == clock.now + HOUR
    clock.now += 2 * HOUR
    await rows.plan([source(every="7d")])
    assert await due(rows) == ["s"]


async def test_a_paused_source_is_never_due(rows: Schedules, clock: Clock) -> None:
    """Paused it cannot be claimed either; resumed it is due at once, with its failures forgotten."""
    await rows.plan([source()])
    (seen,) = await rows.due()
    await rows.ended(source(), started=clock.now, failed=True, error="gone")
    await rows.pause("s")
    clock.now += 2 * HOUR
    assert (await due(rows), await rows.claim(seen)) == ([], False)
    assert await rows.resume("s")
    (row,) = await rows.due()
    assert (row.source, row.failures, row.paused) == ("s", 0, "")
    assert not await rows.resume("s")


async def test_a_rollback_holds_until_it_is_resumed(rows: Schedules) -> None:
    """Pausing a held source does not end the hold; a source without a row can be held too."""
    await rows.hold("s", "1a2b")
    await rows.pause("s")
    assert (await rows.all())["s"].held_at == "1a2b"
    assert await due(rows) == []
    assert await rows.resume("s")
    assert (await rows.all())["s"].held_at == ""


async def test_what_is_asked_for_during_a_run_follows_it(rows: Schedules, clock: Clock) -> None:
    """A change seen while the source is being synced is not lost at the end of that run."""
    await rows.plan([source()])
    (seen,) = await rows.due()
    await rows.claim(seen)
    await rows.ask("s")
    await rows.ended(source(), started=clock.now, failed=False)
    (again,) = await rows.due()
    await rows.claim(again)
    await rows.ended(source(), started=clock.now, failed=False)
    assert await due(rows) == []


async def test_jitter_parts_sources_of_one_interval(engine: AsyncEngine, clock: Clock) -> None:
    """A run comes later by a random share of the interval, at most what is set."""
    late = Schedules(engine, ScheduleSettings(jitter=0.5), clock=clock, chance=lambda: 1.0)
    row = await late.ended(source(every="1h"), started=clock.now, failed=False)
    assert row.next_run == clock.now + 1.5 * HOUR


async def test_an_error_of_any_text_is_kept(rows: Schedules, clock: Clock) -> None:
    """File names in an error may be no Unicode."""
    row = await rows.ended(source(), started=clock.now, failed=True, error="bad \udcff name\x00")
    assert (await rows.all())["s"] == row


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("every", "now", "expected"),
    [
        ("0 3 * * *", "2026-01-01T02:59", "2026-01-01T03:00"),
        ("0 3 * * *", "2026-01-01T03:00", "2026-01-02T03:00"),
        ("*/5 * * * *", "2026-01-01T03:01", "2026-01-01T03:05"),
        ("0 9 * * mon-fri", "2026-01-02T10:00", "2026-01-05T09:00"),
    ],
)
def test_cron_is_read_in_utc(every: str, now: str, expected: str) -> None:
    """A cron expression names its next moment after now, whenever the last run began."""
    assert timing.next_run(every, started=0.0, now=moment(now), late=0.0) == moment(expected)


def test_cron_backs_off_from_its_own_interval() -> None:
    """A nightly source that failed is tried again within the cap, not the night after."""
    now = moment("2026-01-01T03:01")
    assert timing.retry("0 3 * * *", failures=1, now=now, cap=6 * HOUR, late=0.0) == now + 6 * HOUR
    assert timing.interval("*/5 * * * *", now) == 5 * MINUTE


@pytest.mark.parametrize("every", ["soon", "", "0m", "61 * * * *", "0 0 30 2 *", "* * * *"])
def test_what_is_no_schedule_is_refused(every: str) -> None:
    """Neither an interval nor a cron expression that ever comes: one line that shows the form."""
    with pytest.raises(ValueError, match=r"such as (30m|0 3)"):
        check_schedule(every)
