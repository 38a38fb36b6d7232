"""The streams that were begun and not ended, kept so that a restart goes on in the same message.

A stream's message carries no metadata before it ends, so the platform could not tell whose it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Column, Double, MetaData, String, Table, Text, delete, insert, select

from kb.database import reading, transaction

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

KEPT_SECONDS = 86_400.0

metadata = MetaData()
streams = Table(
    "slack_streams",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("ts", String(32), nullable=False),
    Column("began", Double, nullable=False),
)


class OpenStreams:
    """Which message shows the beginning of which reply."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    async def prepare(self) -> None:
        """Make the table where it is missing, and forget what is too old to matter."""
        async with transaction(self._engine) as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(delete(streams).where(streams.c.began < self._clock() - KEPT_SECONDS))

    async def begin(self, subject: str, channel: str, ts: str) -> None:
        """Keep that this message shows a reply that is not whole yet."""
        row = {"subject": subject, "channel": channel, "ts": ts, "began": self._clock()}
        async with transaction(self._engine) as connection:
            await connection.execute(delete(streams).where(streams.c.subject == subject))
            await connection.execute(insert(streams), row)

    async def of(self, subject: str) -> tuple[str, str] | None:
        """Return channel and id of the message that an earlier try began."""
        query = select(streams.c.channel, streams.c.ts).where(streams.c.subject == subject)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return (row.channel, row.ts) if row else None

    async def known(self, channel: str) -> frozenset[str]:
        """Return the messages of a channel that some reply began."""
        query = select(streams.c.ts).where(streams.c.channel == channel)
        async with reading(self._engine) as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def end(self, subject: str) -> None:
        """Forget a stream: its message carries metadata now, or is gone."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(streams).where(streams.c.subject == subject))
