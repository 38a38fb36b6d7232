"""Changes of the store and then of the manifest, in the order that survives a kill at any point.

A change is done in this order: announce, store, flush, record. Whatever moment the process dies at, the
next run knows which documents to doubt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kb import faults
from kb.documents import HIDDEN_TAG
from kb.errors import LeaseLost
from kb.leases import Lease
from kb.manifest import Manifest
from kb.nodes import StoredNode
from kb.planning import Known

if TYPE_CHECKING:
    from kb.store import NodeStore

log = logging.getLogger(__name__)

_COMMITS_BETWEEN_UPKEEP = 100


class Writer:
    """Changes the documents of one source, for as long as its lease holds."""

    def __init__(self, store: NodeStore, manifest: Manifest, lease: Lease) -> None:
        self._store = store
        self._manifest = manifest
        self._lease = lease
        self.commits = 0

    async def write(self, rows: Sequence[Known], documents: dict[str, list[StoredNode]]) -> None:
        """Replace the documents' nodes, then record the rows. Raise `LeaseLost` if another took over.

        A cancellation waits until that is done.
        """
        await settle(self._write(rows, documents))

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the documents' nodes, then their rows; a cancellation waits until that is done."""
        await settle(self._delete(ids))

    async def tag(self, rows: Sequence[Known], tags: tuple[str, ...]) -> None:
        """Give the stored nodes of these documents other tags, embedding nothing, and record the rows.

        A row without stored nodes is recorded as of a document that is to be read again.
        """
        stored = await self._store.stored([row.document_id for row in rows])
        recorded = [row if row.document_id in stored else replace(row, pipeline="") for row in rows]
        await self.write(recorded, _tagged(stored, tags))

    async def hide(self, rows: Sequence[Known], now: float) -> None:
        """Hide the documents' nodes from everyone; a row without stored nodes is forgotten."""
        stored = await self._store.stored([row.document_id for row in rows])
        hidden = [
            replace(row, uri=nodes[0].uri, nodes=len(nodes), hidden=now)
            for row in rows
            if (nodes := stored.get(row.document_id))
        ]
        faults.reach("hide")
        if hidden:
            await self.write(hidden, _tagged(stored, (HIDDEN_TAG,)))
        if lost := [row.document_id for row in rows if row.document_id not in stored]:
            await self.delete(lost)

    async def _write(self, rows: Sequence[Known], documents: dict[str, list[StoredNode]]) -> None:
        if not documents:
            await self._manifest.record(self._lease, rows)
            return
        await self._manifest.announce(self._lease, documents)
        try:
            await self._replace(documents)
            await self._manifest.record(self._lease, rows)
        except LeaseLost:
            await self._manifest.doubt(self._lease.source, documents)
            raise
        faults.reach("recorded")

    async def _delete(self, ids: Sequence[str]) -> None:
        await self._manifest.announce(self._lease, ids)
        faults.reach("delete")
        await self._store.delete_documents(ids)
        faults.reach("deleted")
        await self._store.flush()
        faults.reach("forget")
        await self._manifest.forget(self._lease, ids)
        self.commits += 1

    async def _replace(self, documents: dict[str, list[StoredNode]]) -> None:
        faults.reach("commit")
        await self._store.replace(documents)
        faults.reach("flush")
        await self._store.flush()
        faults.reach("record")
        self.commits += 1
        if self.commits % _COMMITS_BETWEEN_UPKEEP == 0:
            await self._store.maintain()


def _tagged(stored: dict[str, list[StoredNode]], tags: tuple[str, ...]) -> dict[str, list[StoredNode]]:
    return {identity: [replace(node, audience=tags) for node in nodes] for identity, nodes in stored.items()}


async def settle(work: Coroutine[Any, Any, None]) -> None:
    """Await work to its end even when cancelled meanwhile; the cancellation is raised afterwards."""
    await settled(asyncio.create_task(work))


async def settled(task: asyncio.Task[None]) -> None:
    """Await a task to its end even when cancelled meanwhile; the cancellation is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.error("failed while it was being stopped: %s", failure)
    raise cancelled
