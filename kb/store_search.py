"""Finds nodes of the table and reads what was found. Every method may raise what LanceDB raises.

The vectors of a small table, the ids of a large one and the rows that were read of late are kept in memory
for the version of the table that they are of: a commit, of whatever process, makes them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from kb.documents import Audience
from kb.filters import one_of, visible
from kb.lance import AsyncTable, NearestQuery, TextQuery, rows_of, without_blobs
from kb.nodes import Found, StoredNode, Vector
from kb.store_maintenance import EXACT_ROWS, has_vector_index
from kb.store_recent import RecentRows
from kb.store_rows import READ_COLUMNS, clean, to_nodes
from kb.store_vectors import RowIds, VectorBoard

QUESTION_CHARACTERS = 2_000
PROBES = 20
REFINE = 5
_COUNTS = 1_000  # filters whose number of rows is remembered
_ROWS_A_LEG = 5_000  # whose ids take as long to read as those that one leg finds
_MOST_IDS = 250_000  # nodes of a table whose ids are kept: 26 MB
_COLUMNS = [*READ_COLUMNS, "tokens"]


class TableSearch:
    """Searches a table, which `table` returns or else says why not. Any number of searches may go on."""

    def __init__(self, table: Callable[[], AsyncTable]) -> None:
        self._table = table
        self._loading = asyncio.Lock()
        self._board: VectorBoard | None = None
        self._large = -1  # the last version that had too many rows for a board
        self._rows = 0  # how many that version has
        self._legs = 0  # how often its ids were wanted
        self._ids: RowIds | None = None
        self._recent = RecentRows()
        self._counted = -1
        self._counts: dict[str | None, int] = {}
        self._vector_index: bool | None = None

    def forget(self) -> None:
        """Look at the table's indexes anew: maintenance may have made one."""
        self._vector_index = None

    async def nearest(
        self, vector: Vector, *, limit: int, audience: Audience, sources: Sequence[str]
    ) -> list[Found]:
        """Find the visible nodes whose vectors are nearest, best first; the score is the cosine."""
        version, board = await self._view()
        if board is not None:
            return board.nearest(vector, limit=limit, audience=audience, sources=sources)
        query = without_blobs(self._table().query().nearest_to(vector).distance_type("cosine"))
        if where := await self._filter(version, audience, sources):
            query = query.where(where)
        if await self._searches_exactly(version, where):
            query = query.bypass_vector_index()
        else:
            query = query.nprobes(PROBES).refine_factor(REFINE)
        return await self._found(query, "_distance", limit, await self._known_ids(version))

    async def matching(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str]
    ) -> list[Found]:
        """Find the visible nodes that have words of the text, best first; the score is BM25."""
        # LanceDB takes a text that is all in quotation marks for a phrase, which its index cannot find.
        words = clean(text[:QUESTION_CHARACTERS]).replace('"', " ")
        if not words.strip():
            return []
        version, board = await self._view()
        query = without_blobs(self._table().query().nearest_to_text(words, columns="search"))
        if where := await self._filter(version, audience, sources, board):
            query = query.where(where)
        known = await self._known_ids(version) if board is None else board
        return await self._found(query, "_score", limit, known)

    async def _found(
        self, query: NearestQuery | TextQuery, score: str, limit: int, known: RowIds | None
    ) -> list[Found]:
        """Run a query that lacks its columns and limit; ids that are not known are read with it."""
        query = query.with_row_id().limit(limit)
        ids: list[str] | None = None
        if known is not None:
            rows = await rows_of(query.select([score]), limit)
            ids = known.ids_at(rows["_rowid"].to_numpy())
        if ids is None:  # or a commit came in between
            rows = await rows_of(query.select(["id", score]), limit)
            ids = rows["id"].to_pylist()
        found = zip(ids, rows["_rowid"].to_pylist(), rows[score].to_pylist(), strict=True)
        if score == "_distance":
            return [Found(id=key, row=row, score=1.0 - away) for key, row, away in found]
        return [Found(id=key, row=row, score=bm25) for key, row, bm25 in found]

    async def read(self, found: Sequence[Found], audience: Audience) -> dict[str, StoredNode]:
        """Read what was found and may be seen, by id; the embeddings have the word vectors alone."""
        version = int(await self._table().version())
        nodes = self._recent.of(version, [one.id for one in found])
        if missing := [one for one in found if one.id not in nodes]:
            new = await self._taken(missing)
            self._recent.keep(version, new.values())
            nodes |= new
        tags = set(audience.visible())
        return {
            one.id: nodes[one.id]
            for one in found
            if one.id in nodes and not tags.isdisjoint(nodes[one.id].audience)
        }

    async def _taken(self, found: Sequence[Found]) -> dict[str, StoredNode]:
        nodes: dict[str, StoredNode] = {}
        with suppress(RuntimeError, ValueError):  # rows that a commit has moved since are read by id
            query = without_blobs(self._table().take_row_ids([one.row for one in found]))
            rows = await rows_of(query.select(_COLUMNS), len(found))
            nodes = {node.id: node for node in to_nodes(rows)}
        if moved := [one.id for one in found if one.id not in nodes]:
            rows = await self._table().query().select(_COLUMNS).where(one_of("id", moved)).to_arrow()
            nodes |= {node.id: node for node in to_nodes(rows)}
        return nodes

    async def _view(self) -> tuple[int, VectorBoard | None]:
        """Return the table's version and all its vectors; None when they are too many to keep."""
        table = self._table()
        if self._large >= 0 and int(await table.version()) == self._large:
            return self._large, None
        await table.checkout_latest()  # type: ignore[no-untyped-call]  # lancedb's gap
        version = int(await table.version())
        if self._board is not None and self._board.version >= version:
            return version, self._board
        async with self._loading:
            return version, await self._loaded_board(table, version)

    async def _loaded_board(self, table: AsyncTable, version: int) -> VectorBoard | None:
        if self._large >= version:
            return None
        rows = await table.count_rows()
        if rows >= EXACT_ROWS:
            self._board, self._ids = None, None
            self._large, self._rows, self._legs = version, rows, 0
        elif self._board is None or self._board.version < version:
            self._board, self._large = await VectorBoard.load(table, version), -1
        return self._board

    async def _known_ids(self, version: int) -> RowIds | None:
        """Return the ids of a large table, once as many were read singly as would have paid for all."""
        if version != self._large or self._rows > _MOST_IDS:
            return None
        self._legs += 1
        if self._ids is None and self._legs * _ROWS_A_LEG > self._rows:
            async with self._loading:
                if self._ids is None and version == self._large:
                    self._ids = await RowIds.load(self._table(), version)
        return self._ids

    async def _filter(
        self, version: int, audience: Audience, sources: Sequence[str], board: VectorBoard | None = None
    ) -> str | None:
        """Return the filter for what may be seen; None when that is everything: a filter takes time.

        What is found is looked at again when it is read, so that a commit in between shows nothing.
        """
        where = visible(audience, sources)
        if sources:
            return where
        if board is not None:
            return None if board.shows_all(audience) else where
        return None if await self._count(version, where) == await self._count(version, None) else where

    async def _searches_exactly(self, version: int, where: str | None) -> bool:
        """Tell whether to pass by the vector index: there is none, or so few rows that it would miss some."""
        if self._vector_index is None:
            self._vector_index = await has_vector_index(self._table())
        return not self._vector_index or await self._count(version, where) < EXACT_ROWS

    async def _count(self, version: int, where: str | None) -> int:
        """Count the table's rows of a filter, once a version."""
        if version != self._counted or len(self._counts) > _COUNTS:
            self._counted = version
            self._counts.clear()
        if where not in self._counts:
            self._counts[where] = int(await self._table().count_rows(where))
        return self._counts[where]
