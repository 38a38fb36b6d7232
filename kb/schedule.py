"""Runs sources when they are due, until it is told to stop.

APScheduler only ticks: at each tick the rows that are due are looked up, claimed and run (`kb/schedules.py`),
so that any number of processes may run a scheduler over one database.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from kb.errors import KnowledgeBaseError, StoreError, SyncRefused
from kb.reports import DocumentError, SyncReport
from kb.schedules import CLAIM_SECONDS, Schedule, Schedules
from kb.settings import ScheduleSettings
from kb.sources import AnySource, FolderSource

log = logging.getLogger(__name__)

Run: TypeAlias = Callable[[AnySource], Awaitable[SyncReport]]
Told: TypeAlias = Callable[[SyncReport, Schedule], None]
Changes: TypeAlias = Callable[[Mapping[str, Path]], AsyncGenerator[set[str], None]]

TICK_SECONDS = 1.0
# How soon a watched folder that was added while serving is noticed.
_WATCH_AGAIN = 10.0


class Scheduler:
    """Syncs sources by schedule.

    `sources` gives those that are defined now, `run` syncs one, `told` hears how each run ended and when the
    next is due. `changes` tells which of some folders have changed, by source.
    """

    def __init__(
        self,
        schedules: Schedules,
        settings: ScheduleSettings,
        *,
        sources: Callable[[], Awaitable[Sequence[AnySource]]],
        run: Run,
        told: Told,
        changes: Changes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._schedules = schedules
        self._settings = settings
        self._sources = sources
        self._run = run
        self._told = told
        self._changes = changes
        self._clock = clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ticking = asyncio.Lock()
        self._stopping = False
        self._trouble = ""

    async def serve(self, stop: asyncio.Event) -> bool:
        """Run what is due until `stop` is set, then end what runs; False when that took too long.

        A run that is ended this way keeps what it has committed, and is due at the next start.
        """
        await self._schedules.plan(await self._sources())
        watching = asyncio.create_task(self._watch())
        async with _ticks(self.tick):
            try:
                await stop.wait()
            finally:
                await _end(watching)
                drained = await self._drain()
        return drained

    async def tick(self) -> None:
        """Begin the runs that are due, as many as there is room for."""
        async with self._ticking:
            try:
                await self._begin_due()
            except StoreError as exc:
                self._report(str(exc))
            else:
                self._report("")

    async def ask(self, name: str) -> None:
        """Run a source now, or once more if it is being synced."""
        await self._schedules.ask(name)
        await self.tick()

    def _report(self, trouble: str) -> None:
        """Log what keeps the schedule from being read, once; it is tried again with every tick."""
        if trouble and trouble != self._trouble:
            log.warning("schedule cannot be read reason=%s", trouble)
        self._trouble = trouble

    async def _begin_due(self) -> None:
        if self._stopping or not self._room():
            return
        due = [row for row in await self._schedules.due() if row.source not in self._running]
        if not due:
            return
        defined = {source.name: source for source in await self._sources()}
        for row in due:
            if not self._room():
                return
            if row.source in defined and await self._schedules.claim(row):
                self._begin(defined[row.source])

    def _room(self) -> int:
        return max(0, self._settings.concurrent - len(self._running))

    def _begin(self, source: AnySource) -> None:
        task = asyncio.create_task(self._carry_out(source, self._clock()), name=f"sync {source.name}")
        self._running[source.name] = task
        task.add_done_callback(lambda _: self._running.pop(source.name))

    async def _carry_out(self, source: AnySource, claimed: float) -> None:
        """Run one claimed source and record how it ended."""
        started = self._clock()
        if started >= claimed + CLAIM_SECONDS:
            # This process was stopped in between; by now another may have run the source.
            return
        log.info("sync begins source=%s", source.name)
        try:
            report = await self._run(source)
        except SyncRefused as exc:
            log.info("sync left to another source=%s reason=%s", source.name, exc)
            return
        except KnowledgeBaseError as exc:
            report = _failed(source, str(exc))
        except Exception as exc:  # the edge of a task: one source's fault must not stop the others
            log.exception("sync broke source=%s", source.name)
            report = _failed(source, f"internal error ({type(exc).__name__}), see the log")
        await self._record(source, report, started)

    async def _record(self, source: AnySource, report: SyncReport, started: float) -> None:
        failed = report.status == "failed"
        error = report.errors[0].reason if failed and report.errors else ""
        try:
            row = await self._schedules.ended(source, started=started, failed=failed, error=error)
        except StoreError as exc:
            # The claim ends by itself, and the source is due again.
            log.warning("end of sync not recorded source=%s reason=%s", source.name, exc)
            return
        self._told(report, row)

    async def _drain(self) -> bool:
        """Begin nothing more and end what runs: batches in hand are settled and runs recorded."""
        self._stopping = True
        async with self._ticking:
            running = dict(self._running)
        for task in running.values():
            task.cancel()
        if running:
            await asyncio.wait(running.values(), timeout=self._settings.drain_seconds)
        for name in self._running:
            log.error("sync did not stop within %g s source=%s", self._settings.drain_seconds, name)
        return not self._running

    # Watched folders

    async def _watch(self) -> None:
        """Follow the watched folders among the sources, whichever they are at a time."""
        watched: dict[str, Path] = {}
        following: asyncio.Task[None] | None = None
        try:
            while True:
                folders = await self._watched(watched)
                if folders != watched or (following is not None and following.done()):
                    await _end(following)
                    watched = folders
                    following = asyncio.create_task(self._follow(watched)) if watched else None
                await asyncio.sleep(_WATCH_AGAIN)
        finally:
            await _end(following)

    async def _watched(self, before: dict[str, Path]) -> dict[str, Path]:
        """Return the folders to watch by source: those of before while the sources cannot be read."""
        try:
            sources = await self._sources()
        except StoreError:
            return before
        return {
            source.name: Path(source.location)
            for source in sources
            if isinstance(source, FolderSource) and source.watch
        }

    async def _follow(self, folders: Mapping[str, Path]) -> None:
        try:
            for name in sorted(folders):
                await self._schedules.ask(name)  # it may have changed while nobody looked
            async with aclosing(self._changes(folders)) as changes:
                async for names in changes:
                    for name in sorted(names):
                        await self.ask(name)
        except (OSError, KnowledgeBaseError) as exc:
            log.warning("folders not watched, tried again soon reason=%s", exc)


@asynccontextmanager
async def _ticks(tick: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `tick` now and every second. A tick that comes late is not dropped, several are one."""
    from datetime import UTC, datetime

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    ticker = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    ticker.add_job(tick, "interval", seconds=TICK_SECONDS, next_run_time=datetime.now(UTC))
    ticker.start()
    try:
        yield
    finally:
        # With wait=True it would cancel a tick under way, too.
        ticker.shutdown(wait=False)


def _failed(source: AnySource, reason: str) -> SyncReport:
    return SyncReport(
        source=source.name, status="failed", errors=(DocumentError(document="", reason=reason),)
    )


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
