"""What a connector remembers of its source from one run to the next: texts by key, in SQL.

Validators of pages, cursors, what a listing said last time. Losing it costs requests and never truth:
what is stored of a document is the manifest's to say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kb.database import reading, transaction
from kb.tables import source_memory

_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class SourceMemory:
    """The memory of one source. Its methods may raise `StoreError`."""

    def __init__(self, engine: AsyncEngine, source: str) -> None:
        self._engine = engine
        self._source = source

    async def recall(self) -> dict[str, str]:
        """Return everything that was kept, by key."""
        statement = select(source_memory.c.key, source_memory.c.value).where(
            source_memory.c.source == self._source
        )
        async with reading(self._engine) as connection:
            return {row.key: row.value for row in await connection.execute(statement)}

    async def keep(self, entries: Mapping[str, str], *, drop: Collection[str] = ()) -> None:
        """Add or replace entries and drop others, all in one transaction."""
        rows = [
            {
                "source": self._source,
                "key_hash": _hash(key),
                "key": _UNSAFE.sub("?", key),
                "value": _UNSAFE.sub("?", value),
            }
            for key, value in entries.items()
        ]
        gone = [{"one": _hash(key)} for key in {*drop, *entries}]
        if not gone:
            return
        forget = delete(source_memory).where(
            source_memory.c.source == self._source, source_memory.c.key_hash == bindparam("one")
        )
        async with transaction(self._engine) as connection:
            await connection.execute(forget, gone)
            if rows:
                await connection.execute(insert(source_memory), rows)


class BorrowedMemory:
    """A memory over another that is read and never written: for a dry run, or with none, for a test."""

    def __init__(self, below: SourceMemory | None = None) -> None:
        self._below = below
        self._entries: dict[str, str] | None = None

    async def recall(self) -> dict[str, str]:
        """Return everything that was kept, by key."""
        return dict(await self._own())

    async def keep(self, entries: Mapping[str, str], *, drop: Collection[str] = ()) -> None:
        """Add or replace entries and drop others, until this object is gone."""
        own = await self._own()
        for key in drop:
            own.pop(key, None)
        own.update(entries)

    async def _own(self) -> dict[str, str]:
        if self._entries is None:
            self._entries = await self._below.recall() if self._below else {}
        return self._entries


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
