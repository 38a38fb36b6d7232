"""The upkeep of a table: when it is compacted and indexed, and that its old versions go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kb.lance import AsyncConnection, AsyncTable
from kb.store_cleanup import BEFORE_COPYING, GRACE, LEAST, MOST_DISK, Cleaned, Cleaner, rules_for
from kb.store_maintenance import EXACT_ROWS, has_vector_index, prepare_vector_index, retried, workload
from kb.store_opening import drop_superseded, is_remote

NEVER = timedelta(days=36_500)

Marked = Callable[[str], Awaitable[Collection[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """What one call of `maintain` did. `error` is empty unless it failed; a later call tries again."""

    optimized: bool = False
    rebuilt: bool = False
    fragments: int = 0
    unindexed: int = 0
    versions_removed: int = 0
    bytes_removed: int = 0
    error: str = ""


class Maintainer:
    """Keeps one table quick and small; one process at a time does so.

    `marked` tells which versions runs name: a rollback may want them. `flush` makes what was written so
    far survive a power cut.
    """

    def __init__(
        self,
        path: str,
        connection: AsyncConnection,
        *,
        keep: timedelta,
        marked: Marked | None,
        flush: Callable[[], Awaitable[None]],
    ) -> None:
        self._path = path
        self._connection = connection
        self._keep = keep
        self._marked = marked
        self._flush = flush
        self._cleaner: Cleaner | None = None
        self._last = Cleaned()
        self._looked_at = (0, 0.0)

    async def run(self, table: AsyncTable, *, force: bool, keep: timedelta | None) -> MaintenanceReport:
        """Compact, index and clean up when there is enough to do; retry when a writer came first."""
        keep = self._keep if keep is None else keep
        work = await workload(table)
        build = work.rows >= EXACT_ROWS and not await has_vector_index(table)
        cleaner = self._cleaner_of(table)
        due = force or build or work.is_due or (cleaner and await asyncio.to_thread(cleaner.is_wasteful))
        rebuilt, removed, freed = False, 0, 0
        if due:
            cleaned = await self._clean(table, keep, BEFORE_COPYING)
            removed, freed = cleaned.versions, cleaned.freed
            rebuilt = await prepare_vector_index(table, build=build)
            await retried(lambda: table.optimize(cleanup_older_than=NEVER))
        if due or await self._is_cleanup_due(table):
            cleaned = await self._clean(table, keep, MOST_DISK)
            removed, freed = removed + cleaned.versions, freed + cleaned.freed
        await drop_superseded(self._connection, table, min(keep, GRACE))
        return MaintenanceReport(
            optimized=bool(due),
            rebuilt=rebuilt,
            fragments=work.fragments,
            unindexed=work.unindexed,
            versions_removed=removed,
            bytes_removed=freed,
        )

    async def _is_cleanup_due(self, table: AsyncTable) -> bool:
        """Tell whether there are new versions, or some that were too young to go when last looked at."""
        version, moment = self._looked_at
        patience = LEAST if self._last.over else GRACE
        waited = time.monotonic() - moment > patience.total_seconds()
        return waited or await table.version() != version

    async def _clean(self, table: AsyncTable, keep: timedelta, share: float) -> Cleaned:
        await self._flush()  # old files go only after the new ones are safe: a power cut may find neither
        cleaner = self._cleaner_of(table)
        if cleaner is None:
            stats = await retried(lambda: table.optimize(cleanup_older_than=min(keep, GRACE)))
            self._last = Cleaned(versions=stats.prune.old_versions_removed, freed=stats.prune.bytes_removed)
        else:
            store = Path(self._path)
            marked = None if self._marked is None else await self._marked(table.name)
            rules = await asyncio.to_thread(
                rules_for, store, table.name, keep=keep, share=share, marked=marked
            )
            self._last = await cleaner.clean(rules, flush=self._flush)
        self._looked_at = (await table.version(), time.monotonic())
        return self._last

    def _cleaner_of(self, table: AsyncTable) -> Cleaner | None:
        """Return what cleans the table's folder; None in object storage, where LanceDB does by age."""
        if self._cleaner is None and not is_remote(self._path):
            self._cleaner = Cleaner(Path(self._path) / f"{table.name}.lance")
        return self._cleaner
