"""When each source is due next, what failed, and which sources are paused: a row a source in SQL.

Any number of processes read these rows. Whoever claims a due row may run its source; that two never run
one source at a time is the lease's to see to (`kb/leases.py`).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kb.database import inserting, reading, transaction
from kb.leases import is_held
from kb.runs import ROLLBACK
from kb.settings import ScheduleSettings, interval_seconds
from kb.sources import AnySource
from kb.tables import leases, schedules
from kb.timing import next_run, retry

# How long a claimed source has until its run holds the lease; after that others may claim it.
CLAIM_SECONDS = 10.0
PAUSED = "paused"

# Earlier than any moment: somebody asked for a run, and a run that began before does not count as it.
_ASKED = 0.0
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_COLUMNS = tuple(schedules.c)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a source is due. `failures` are those in a row, `error` the last one's reason.

    `every` is what `next_run` was reckoned from. `paused` is empty, `paused`, or names the run of a rollback.
    """

    source: str
    every: str
    next_run: float
    failures: int = 0
    error: str = ""
    paused: str = ""

    @property
    def held_at(self) -> str:
        """The run that the source was rolled back to and is held at; empty when it is not."""
        return held_run(self.paused)


def held_run(paused: str) -> str:
    """Return the id of the run that a row's `paused` holds its source at; empty when it does not."""
    return paused.removeprefix(ROLLBACK) if paused.startswith(ROLLBACK) else ""


class Schedules:
    """Reads and writes the rows. Every method may raise `StoreError`.

    `chance` gives a number between 0 and 1, for the jitter.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        settings: ScheduleSettings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._settings = settings or ScheduleSettings()
        self._clock = clock
        self._chance = chance

    async def all(self) -> dict[str, Schedule]:
        """Return every row by source."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(*_COLUMNS))).all()
        return {row.source: Schedule(**row._mapping) for row in rows}

    async def due(self) -> list[Schedule]:
        """Return the sources that are due, not paused, and not being synced now; longest due first."""
        now = self._clock()
        statement = (
            select(*_COLUMNS, leases.c.owner, leases.c.until)
            .outerjoin(leases, leases.c.source == schedules.c.source)
            .where(schedules.c.next_run <= now, schedules.c.paused == "")
            .order_by(schedules.c.next_run, schedules.c.source)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return [
            Schedule(**{column.name: row._mapping[column.name] for column in _COLUMNS})
            for row in rows
            if not is_held(row.owner, row.until, now)
        ]

    def needs_attention(self, schedule: Schedule) -> bool:
        """Tell whether a source has failed so often that a person should look at it."""
        return schedule.failures >= self._settings.attention_after

    async def plan(self, sources: Iterable[AnySource]) -> None:
        """Make sources due that are new here, and reckon those anew whose `every` has changed."""
        known, now = await self.all(), self._clock()
        changed = []
        for source in sources:
            row = known.get(source.name)
            if row is not None and row.every == source.every:
                continue
            due = now if row is None else row.next_run
            if due > now:
                due = self._after(source.every, now)
            changed.append((source, due))
        if changed:
            async with transaction(self._engine) as connection:
                for source, due in changed:
                    await self._put(connection, source.name, every=source.every, next_run=due)

    async def claim(self, schedule: Schedule) -> bool:
        """Claim a due row as it was read; False when another has claimed, run or paused it since.

        Whoever claims it begins within `CLAIM_SECONDS`, or leaves it to others.
        """
        statement = (
            update(schedules)
            .where(
                schedules.c.source == schedule.source,
                schedules.c.next_run == schedule.next_run,
                schedules.c.paused == "",
            )
            .values(next_run=self._clock() + CLAIM_SECONDS)
        )
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def ended(self, source: AnySource, *, started: float, failed: bool, error: str = "") -> Schedule:
        """Record how a run ended and reckon the next one; one asked for during this run stays due."""
        now = self._clock()
        async with transaction(self._engine) as connection:
            row = await _locked(connection, source.name)
            failures = (row.failures if row else 0) + 1 if failed else 0
            if row is not None and row.next_run == _ASKED:
                due = _ASKED
            elif failed:
                due = self._again(source.every, failures, now)
            else:
                due = self._after(source.every, now, started=started)
            ended = Schedule(
                source=source.name,
                every=source.every,
                next_run=due,
                failures=failures,
                error=_UNSAFE.sub("?", error) if failed else "",
                paused=row.paused if row else "",
            )
            kept = {key: value for key, value in asdict(ended).items() if key not in {"source", "paused"}}
            await self._put(connection, source.name, **kept)
        return ended

    async def ask(self, name: str) -> None:
        """Make a source due now; a run that is under way is followed by another."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(schedules).where(schedules.c.source == name).values(next_run=_ASKED)
            )

    async def pause(self, name: str) -> None:
        """Run a source no more by schedule. One held since a rollback stays held."""
        async with transaction(self._engine) as connection:
            row = await _locked(connection, name)
            if row is None or not row.paused:
                await self._put(connection, name, paused=PAUSED)

    async def resume(self, name: str) -> bool:
        """Run a source by schedule again, now; also one held since a rollback. False if it was not paused."""
        async with transaction(self._engine) as connection:
            result = await connection.execute(
                update(schedules)
                .where(schedules.c.source == name, schedules.c.paused != "")
                .values(paused="", next_run=self._clock(), failures=0)
            )
        return result.rowcount == 1

    async def hold(self, name: str, run: str) -> None:
        """Hold a source at the run it was rolled back to: until it is resumed, no sync may change it."""
        async with transaction(self._engine) as connection:
            await self._put(connection, name, paused=f"{ROLLBACK}{run}")

    def _after(self, every: str, now: float, *, started: float | None = None) -> float:
        late = self._chance() * self._settings.jitter
        return next_run(every, started=now if started is None else started, now=now, late=late)

    def _again(self, every: str, failures: int, now: float) -> float:
        cap = float(interval_seconds(self._settings.backoff_cap))
        late = self._chance() * self._settings.jitter
        return retry(every, failures=failures, now=now, cap=cap, late=late)

    async def _put(self, connection: AsyncConnection, source: str, **changed: object) -> None:
        """Change a row, or make it; a new one is due and not paused unless it is said otherwise."""
        fresh = {"every": "", "next_run": self._clock(), "failures": 0, "error": "", "paused": ""}
        await connection.execute(
            inserting(self._engine, schedules)
            .values(source=source, **{**fresh, **changed})
            .on_conflict_do_update(index_elements=["source"], set_=changed)
        )


async def _locked(connection: AsyncConnection, source: str) -> Schedule | None:
    statement = select(*_COLUMNS).where(schedules.c.source == source).with_for_update()
    row = (await connection.execute(statement)).first()
    return None if row is None else Schedule(**row._mapping)
