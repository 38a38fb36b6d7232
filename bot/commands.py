"""What the commands about sources do, once for every adapter; how it looks is the adapters' business."""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bot.errors import CommandError
from kb import timing
from kb.errors import SourceUnknown
from kb.leases import Leases
from kb.manifest import Failure, Manifest, SourceState
from kb.reports import Progress, SyncReport
from kb.runs import Run
from kb.schedules import Schedule, Schedules
from kb.sources import AnySource

if TYPE_CHECKING:
    from kb.connectors.registry import Connectors
    from kb.sync import Synchroniser


Origin = Literal["settings", "added", "gone"]

# A run is given two intervals to get on, and an overdue one to begin, but never less than this.
_PATIENCE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverview:
    """A source and how it stands.

    `origin` tells where it is defined: in the settings file, by a command, or nowhere any more while
    its documents are still stored. `next_run` is when it is due, in seconds since the epoch. A source is
    `hung` when its run has not got on for long, `overdue` when none has begun for long after it was due; it
    needs `attention` when it has failed many times in a row.
    """

    name: str
    origin: Origin
    source: AnySource | None
    state: SourceState
    schedule: Schedule | None = None
    next_run: float | None = None
    running: bool = False
    hung: bool = False
    overdue: bool = False
    attention: bool = False

    @property
    def error(self) -> str:
        """Why the last run failed, or could not begin; empty when it did not."""
        last = self.state.last_run
        return (last.error if last else "") or (self.schedule.error if self.schedule else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDetail:
    """All that is known of one source. `failures` are the documents that gave no text."""

    overview: SourceOverview
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A source that was added. `has_documents` tells whether it lists any now."""

    source: AnySource
    has_documents: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A source that was removed, with the documents and nodes that went with it."""

    name: str
    documents: int
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the whole knowledge base stands. `disk` is in bytes."""

    sources: tuple[SourceOverview, ...]
    documents: int
    nodes: int
    failed: int
    disk: int
    data: Path
    embedding: str
    llm: str


class Commands:
    """Carries out the commands about sources.

    `configured` are the sources of the settings file; they go before kept ones of the same name.
    `synchroniser` opens what a sync needs, which is slow and therefore done only by the commands that
    change documents.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        configured: Sequence[AnySource],
        data: Path,
        connectors: Connectors,
        schedules: Schedules,
        synchroniser: Callable[[], Awaitable[Synchroniser]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._manifest = manifest
        self._schedules = schedules
        self._leases = Leases(manifest.engine, clock=clock)
        self._clock = clock
        self._configured = {source.name: source for source in configured}
        self._data = data
        self._connectors = connectors
        self._synchroniser = synchroniser

    async def sources(self) -> list[AnySource]:
        """Return every defined source by name."""
        kept = {source.name: source for source in await self._manifest.list_sources()}
        return sorted((kept | self._configured).values(), key=lambda source: source.name)

    async def select(self, names: Sequence[str]) -> list[AnySource]:
        """Return the named sources, or all; raise `SourceUnknown` for a name that none has."""
        sources = {source.name: source for source in await self.sources()}
        for name in names:
            if name not in sources:
                raise _unknown(name, sources)
        return [sources[name] for name in dict.fromkeys(names)] if names else list(sources.values())

    async def add(
        self,
        location: str,
        *,
        kind: str | None,
        options: Mapping[str, Any],
        settings: Sequence[str] = (),
    ) -> Added:
        """Add a source whose documents can be listed now.

        `options` are keys of its settings, `settings` texts KEY=VALUE for any of them.
        """
        from bot.defining import define_source  # here: most commands define none

        source = define_source(location, kind, options, settings)
        if source.name in self._configured:
            raise CommandError(
                f"The settings file has a source {source.name!r} already. Give this one another --name."
            )
        has_documents = await self.lists(source)
        await self._manifest.add_source(source)
        await self._schedules.plan([source])
        return Added(source=source, has_documents=has_documents)

    async def overview(self) -> list[SourceOverview]:
        """Return every source that is defined or has documents, by name."""
        defined = {source.name: source for source in await self.sources()}
        states = await self._manifest.states()
        stored = {name for name, state in states.items() if state.documents or name in defined}
        schedules, held = await self._schedules.all(), await self._leases.held()
        return [
            self._overview(
                name,
                defined.get(name),
                states.get(name) or SourceState(source=name),
                schedules.get(name),
                held=name in held,
            )
            for name in sorted({*defined, *stored})
        ]

    async def show(self, name: str) -> SourceDetail:
        """Return all that is known of one source."""
        overviews = {overview.name: overview for overview in await self.overview()}
        if name not in overviews:
            raise _unknown(name, overviews)
        return SourceDetail(
            overview=overviews[name],
            runs=tuple(await self._manifest.last_runs(name)),
            failures=tuple(await self._manifest.failures(name)),
        )

    async def remove(self, name: str) -> Removed:
        """Remove a source and all that is stored of it."""
        detail = await self.removable(name)
        await (await self._synchroniser()).remove(name)
        state = detail.overview.state
        return Removed(name=name, documents=state.documents, nodes=state.nodes)

    async def removable(self, name: str) -> SourceDetail:
        """Return the source if `remove` may remove it; raise otherwise."""
        detail = await self.show(name)
        if name in self._configured:
            from bot.texts import ENGLISH

            raise CommandError(ENGLISH.in_settings.format(name=name))
        return detail

    async def pause(self, name: str) -> None:
        """Sync a source no more by schedule, until it is resumed."""
        await self.select([name])
        await self._schedules.pause(name)

    async def resume(self, name: str) -> bool:
        """Sync a source by schedule again, also one held since a rollback; False if it was not paused."""
        await self.select([name])
        return await self._schedules.resume(name)

    async def history(self, names: Sequence[str], limit: int) -> list[Run]:
        """Return the latest runs of the named sources, or of all, newest first."""
        if not names:
            return await self._manifest.history(None, limit)
        known = {overview.name for overview in await self.overview()}
        found: list[Run] = []
        for name in dict.fromkeys(names):
            if name not in known:
                raise _unknown(name, known)
            found += await self._manifest.history(name, limit)
        return sorted(found, key=lambda run: run.started, reverse=True)[:limit]

    async def sync(
        self,
        source: AnySource,
        *,
        dry_run: bool = False,
        allow_deletes: bool = False,
        reembed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Bring one source's documents up to date, and reckon when it is due next."""
        synchroniser = await self._synchroniser()
        started = self._clock()
        report = await synchroniser.run(
            source, dry_run=dry_run, allow_deletes=allow_deletes, reembed=reembed, progress=progress
        )
        if not dry_run:
            failed = report.status == "failed"
            reason = report.errors[0].reason if failed and report.errors else ""
            await self._schedules.ended(source, started=started, failed=failed, error=reason)
        return report

    async def status(self, *, embedding: str, llm: str) -> Status:
        """Return how everything stands; the names of the models are the caller's to know."""
        sources = tuple(await self.overview())
        return Status(
            sources=sources,
            documents=sum(overview.state.documents for overview in sources),
            nodes=sum(overview.state.nodes for overview in sources),
            failed=sum(overview.state.failed for overview in sources),
            disk=await asyncio.to_thread(_disk_usage, self._data),
            data=self._data,
            embedding=embedding,
            llm=llm,
        )

    def _overview(
        self,
        name: str,
        source: AnySource | None,
        state: SourceState,
        schedule: Schedule | None,
        *,
        held: bool,
    ) -> SourceOverview:
        now = self._clock()
        last = state.last_run
        due = _next_run(source, state, schedule, now)
        patience = max(_PATIENCE, 2 * timing.interval(source.every, now)) if source else _PATIENCE
        running = last is not None and last.status == "running"
        idle = not (schedule and schedule.paused) and not (running and held)
        return SourceOverview(
            name=name,
            origin="settings" if name in self._configured else "added" if source else "gone",
            source=source,
            state=state,
            schedule=schedule,
            next_run=due,
            running=running and held,
            hung=running and now - max(last.started, last.beat) > patience if last else False,
            overdue=due is not None and last is not None and idle and now - due > patience,
            attention=schedule is not None and self._schedules.needs_attention(schedule),
        )

    async def lists(self, source: AnySource) -> bool:
        """Tell whether a source lists any document; raise when it cannot be listed."""
        listing = self._connectors(source, dry=True).list_documents()
        try:
            return await anext(listing, None) is not None
        finally:
            if isinstance(listing, AsyncGenerator):
                await listing.aclose()


def _unknown(name: str, known: Iterable[str]) -> SourceUnknown:
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "See: lorekeeper sources list"
    return SourceUnknown(f"There is no source {name!r}. {hint}")


def _next_run(
    source: AnySource | None, state: SourceState, schedule: Schedule | None, now: float
) -> float | None:
    """Return when a source is due: as its row says, or reckoned from its last run if it has no row yet."""
    last = state.last_run
    if source is None or (schedule and schedule.paused):
        return None
    if schedule is not None and schedule.every:
        return schedule.next_run or now
    if last is None:
        return None
    return timing.next_run(source.every, started=last.started, now=last.started, late=0.0)


def _disk_usage(folder: Path) -> int:
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - 10 x as fast as Path here
            except FileNotFoundError:
                continue  # compaction removes files meanwhile
    return total
