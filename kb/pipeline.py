"""Documents on their way into the store: prepared, embedded and committed side by side.

Several documents are fetched and parsed at a time, while the source is still being listed; what they give
is embedded in batches while the batch before is committed. Queues are bounded, so the slowest stage sets
the pace and memory stays flat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kb import faults
from kb.errors import KnowledgeBaseError
from kb.nodes import Embedding
from kb.planning import Task
from kb.preparing import Outcome, Preparer
from kb.reports import Tally
from kb.writing import Writer, settled

if TYPE_CHECKING:
    from kb.embedding import Embedder
    from kb.store import NodeStore

FETCHERS = 8
BATCH_NODES = 512
# A batch waits this many seconds for more documents before it is stored as it is: a slow source keeps
# what it has brought so far.
PATIENCE = 5.0
_EMBED_AT_ONCE = 128

Embeddings = dict[str, Embedding]


class Turns:
    """Tasks that several fetchers take in turn, until there are none or one of them says stop."""

    def __init__(self, tasks: AsyncIterator[Task]) -> None:
        self._tasks = tasks
        self._turn = asyncio.Lock()
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Give out no more, nor wait for more: what was planned and not taken is left."""
        self._stopped.set()

    async def take(self) -> Task | None:
        """Return the next task, or None at the end. What planning raises is raised to one fetcher."""
        async with self._turn:
            if self._stopped.is_set():
                return None
            task = await self._next()
            if task is None:
                self.stop()
            return task

    async def _next(self) -> Task | None:
        coming = asyncio.create_task(_next_of(self._tasks))
        stopping = asyncio.create_task(self._stopped.wait())
        either: set[asyncio.Task[Any]] = {coming, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else None
        finally:
            stopping.cancel()
            if not coming.done():
                coming.cancel()
                with suppress(asyncio.CancelledError, KnowledgeBaseError):
                    await coming


async def _next_of(tasks: AsyncIterator[Task]) -> Task | None:
    return await anext(tasks, None)


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
        self.exact = True

    async def run(self, tasks: AsyncIterator[Task]) -> None:
        """Bring the tasks' documents into the store.

        When the source stops answering, what came before is stored and the error is raised then.
        Afterwards `exact` tells whether all documents were what had been listed.
        """
        queue: asyncio.Queue[Outcome | None] = asyncio.Queue(self._batch_documents)
        producing = asyncio.create_task(self._produce(Turns(tasks), queue))
        try:
            await self._consume(queue)
            await producing
        finally:
            producing.cancel()
            with suppress(asyncio.CancelledError, KnowledgeBaseError):
                await producing

    # Fetch and parse

    async def _produce(self, turns: Turns, queue: asyncio.Queue[Outcome | None]) -> None:
        fetchers = [self._fetch(turns, queue) for _ in range(FETCHERS)]
        ends = await asyncio.gather(*fetchers, return_exceptions=True)
        await queue.put(None)
        for end in ends:
            if end is not None:
                raise end

    async def _fetch(self, turns: Turns, queue: asyncio.Queue[Outcome | None]) -> None:
        try:
            while (task := await turns.take()) is not None:
                outcome = await self._preparer.prepare(task)
                self._tally.bytes += outcome.bytes
                await queue.put(outcome)
        finally:
            # When the source stops answering, no more is asked of it.
            turns.stop()

    # Embed and commit

    async def _consume(self, queue: asyncio.Queue[Outcome | None]) -> None:
        committing: asyncio.Task[None] | None = None
        try:
            async for batch in self._batches(queue):
                embeddings = await self._embed(batch)
                if committing is not None:
                    await settled(committing)
                self._uncommitted = embeddings
                committing = asyncio.create_task(self._commit(batch, embeddings))
        finally:
            if committing is not None:
                await settled(committing)

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
        self.exact = self.exact and all(outcome.exact for outcome in batch)
        for outcome in batch:
            self._tally.count(outcome.effect, outcome.row)
        self._tally.show()
