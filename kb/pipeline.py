"""Documents on their way into the store: prepared, embedded and committed side by side.

Several documents are fetched and parsed at a time; what they give is embedded in batches while the
batch before is committed. Queues are bounded, so the slowest stage sets the pace and memory stays flat.
A batch is done in this order: announce, store, flush, record. Whatever moment the process dies at, the
next run knows which documents to doubt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kb import faults
from kb.errors import KnowledgeBaseError, LeaseLost
from kb.leases import Lease
from kb.manifest import Manifest
from kb.nodes import Embedding, StoredNode
from kb.planning import Known, Task
from kb.preparing import Outcome, Preparer
from kb.reports import Tally

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.store import NodeStore

log = logging.getLogger(__name__)

FETCHERS = 8
BATCH_NODES = 512
# A batch waits this many seconds for more documents before it is stored as it is: a slow source keeps
# what it has brought so far.
PATIENCE = 5.0
_EMBED_AT_ONCE = 128
_COMMITS_BETWEEN_UPKEEP = 100

Embeddings = dict[str, Embedding]


class Writer:
    """Changes the store and then the manifest, in the order that survives a kill at any point."""

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


class Pipeline:
    """Takes planned documents to the store. With `reuse` off every node is embedded anew."""

    def __init__(
        self,
        preparer: Preparer,
        embedder: Embedder,
        store: NodeStore,
        writer: Writer,
        tally: Tally,
        *,
        batch_documents: int,
        reuse: bool = True,
    ) -> None:
        self._preparer = preparer
        self._embedder = embedder
        self._store = store
        self._writer = writer
        self._tally = tally
        self._batch_documents = batch_documents
        self._reuse = reuse
        self._uncommitted: Embeddings = {}
        self.recorded: list[Known] = []

    async def run(self, tasks: Iterable[Task]) -> None:
        """Bring the tasks' documents into the store.

        When the source stops answering, what came before is stored and the error is raised then.
        """
        queue: asyncio.Queue[Outcome | None] = asyncio.Queue(self._batch_documents)
        producing = asyncio.create_task(self._produce(iter(tasks), queue))
        try:
            await self._consume(queue)
            await producing
        finally:
            producing.cancel()
            with suppress(asyncio.CancelledError, KnowledgeBaseError):
                await producing

    # Fetch and parse

    async def _produce(self, tasks: Iterator[Task], queue: asyncio.Queue[Outcome | None]) -> None:
        fetchers = [self._fetch(tasks, queue) for _ in range(FETCHERS)]
        ends = await asyncio.gather(*fetchers, return_exceptions=True)
        await queue.put(None)
        for end in ends:
            if end is not None:
                raise end

    async def _fetch(self, tasks: Iterator[Task], queue: asyncio.Queue[Outcome | None]) -> None:
        try:
            for task in tasks:
                outcome = await self._preparer.prepare(task)
                self._tally.bytes += outcome.bytes
                await queue.put(outcome)
        finally:
            # All fetchers share the iterator: when the source stops answering, no more is asked of it.
            for _ in tasks:
                pass

    # Embed and commit

    async def _consume(self, queue: asyncio.Queue[Outcome | None]) -> None:
        committing: asyncio.Task[None] | None = None
        try:
            async for batch in self._batches(queue):
                embeddings = await self._embed(batch)
                if committing is not None:
                    await _settled(committing)
                self._uncommitted = embeddings
                committing = asyncio.create_task(self._commit(batch, embeddings))
        finally:
            if committing is not None:
                await _settled(committing)

    async def _batches(self, queue: asyncio.Queue[Outcome | None]) -> AsyncIterator[list[Outcome]]:
        ended = False
        while not ended:
            first = await queue.get()
            if first is None:
                return
            batch = [first]
            ended = await self._fill(batch, queue)
            yield batch

    async def _fill(self, batch: list[Outcome], queue: asyncio.Queue[Outcome | None]) -> bool:
        """Add to the batch until it is full or has waited long enough; return whether the queue ended."""
        size = len(batch[0].nodes or ())
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while len(batch) < self._batch_documents and size < BATCH_NODES:
                    outcome = await queue.get()
                    if outcome is None:
                        return True
                    batch.append(outcome)
                    size += len(outcome.nodes or ())
        return False

    async def _embed(self, batch: Sequence[Outcome]) -> Embeddings:
        """Return the embeddings of all nodes of the batch, each distinct text embedded once at most."""
        texts = {node.hash: outcome.text(node) for outcome in batch for node in outcome.nodes or ()}
        found = await self._stored_embeddings(texts)
        fresh = [digest for digest in texts if digest not in found]
        faults.reach("embed")
        for start in range(0, len(fresh), _EMBED_AT_ONCE):
            digests = fresh[start : start + _EMBED_AT_ONCE]
            made = await self._embedder.embed_passages([texts[digest] for digest in digests])
            found.update(zip(digests, made, strict=True))
            self._tally.embedded += len(digests)
            self._tally.show()
        self._tally.reused += sum(len(outcome.nodes or ()) for outcome in batch) - len(fresh)
        return found

    async def _stored_embeddings(self, texts: Iterable[str]) -> Embeddings:
        found = {digest: self._uncommitted[digest] for digest in texts if digest in self._uncommitted}
        if self._reuse:
            found |= await self._store.embeddings([digest for digest in texts if digest not in found])
        return found

    async def _commit(self, batch: Sequence[Outcome], embeddings: Embeddings) -> None:
        documents = {
            outcome.row.document_id: [replace(node, embedding=embeddings[node.hash]) for node in nodes]
            for outcome in batch
            if (nodes := outcome.nodes) is not None
        }
        rows = [outcome.row for outcome in batch]
        await self._writer.write(rows, documents)
        self.recorded += rows
        for outcome in batch:
            self._tally.count(outcome.effect, outcome.row.uri, outcome.row.reason)
        self._tally.show()


async def settle(work: Coroutine[Any, Any, None]) -> None:
    """Await work to its end even when cancelled meanwhile; the cancellation is raised afterwards."""
    await _settled(asyncio.create_task(work))


async def _settled(task: asyncio.Task[None]) -> None:
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
