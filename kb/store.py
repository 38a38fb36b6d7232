"""The LanceDB table of nodes: replace documents in one commit, search, embeddings to use again.

Nothing here decides what is stored or how hits are ranked. Every method may raise `StoreError`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

import pyarrow as pa

from kb.documents import HIDDEN_TAG, Audience
from kb.errors import StoreError
from kb.filters import near, one_of, shown
from kb.lance import AsyncConnection, AsyncTable
from kb.nodes import Embedding, Found, StoredNode, Vector
from kb.store_failures import first_line, is_full, store_errors
from kb.store_flush import flush_folder, folder_bytes
from kb.store_maintenance import retried, workload
from kb.store_opening import absolute, close, is_remote, make_ready, open_table
from kb.store_rows import (
    EMBEDDING_COLUMNS,
    READ_COLUMNS,
    STATE_COLUMNS,
    batches,
    state_digests,
    to_cards,
    to_embeddings,
    to_nodes,
    to_table,
)
from kb.store_search import TableSearch
from kb.store_snapshots import Snapshot, open_snapshot
from kb.store_upkeep import Maintainer, MaintenanceReport, Marked

log = logging.getLogger(__name__)

COMMIT_NODES = 10_000
LOOKUP = 1_000
REFRESH = timedelta(seconds=1)
KEEP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounts:
    """The size of a store. `bytes` is what it takes on disk (in object storage: its live data)."""

    nodes: int
    documents: int
    bytes: int
    version: int
    fragments: int
    unindexed: int


class NodeStore:
    """An open store. Any number of processes may read and write it; one at a time maintains it.

    `name` is its table's: versions count within one table. `repairs` says, a line each, what was mended
    when it was opened.
    """

    def __init__(
        self,
        *,
        path: str,
        connection: AsyncConnection,
        table: AsyncTable,
        repairs: tuple[str, ...],
        keep: timedelta = KEEP,
        marked: Marked | None = None,
    ) -> None:
        self.path = path
        self.name = table.name
        self.repairs = repairs
        self._maintainer = Maintainer(path, connection, keep=keep, marked=marked, flush=self.flush)
        self._connection = connection
        self._opened = table
        self._writing = asyncio.Lock()
        self._search = TableSearch(lambda: self._table)

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        model: str,
        dimension: int,
        create: bool = True,
        fresh: bool = False,
        refresh: timedelta = REFRESH,
        keep: timedelta = KEEP,
        marked: Marked | None = None,
    ) -> Self:
        """Open the store at a folder or object-storage address, mended if a power cut damaged it.

        With `fresh`, a new empty table is built beside the current one, which others go on reading
        until `publish` is called. `refresh` is how soon commits of other processes are seen. Versions
        are kept for `keep` at most, those between two `marked` ones only for minutes.
        Raises `ModelMismatch`, `StoreNewer`, `StoreError`.
        """
        place = absolute(path)
        opened = await open_table(
            place, model=model, dimension=dimension, create=create or fresh, fresh=fresh, refresh=refresh
        )
        return cls(
            path=place,
            connection=opened.connection,
            table=opened.table,
            repairs=opened.repairs,
            keep=keep,
            marked=marked,
        )

    async def close(self) -> None:
        """Let go of the table; the store cannot be used any more."""
        close(self._opened)
        close(self._connection)

    # Writing

    async def replace(self, documents: Mapping[str, Sequence[StoredNode]]) -> None:
        """Make the nodes of these documents exactly the given ones; none given removes a document.

        Each document is old or new for every reader, never half. Up to 10,000 nodes are one commit.
        A node that is stored with the same id, text and facts is left as it is, its embedding too.
        """
        async with self._writing:
            for batch in batches(documents, COMMIT_NODES):
                with store_errors(self.path, "while nodes were written"):
                    await self._replace(batch)

    async def delete_documents(self, ids: Collection[str]) -> None:
        """Remove all nodes of these documents."""
        if ids:
            await self._delete(one_of("document_id", ids))

    async def delete_source(self, name: str) -> None:
        """Remove all nodes of a source."""
        await self._delete(one_of("source", [name]))

    async def flush(self) -> None:
        """Return once everything committed so far survives a power cut."""
        if not is_remote(self.path):
            with store_errors(self.path, "while it was flushed"):
                await asyncio.to_thread(flush_folder, Path(self.path))

    async def publish(self) -> None:
        """Make a store that was opened `fresh` the current one, in one flushed commit."""
        await self.flush()
        async with self._writing:
            with store_errors(self.path, "while it was published"):
                await make_ready(self._table)
        await self.flush()

    async def maintain(self, *, force: bool = False, keep: timedelta | None = None) -> MaintenanceReport:
        """Compact, index and clean up when enough has changed; without that nothing is written.

        Old versions go as `kb/store_cleanup.py` says, at the latest after `keep`. A failure is logged and
        reported, never raised: the store is as good as before.
        """
        async with self._writing:
            try:
                report = await self._maintainer.run(self._table, force=force, keep=keep)
            except (OSError, RuntimeError, ValueError, StoreError) as exc:
                log.warning("store maintenance failed path=%s reason=%s", self.path, first_line(exc))
                full = "The disk is full. Free some space. " if is_full(exc) else ""
                return MaintenanceReport(error=f"{full}{first_line(exc)}")
            self._search.forget()
            return report

    # Reading

    async def find_nearest(
        self, vector: Vector, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        """Find the visible nodes whose vectors are nearest, best first, without reading them."""
        with store_errors(self.path, "while it was searched"):
            return await self._search.nearest(vector, limit=limit, audience=audience, sources=sources)

    async def find_matching(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str] = ()
    ) -> list[Found]:
        """Find the visible nodes that have words of the text, best first, without reading them."""
        with store_errors(self.path, "while it was searched"):
            return await self._search.matching(text, limit=limit, audience=audience, sources=sources)

    async def read(self, found: Sequence[Found], audience: Audience) -> dict[str, StoredNode]:
        """Read what was found, by id; what was deleted or hidden meanwhile is left out.

        `node.embedding` has the word vectors and an empty vector.
        """
        if not found:
            return {}
        with store_errors(self.path, "while it was read"):
            return await self._search.read(found, audience)

    async def around(
        self, keys: Sequence[tuple[str, int]], before: int = 1, after: int = 1
    ) -> list[StoredNode]:
        """Return the nodes at and around (document id, position) keys, in order of both."""
        nodes = [node async for node in self._nodes(near(keys, before, after), READ_COLUMNS)]
        return sorted(_shown(nodes), key=lambda node: (node.document_id, node.position))

    async def embeddings(self, hashes: Collection[str]) -> dict[str, Embedding]:
        """Return what is stored for those of these node hashes that are known, to use it again."""
        found: dict[str, Embedding] = {}
        wanted = sorted(set(hashes))
        for start in range(0, len(wanted), LOOKUP):
            where = one_of("hash", wanted[start : start + LOOKUP])
            async for rows in self._rows(where, ["hash", *EMBEDDING_COLUMNS]):
                found |= to_embeddings(rows)
        return found

    async def nodes_of(self, document_id: str) -> list[StoredNode]:
        """Return a document's nodes with their embeddings, by position; none when it is hidden."""
        found = await self.stored([document_id])
        return _shown(found.get(document_id, []))

    async def stored(self, ids: Collection[str]) -> dict[str, list[StoredNode]]:
        """Return the nodes of these documents with their embeddings, by position, the hidden ones too."""
        found: dict[str, list[StoredNode]] = {}
        where = one_of("document_id", ids)
        async for node in self._nodes(where, [*READ_COLUMNS, *EMBEDDING_COLUMNS]):
            found.setdefault(node.document_id, []).append(node)
        return {identity: sorted(nodes, key=lambda node: node.position) for identity, nodes in found.items()}

    async def document_ids(self, source: str, *, hidden: bool = False) -> set[str]:
        """Return the ids of a source's documents that have nodes; with `hidden`, of the hidden ones too."""
        ours = one_of("source", [source])
        found: set[str] = set()
        async for rows in self._rows(ours if hidden else f"{ours} AND {shown()}", ["document_id"]):
            found.update(rows["document_id"].to_pylist())
        return found

    async def count(self, source: str) -> int:
        """Count the nodes of a source, the hidden ones too."""
        with store_errors(self.path, "while it was read"):
            return int(await self._table.count_rows(one_of("source", [source])))

    def at(self, version: int) -> AbstractAsyncContextManager[Snapshot]:
        """Open the table as it was at a version. Raise `StoreError` when that is kept no longer."""
        return open_snapshot(self._connection, self.path, self.name, version)

    async def version(self) -> int:
        """Return the table's latest version: it grows by every commit, of whatever process."""
        with store_errors(self.path, "while it was read"):
            await self._table.checkout_latest()  # type: ignore[no-untyped-call]  # lancedb's gap
            return int(await self._table.version())

    async def counts(self) -> StoreCounts:
        """Count nodes and documents, those that are not hidden, and measure the disk."""
        documents: set[str] = set()
        nodes = 0
        async for rows in self._rows(shown(), ["document_id"]):
            documents.update(rows["document_id"].to_pylist())
            nodes += len(rows)
        with store_errors(self.path, "while it was read"):
            work = await workload(self._table)
            size = work.bytes
            if not is_remote(self.path):
                size = await asyncio.to_thread(folder_bytes, Path(self.path))
        return StoreCounts(
            nodes=nodes,
            documents=len(documents),
            bytes=size,
            version=await self.version(),
            fragments=work.fragments,
            unindexed=work.unindexed,
        )

    async def state_hash(self) -> str:
        """Return a hash of id, text, source, uri and audience of all nodes but the hidden ones."""
        digests: list[bytes] = []
        async for rows in self._rows(None, STATE_COLUMNS):
            digests += state_digests(rows)
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()

    # Inside

    @property
    def _table(self) -> AsyncTable:
        """The open table; LanceDB itself panics when a closed one is used."""
        if not self._opened.is_open():
            raise StoreError(f"The store {self.path!r} is closed. Open it again.")
        return self._opened

    async def _replace(self, documents: Mapping[str, Sequence[StoredNode]]) -> None:
        nodes = {node.id: node for document in documents for node in _checked(document, documents[document])}
        cards = await asyncio.to_thread(to_cards, nodes.values())
        stored = await self._stored_cards(documents)
        stale = stored.keys() - nodes.keys()
        changed = [node for node in nodes.values() if stored.get(node.id) != cards[node.id]]
        if stale:
            await self._rewrite(one_of("document_id", documents), list(nodes.values()), cards)
        elif changed:
            await self._upsert(changed, cards)

    async def _stored_cards(self, documents: Iterable[str]) -> dict[str, str]:
        """Return the cards of all stored nodes of these documents by node id."""
        await self._table.checkout_latest()  # type: ignore[no-untyped-call]  # lancedb leaves it without types
        found: dict[str, str] = {}
        names = sorted(documents)
        for start in range(0, len(names), LOOKUP):
            where = one_of("document_id", names[start : start + LOOKUP])
            async for rows in self._rows(where, ["id", "card"]):
                found |= zip(rows["id"].to_pylist(), rows["card"].to_pylist(), strict=True)
        return found

    async def _upsert(self, nodes: Sequence[StoredNode], cards: Mapping[str, str]) -> None:
        """Write nodes by id through its index: the time does not grow with the table."""
        rows = await asyncio.to_thread(to_table, nodes, cards, await self._table.schema())
        merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        await retried(lambda: merge.execute(rows))

    async def _rewrite(self, within: str, nodes: Sequence[StoredNode], cards: Mapping[str, str]) -> None:
        """Write nodes and remove all others of their documents in one commit, at the cost of a full join."""
        if not nodes:
            await retried(lambda: self._table.delete(within))
            return
        rows = await asyncio.to_thread(to_table, nodes, cards, await self._table.schema())
        merge = (
            self._table.merge_insert("id")
            .when_matched_update_all(where="target.card != source.card")
            .when_not_matched_insert_all()
            .when_not_matched_by_source_delete(within)
        )
        await retried(lambda: merge.execute(rows))

    async def _delete(self, where: str) -> None:
        async with self._writing:
            with store_errors(self.path, "while nodes were deleted"):
                if await self._table.count_rows(where):
                    await retried(lambda: self._table.delete(where))

    async def _rows(self, where: str | None, columns: list[str]) -> AsyncIterator[pa.Table]:
        with store_errors(self.path, "while it was read"):
            query = self._table.query().select(columns)
            reader = await (query.where(where) if where else query).to_batches()
            async for batch in reader:
                yield pa.Table.from_batches([batch])

    async def _nodes(self, where: str, columns: list[str]) -> AsyncIterator[StoredNode]:
        async for rows in self._rows(where, columns):
            for node in to_nodes(rows):
                yield node


def _shown(nodes: Iterable[StoredNode]) -> list[StoredNode]:
    return [node for node in nodes if HIDDEN_TAG not in node.audience]


def _checked(document: str, nodes: Sequence[StoredNode]) -> Sequence[StoredNode]:
    for node in nodes:
        if node.document_id != document:
            raise ValueError(f"Node {node.id!r} belongs to {node.document_id!r}, not to {document!r}.")
    return nodes
