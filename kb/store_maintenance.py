"""A table's indexes, and how much there is to do: what keeps a store as quick after a year as on day one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from kb.lance import FTS, AsyncTable, Bitmap, BTree, IvfRq, LabelList
from kb.store_failures import is_conflict

log = logging.getLogger(__name__)

EXACT_ROWS = 20_000
MAX_FRAGMENTS = 50
LEAST_UNINDEXED, MOST_UNINDEXED, UNINDEXED_SHARE = 200, 2_000, 500
MAX_DELTAS = 4
ATTEMPTS = 5

T = TypeVar("T")
Index = FTS | BTree | Bitmap | LabelList


async def create_indexes(table: AsyncTable) -> list[str]:
    """Create the indexes that are missing (of an empty table too) and return their columns.

    Rows that no index covers yet are searched all the same, so there is no need to wait for rows.
    """
    present = await _indexed_columns(table)
    missing = [column for column in _scalar_indexes() if column not in present]
    for column in missing:
        await _create_index(table, column, _scalar_indexes()[column])
    return missing


async def has_vector_index(table: AsyncTable) -> bool:
    """Tell whether vectors are searched through an index."""
    return "vector" in await _indexed_columns(table)


async def prepare_vector_index(table: AsyncTable, *, build: bool) -> bool:
    """Build the vector index when it is due or falls into too many parts; return whether it was built."""
    if not build:
        stats = await table.index_stats("vector_idx")
        if stats is None or (stats.num_indices or 0) <= MAX_DELTAS:
            return False
    config = IvfRq(distance_type="cosine")
    await retried(lambda: table.create_index("vector", config=config, replace=True))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How much a table asks for maintenance. `unindexed` is the most rows that any index does not cover."""

    rows: int
    fragments: int
    unindexed: int
    bytes: int

    @property
    def is_due(self) -> bool:
        """Whether maintenance costs less than it saves.

        Full-text search reads and tokenizes each unindexed row for each question (about 0.1 ms a row);
        bringing the indexes up to date takes time that grows with the table.
        """
        bound = min(max(LEAST_UNINDEXED, self.rows // UNINDEXED_SHARE), MOST_UNINDEXED)
        return self.fragments > MAX_FRAGMENTS or self.unindexed > bound


async def workload(table: AsyncTable) -> Workload:
    """Measure how much there is to do; nothing is written."""
    # LanceDB says that it returns an object; it returns a dict.
    stats = cast("dict[str, Any]", await table.stats())
    indexes = await table.list_indices()
    return Workload(
        rows=stats["num_rows"],
        fragments=stats["fragment_stats"]["num_fragments"],
        unindexed=max((index.num_unindexed_rows or 0 for index in indexes), default=0),
        bytes=stats["total_bytes"],
    )


async def _create_index(table: AsyncTable, column: str, config: Index) -> None:
    """Create an index; another process that creates the same one first is no failure."""
    try:
        await table.create_index(column, config=config, replace=False)
    except (RuntimeError, ValueError):
        await table.checkout_latest()  # type: ignore[no-untyped-call]  # lancedb's gap
        if column not in await _indexed_columns(table):
            raise


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Await what `attempt` returns; after a commit conflict wait a moment and try again."""
    for number in range(1, ATTEMPTS):
        try:
            return await attempt()
        except (OSError, RuntimeError, ValueError) as exc:
            if not is_conflict(exc):
                raise
            log.info("commit conflict, trying again attempt=%d", number)
            await asyncio.sleep(0.05 * 2**number)
    return await attempt()


async def _indexed_columns(table: AsyncTable) -> set[str]:
    return {column for index in await table.list_indices() for column in index.columns}


def _scalar_indexes() -> dict[str, Index]:
    # Stop words stay searchable: "IT", "who" or "The Who" may be all that a question has. Positions
    # serve phrase queries alone and would triple the index.
    words = FTS(base_tokenizer="icu/split", remove_stop_words=False, with_position=False)
    return {
        "search": words,
        "id": BTree(),
        "document_id": BTree(),
        "hash": BTree(),
        "source": Bitmap(),
        "audience": LabelList(),
    }
