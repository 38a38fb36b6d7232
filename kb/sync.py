"""Bring one source's documents into the store, and only what changed.

A run compares the source's listing with the manifest, stores what is new or changed, and at the very
end, after a complete listing, hides what is gone, and removes what was gone the time before too. A run
that fails or is killed leaves every document as it was or as it is now; the next run goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from kb.connectors.base import Connector
from kb.errors import KnowledgeBaseError, StoreError, SyncRefused
from kb.leases import Lease, Leases
from kb.manifest import Manifest, Run
from kb.reports import Progress, SyncReport, Tally
from kb.runs import RunStatus
from kb.settings import SyncSettings
from kb.source_sync import Parts, SourceSync
from kb.sources import AnySource
from kb.writing import settle

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.parsing.pool import Parser
    from kb.store import NodeStore

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0


class Connect(Protocol):
    """Makes the connector of a source."""

    def __call__(self, settings: AnySource, *, max_bytes: int, dry: bool) -> Connector:
        """Return the connector; no work is done yet. A `dry` one remembers nothing of what it sees."""
        ...


class Synchroniser:
    """Runs syncs. One store, manifest, embedder and parser serve all sources, several at a time."""

    def __init__(
        self,
        store: NodeStore,
        manifest: Manifest,
        embedder: Embedder,
        parser: Parser,
        settings: SyncSettings,
        connect: Connect,
        *,
        leases: Leases | None = None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._parts = Parts(
            store=store, manifest=manifest, embedder=embedder, parser=parser, settings=settings
        )
        self._leases = leases or Leases(manifest.engine)
        self._connect = connect
        self._beat_seconds = beat_seconds
        self._mended = bool(store.repairs)

    async def run(
        self,
        source: AnySource,
        *,
        dry_run: bool = False,
        allow_deletes: bool = False,
        reembed: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Sync a source and return what was done; what failed is in the report.

        With `dry_run` nothing is fetched and nothing written. With `reembed` every node is embedded
        anew. Raise `SyncRefused` when another process syncs the source or takes it over, or while a rollback
        holds it.
        """
        tally = Tally(source=source.name, notify=progress)
        connector = self._connect(source, max_bytes=self._parts.max_bytes, dry=dry_run)
        sync = SourceSync(self._parts, source, connector, tally, allow_deletes=allow_deletes, reembed=reembed)
        if dry_run:
            await sync.preview()
            return tally.report()
        async with self._leases.hold(source.name) as lease:
            run, before = await self._start(lease)
            tally.resuming = before is not None and before.status == "interrupted"
            beating = asyncio.create_task(self._beat(run, tally))
            try:
                return await self._finish(run, lease, sync, tally)
            finally:
                beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)

    async def remove(self, name: str) -> None:
        """Remove a source: its nodes, then its rows and its definition. Raise `SourceUnknown`."""
        async with self._leases.hold(name):
            await self._parts.store.delete_source(name)
            await self._parts.store.flush()
            await self._parts.manifest.remove_source(name)

    async def _start(self, lease: Lease) -> tuple[Run, Run | None]:
        """Record the beginning of a run, and distrust a store that has lost what runs recorded."""
        store, manifest = self._parts.store, self._parts.manifest
        version = await store.version()
        if self._mended or await manifest.highest_version(store.name) > version:
            log.warning("store was set back path=%s version=%d", store.path, version)
            await manifest.distrust(store.name, version)
            self._mended = False
        return await manifest.start_run(lease, store=store.name, version=version)

    async def _finish(self, run: Run, lease: Lease, sync: SourceSync, tally: Tally) -> SyncReport:
        """Carry a run out and record how it ended."""
        manifest = self._parts.manifest
        try:
            await sync.carry_out(lease)
        except asyncio.CancelledError:
            await settle(self._end(run, "interrupted", report=tally.report().as_json()))
            raise
        except SyncRefused as exc:
            await manifest.finish_run(run, "failed", error=str(exc))
            raise
        except KnowledgeBaseError as exc:
            log.warning("sync failed source=%s reason=%s", run.source, exc)
            tally.fail(str(exc))
        tally.enter("done", tally.total)
        report = tally.report()
        error = report.errors[0].reason if report.status == "failed" else ""
        stamp = "" if tally.broken else sync.stamp
        await self._end(run, report.status, report=report.as_json(), error=error, stamp=stamp)
        return report

    async def _end(
        self, run: Run, status: RunStatus, *, report: dict[str, Any], error: str = "", stamp: str = ""
    ) -> None:
        version: int | None = None
        try:
            version = await self._parts.store.version()
        except StoreError as exc:
            log.warning("version not recorded source=%s reason=%s", run.source, exc)
        await self._parts.manifest.finish_run(
            run, status, report=report, error=error, version=version, listing=stamp
        )

    async def _beat(self, run: Run, tally: Tally) -> None:
        """Note from time to time that the run gets on, as long as it does."""
        mark = tally.mark
        while True:
            await asyncio.sleep(self._beat_seconds)
            if tally.mark == mark:
                continue
            mark = tally.mark
            try:
                await self._parts.manifest.beat(run)
            except StoreError as exc:
                log.warning("progress not recorded source=%s reason=%s", run.source, exc)
