"""What the database knows of Discord from earlier runs: when the bot last heard anything, and from whom."""

from __future__ import annotations

from sqlalchemy import func, select, union
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.discord.access import PLATFORM
from bot.tables import inbox, replies
from kb.database import reading


async def last_heard(engine: AsyncEngine) -> float | None:
    """Return when the last event was put into the inbox, in seconds since the epoch; None if never."""
    query = select(func.max(inbox.c.received)).where(inbox.c.platform == PLATFORM)
    async with reading(engine) as connection:
        latest: float | None = (await connection.execute(query)).scalar()
    return latest


async def direct_channels(engine: AsyncEngine) -> tuple[str, ...]:
    """Return the channels of direct messages that the bot knows: Discord lists them to no bot."""
    query = union(
        *(
            select(table.c.channel).where(table.c.platform == PLATFORM, table.c.workspace == "")
            for table in (inbox, replies)
        )
    )
    async with reading(engine) as connection:
        return tuple((await connection.execute(query)).scalars())
