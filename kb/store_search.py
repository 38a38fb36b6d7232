"""Finds nodes of the table and reads what was found. Every method may raise what LanceDB raises.

The vectors of a small table, and the rows that were read of late, are kept in memory for the version of
the table that they are of: a commit, of whatever process, makes them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import pyarrow as pa

from kb.documents import Audience
from kb.filters import one_of, visible
from kb.lance import AsyncTable, without_blobs
from kb.nodes import Found, StoredNode, Vector
from kb.store_maintenance import EXACT_ROWS, has_vector_index
from kb.store_recent import RecentRows
from kb.store_rows import READ_COLUMNS, clean, to_nodes
from kb.store_vectors import VectorBoard

QUESTION_CHARACTERS = 2_000
PROBES = 20
REFINE = 5
_COUNTS = 1_000  # filters whose number of rows is remembered
_COLUMNS = [*READ_COLUMNS, "tokens"]


class TableSearch:
    """Searches a table, which `table` returns or else says why not. Any number of searches may go on."""

    def __init__(self, table: Callable[[], AsyncTable]) -> None:
        self._table = table
        self._loading = asyncio.Lock()
        self._board: VectorBoard | None = None
        self._large = -1  # the last version that had too many rows for a board
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
        if (board := await self._current_board()) is not None:
            return board.nearest(vector, limit=limit, audience=audience, sources=sources)
        query = without_blobs(self._table().query().nearest_to(vector).distance_type("cosine"))
        if where := await self._filter(audience, sources):
            query = query.where(where)
        if await self._searches_exactly(where):
            query = query.bypass_vector_index()
        else:
            query = query.nprobes(PROBES).refine_factor(REFINE)
        rows = await query.select(["id", "_distance"]).with_row_id().limit(limit).to_arrow()
        return _found(rows["id"].to_pylist(), rows, [1.0 - away for away in rows["_distance"].to_pylist()])

    async def matching(
        self, text: str, *, limit: int, audience: Audience, sources: Sequence[str]
    ) -> list[Found]:
        """Find the visible nodes that have words of the text, best first; the score is BM25."""
        words = clean(text[:QUESTION_CHARACTERS])
        if not words.strip():
            return []
        board = await self._current_board()
        query = without_blobs(self._table().query().nearest_to_text(words, columns="search"))
        query = query.limit(limit).with_row_id()
        if where := await self._filter(audience, sources, board):
            query = query.where(where)
        rows = await query.select(["id", "_score"] if board is None else ["_score"]).to_arrow()
        ids = rows["id"].to_pylist() if board is None else board.ids_at(rows["_rowid"].to_numpy())
        if ids is None:  # a commit came in between
            rows = await query.select(["id", "_score"]).to_arrow()
            ids = rows["id"].to_pylist()
        return _found(ids, rows, rows["_score"].to_pylist())

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
            rows = await query.select(_COLUMNS).to_arrow()
            nodes = {node.id: node for node in to_nodes(rows)}
        if moved := [one.id for one in found if one.id not in nodes]:
            rows = await self._table().query().select(_COLUMNS).where(one_of("id", moved)).to_arrow()
            nodes |= {node.id: node for node in to_nodes(rows)}
        return nodes

    async def _current_board(self) -> VectorBoard | None:
        """Return all vectors of the table as it is now; None when they are too many to keep."""
        table = self._table()
        if int(await table.version()) == self._large:
            return None
        await table.checkout_latest()  # type: ignore[no-untyped-call]  # lancedb's gap
        version = int(await table.version())
        if self._board is not None and self._board.version >= version:
            return self._board
        async with self._loading:
            return await self._loaded_board(table, version)

    async def _loaded_board(self, table: AsyncTable, version: int) -> VectorBoard | None:
        if await table.count_rows() >= EXACT_ROWS:
            self._board, self._large = None, version
        elif self._board is None or self._board.version < version:
            self._board = await VectorBoard.load(table, version)
        return self._board

    async def _filter(
        self, audience: Audience, sources: Sequence[str], board: VectorBoard | None = None
    ) -> str | None:
        """Return the filter for what may be seen; None when that is everything: a filter takes time.

        What is found is looked at again when it is read, so that a commit in between shows nothing.
        """
        where = visible(audience, sources)
        if sources:
            return where
        if board is not None:
            return None if board.shows_all(audience) else where
        return None if await self._count(where) == await self._count(None) else where

    async def _searches_exactly(self, where: str | None) -> bool:
        """Tell whether to pass by the vector index: there is none, or so few rows that it would miss some."""
        if self._vector_index is None:
            self._vector_index = await has_vector_index(self._table())
        return not self._vector_index or await self._count(where) < EXACT_ROWS

    async def _count(self, where: str | None) -> int:
        """Count the table's rows of a filter, once a version."""
        version = int(await self._table().version())
        if version != self._counted or len(self._counts) > _COUNTS:
            self._counted = version
            self._counts.clear()
        if where not in self._counts:
            self._counts[where] = int(await self._table().count_rows(where))
        return self._counts[where]


def _found(ids: Iterable[str], rows: pa.Table, scores: Iterable[float]) -> list[Found]:
    places = rows["_rowid"].to_pylist()
    return [Found(id=key, row=row, score=score) for key, row, score in zip(ids, places, scores, strict=True)]
