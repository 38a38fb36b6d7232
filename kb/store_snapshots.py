"""The table as it was at an earlier version, for as long as that version is kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from kb.documents import HIDDEN_TAG
from kb.errors import StoreError
from kb.filters import one_of
from kb.lance import AsyncConnection, AsyncTable
from kb.nodes import StoredNode
from kb.store_cleanup import pinned
from kb.store_failures import store_errors
from kb.store_opening import close, is_remote
from kb.store_rows import EMBEDDING_COLUMNS, READ_COLUMNS, STATE_COLUMNS, state_digests, to_nodes

_LOOKUP = 1_000
_DIGEST_BYTES = 16
_PRINTED = ("id", "document_id", "source", "uri", "audience", "card")


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """What tells whether a document's nodes are the same: their number, and the sum of their digests."""

    source: str
    uri: str
    nodes: int = 0
    digest: int = 0
    audience: tuple[str, ...] = ()

    @property
    def hidden(self) -> bool:
        """Whether nobody may find the document."""
        return HIDDEN_TAG in self.audience


class Snapshot:
    """One version of the table, read only. Every method may raise `StoreError`."""

    def __init__(self, path: str, table: AsyncTable, version: int) -> None:
        self.version = version
        self._path = path
        self._table = table

    async def prints(self, source: str | None = None) -> dict[str, Print]:
        """Return a print of each document, of one source or of all, by document id."""
        found: dict[str, Print] = {}
        where = None if source is None else one_of("source", [source])
        async for rows in self.rows(where, _PRINTED):
            await asyncio.to_thread(_add_prints, found, rows)
        return found

    async def nodes(self, ids: Collection[str], *, embedded: bool = True) -> dict[str, list[StoredNode]]:
        """Return the nodes of these documents by document id, each document's by position."""
        columns = [*READ_COLUMNS, *EMBEDDING_COLUMNS] if embedded else READ_COLUMNS
        found: defaultdict[str, list[StoredNode]] = defaultdict(list)
        names = sorted(ids)
        for start in range(0, len(names), _LOOKUP):
            where = one_of("document_id", names[start : start + _LOOKUP])
            async for rows in self.rows(where, columns):
                for node in to_nodes(rows):
                    found[node.document_id].append(node)
        return {key: sorted(nodes, key=lambda node: node.position) for key, nodes in found.items()}

    async def schema(self) -> pa.Schema:
        """Return the columns, with what the table notes about itself."""
        with store_errors(self._path, "while it was read"):
            return await self._table.schema()

    async def rows(self, where: str | None, columns: Sequence[str]) -> AsyncIterator[pa.Table]:
        """Yield the rows that a filter matches, some at a time."""
        with store_errors(self._path, "while an earlier version was read"):
            query = self._table.query().select(list(columns))
            async for batch in await (query.where(where) if where else query).to_batches():
                yield pa.Table.from_batches([batch])

    async def state_hash(self) -> str:
        """Return the hash that `NodeStore.state_hash` gave at this version."""
        digests: list[bytes] = []
        async for rows in self.rows(None, STATE_COLUMNS):
            digests += state_digests(rows)
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


@asynccontextmanager
async def open_snapshot(
    connection: AsyncConnection, path: str, name: str, version: int
) -> AsyncIterator[Snapshot]:
    """Open the table `name` at a version, which stays on disk until the block ends.

    Raise `StoreError` when it is kept no longer.
    """
    async with AsyncExitStack() as stack:
        if not is_remote(path):
            with store_errors(path, "while an earlier version was opened"):
                stack.enter_context(pinned(Path(path), name, version))
        try:
            table = await connection.open_table(name, version=version)
        except (OSError, RuntimeError, ValueError) as exc:
            raise StoreError(
                f"Version {version} of the store {path!r} is kept no longer. "
                "Only recent runs can be looked back at: see [sync] keep_versions."
            ) from exc
        stack.callback(close, table)
        yield Snapshot(path, table, version)


def _add_prints(found: dict[str, Print], rows: pa.Table) -> None:
    columns = (rows[name].to_pylist() for name in _PRINTED)
    for identity, document, source, uri, audience, card in zip(*columns, strict=True):
        digest = hashlib.sha256(f"{identity}\0{card}".encode()).digest()[:_DIGEST_BYTES]
        before = found.get(document) or Print(source=source, uri=uri)
        found[document] = Print(
            source=source,
            uri=uri,
            nodes=before.nodes + 1,
            digest=before.digest + int.from_bytes(digest),
            audience=tuple(audience),
        )
