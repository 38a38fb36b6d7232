"""Bring one source's documents into the store, and only what changed.

A run compares the source's listing with the manifest, stores what is new or changed, and at the very
end, after a complete listing, removes what is gone. A run that fails or is killed leaves every document
as it was or as it is now; the next run goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kb.connectors.base import Connector
from kb.connectors.registry import open_connector
from kb.errors import KnowledgeBaseError, SyncRefused
from kb.leases import Lease, Leases
from kb.manifest import Manifest, Run
from kb.pipeline import settle
from kb.preparing import MEGABYTE
from kb.reports import Progress, SyncReport, Tally
from kb.settings import AnySource, SyncSettings
from kb.source_sync import Parts, SourceSync

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.parsing.pool import Parser
    from kb.store import NodeStore

log = logging.getLogger(__name__)


class Connect(Protocol):
    """Makes the connector of a source."""

    def __call__(self, settings: AnySource, *, data: Path, max_bytes: int) -> Connector:
        """Return the connector; no work is done yet."""
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
        data: Path,
        *,
        leases: Leases | None = None,
        connect: Connect = open_connector,
    ) -> None:
        self._parts = Parts(
            store=store, manifest=manifest, embedder=embedder, parser=parser, settings=settings
        )
        self._data = data
        self._leases = leases or Leases(manifest.engine)
        self._connect = connect

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
        anew. Raise `SyncRefused` when another process syncs the source or takes it over.
        """
        tally = Tally(source=source.name, notify=progress)
        max_bytes = int(self._parts.settings.max_file_mb * MEGABYTE)
        connector = self._connect(source, data=self._data, max_bytes=max_bytes)
        sync = SourceSync(self._parts, source, connector, tally, allow_deletes=allow_deletes, reembed=reembed)
        if dry_run:
            await sync.preview()
            return tally.report()
        async with self._leases.hold(source.name) as lease:
            run, before = await self._parts.manifest.start_run(lease)
            tally.resuming = before is not None and before.status == "interrupted"
            return await self._finish(run, lease, sync, tally)

    async def remove(self, name: str) -> None:
        """Remove a source: its nodes, then its rows and its definition. Raise `SourceUnknown`."""
        async with self._leases.hold(name):
            await self._parts.store.delete_source(name)
            await self._parts.store.flush()
            await self._parts.manifest.remove_source(name)

    async def _finish(self, run: Run, lease: Lease, sync: SourceSync, tally: Tally) -> SyncReport:
        """Carry a run out and record how it ended."""
        manifest = self._parts.manifest
        try:
            await sync.carry_out(lease)
        except asyncio.CancelledError:
            await settle(manifest.finish_run(run, "interrupted", report=tally.report().as_json()))
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
        await manifest.finish_run(run, report.status, report=report.as_json(), error=error)
        return report
